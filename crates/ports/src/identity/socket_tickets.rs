use async_trait::async_trait;
use coinlink_domain::identity::{SecretDigest, SocketTicket};
use time::Duration;

use crate::shared::BusError;

/// Tickets for sockets that were given out, for all nodes together. Nothing but a digest is kept of their texts.
#[async_trait]
pub trait SocketTickets: Send + Sync {
    /// Keeps `ticket` for `keep`, to the millisecond, by the store's own clock.
    async fn put(&self, digest: SecretDigest, ticket: &SocketTicket, keep: Duration) -> Result<(), BusError>;

    /// Takes it: of all who ask, on whichever node, one gets it, and whoever comes later finds nothing. `None` as well where it is
    /// over or never was.
    async fn take(&self, digest: SecretDigest) -> Result<Option<SocketTicket>, BusError>;
}
