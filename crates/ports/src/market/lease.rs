use async_trait::async_trait;
use time::Duration;

use crate::shared::BusError;

/// Leadership of the cluster for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// The fencing token: greater than that of every lease before, even when the coordinator was wiped in between.
    pub epoch: u64,
}

/// At most one node at a time polls the outside world.
#[async_trait]
pub trait LeaderLease: Send + Sync {
    /// Takes the lease for `ttl` if nobody holds it. `None` while another node does. A node that still holds it gets a
    /// new one, with a new epoch.
    async fn acquire(&self, ttl: Duration) -> Result<Option<Lease>, BusError>;

    /// Extends the lease to `ttl` from now; `false` when it is no longer this node's.
    async fn renew(&self, lease: Lease, ttl: Duration) -> Result<bool, BusError>;

    /// Gives the lease up, if it is still this node's, so that another node need not wait for it to lapse.
    async fn release(&self, lease: Lease) -> Result<(), BusError>;
}
