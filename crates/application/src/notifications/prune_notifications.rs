use std::sync::Arc;

use coinlink_ports::{
    notifications::{DeliveryQueue, EndedBefore, NotificationsStore},
    shared::{Clock, StoreError},
};
use time::Duration;

/// Of each user the newest so many are kept.
const KEPT: u64 = 1_000;
/// What was delivered is kept so long.
const KEEP_SENT: Duration = Duration::days(1);
/// What was given up is kept so long.
const KEEP_DEAD: Duration = Duration::days(30);
/// Rows in one turn: others wait for no more than that.
const AT_ONCE: u64 = 1_000;

/// Removes notifications that expired or are too many, and deliveries that ended long ago.
pub struct PruneNotifications {
    /// Where notifications are.
    pub store: Arc<dyn NotificationsStore>,
    /// Where deliveries are.
    pub queue: Arc<dyn DeliveryQueue>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

impl PruneNotifications {
    /// Removes some. Whether there may be more.
    #[tracing::instrument(name = "notifications.prune", skip_all)]
    pub async fn execute(&self) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let pruned = self.store.prune(now, KEPT, AT_ONCE).await?;
        let before = EndedBefore { sent: now - KEEP_SENT, dead: now - KEEP_DEAD };
        let ended = self.queue.prune_deliveries(before, AT_ONCE).await?;
        Ok(pruned > 0 || ended >= AT_ONCE)
    }
}
