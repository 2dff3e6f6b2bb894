//! The shared ports on Redis: one leader, its ticks on every node, budgets, limits of requests and a probe.
//!
//! Commands go over one multiplexed connection ([`RedisLink`]), pub/sub over a connection of its own for each follower.
//! Neither client library's reconnection is relied upon: both stop silently in some outages (redis-rs's manager after six
//! tries, fred's subscriptions when one resubscription fails). Here a command that finds no connection starts one, and a
//! follower whose connection is gone, or does not answer, says so to its caller.

mod bulletin_payload;
mod bulletins;
mod bus;
mod conversations;
mod follower;
mod gate;
mod keys;
mod lease;
mod link;
mod live_event;
mod live_events;
mod node_name;
mod payload;
mod probe;
mod quota;
mod settings;
mod socket_tickets;

pub use bulletins::RedisBulletins;
pub use bus::RedisBus;
pub use conversations::RedisConversations;
pub use gate::RedisGate;
pub use lease::RedisLease;
pub use link::{LinkUse, RedisLink};
pub use live_events::RedisLiveEvents;
pub use node_name::RedisNodeName;
pub use probe::RedisProbe;
pub use quota::RedisQuota;
pub use settings::{RedisSettings, RedisSettingsError};
pub use socket_tickets::RedisSocketTickets;
