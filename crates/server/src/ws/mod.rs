//! The socket `/ws`: one hub per worker thread writes each tick, encoded once, to every connection of its thread.
//!
//! The connections do not pass through actix's dispatcher (docs/adr/0003): the upgrade hands us the stream, and a tick is
//! one `write` per socket without waking its task.

mod admission;
mod close;
mod connection;
mod decoder;
mod farewell;
pub mod frame;
mod hub;
mod inbound;
mod outbox;
mod subscription;
mod upgrade;

pub use admission::{Admission, AdmissionPolicy, ConnectionCounts, Connections, Place, Refusal};
pub use close::Close;
pub use hub::{Context, Figures, Limits};
pub use upgrade::{NoSocket, Upgrade};
