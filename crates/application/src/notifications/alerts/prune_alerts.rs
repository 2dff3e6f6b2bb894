//! Forget firings of long ago and rules that were deleted.

use std::sync::Arc;

use coinlink_ports::{
    notifications::{AlertReads, AlertsBefore},
    shared::{Clock, StoreError},
};
use time::Duration;

/// Rows of a kind that go at once.
const AT_ONCE: u64 = 1_000;

/// Forgets.
pub struct PruneAlerts {
    reads: Arc<dyn AlertReads>,
    clock: Arc<dyn Clock>,
}

impl PruneAlerts {
    /// For so long it is shown what fired.
    pub const FIRED_KEPT: Duration = Duration::days(365);
    /// For so long evaluators can hear that a rule was deleted.
    pub const DELETED_KEPT: Duration = Duration::DAY;

    /// In this store.
    #[must_use]
    pub fn new(reads: Arc<dyn AlertReads>, clock: Arc<dyn Clock>) -> Self {
        Self { reads, clock }
    }

    /// Forgets some. Whether there may be more.
    pub async fn execute(&self) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let before = AlertsBefore { fired: now - Self::FIRED_KEPT, deleted: now - Self::DELETED_KEPT };
        Ok(self.reads.prune_alerts(before, AT_ONCE).await? >= AT_ONCE)
    }
}
