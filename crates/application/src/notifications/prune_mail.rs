use std::sync::Arc;

use coinlink_ports::{
    notifications::{EndedBefore, MailQueue},
    shared::{Clock, StoreError},
};
use time::Duration;

/// Letters that were sent are kept so long.
const KEEP_SENT: Duration = Duration::days(30);
/// Letters that were given up are kept so long.
const KEEP_DEAD: Duration = Duration::days(90);
/// Rows in one statement: others wait for no more than that.
const AT_ONCE: u64 = 1_000;

/// Removes letters that were sent or given up long ago.
pub struct PruneMail {
    /// Where they are.
    pub queue: Arc<dyn MailQueue>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

impl PruneMail {
    /// Removes some. Whether there may be more.
    #[tracing::instrument(name = "notifications.prune_mail", skip_all)]
    pub async fn execute(&self) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let before = EndedBefore { sent: now - KEEP_SENT, dead: now - KEEP_DEAD };
        Ok(self.queue.prune(before, AT_ONCE).await? >= AT_ONCE)
    }
}
