//! The socket `/ws`: one hub per worker thread writes each tick, encoded once, to every connection of its thread.
//!
//! The connections do not pass through actix's dispatcher (docs/adr/0003): the upgrade hands us the stream, and a tick is
//! one `write` per socket without waking its task.

mod admission;
mod assistant;
mod channel;
mod close;
mod connection;
mod connections;
mod decoder;
mod farewell;
mod feeds;
pub mod frame;
mod hub;
mod inbound;
mod outbox;
mod rooms;
mod subscription;
mod upgrade;
mod visitor;

pub use admission::{Admission, AdmissionPolicy, Refusal};
pub use assistant::{Asked, Assistant, NoAnswer};
pub use channel::Channel;
pub use close::Close;
pub use connections::{ConnectionCounts, Connections, MOST_OF_A_USER, Place};
pub use feeds::{Feeds, Headlines, Private};
pub use hub::{Context, Figures, Limits};
pub use inbound::TYPES as UNDERSTOOD;
pub use upgrade::{NoSocket, Upgrade};
pub use visitor::{SUBPROTOCOL, offers_ours};
