use std::sync::Arc;

use coinlink_ports::{
    assistant::FeedbackStore,
    shared::{Clock, StoreError},
};
use time::Duration;

/// What people thought so long ago is about another release.
const KEPT_FOR: Duration = Duration::days(365);
/// Of more than so many the oldest go: whoever leaves it in bulk does not fill the disk.
const MOST: u64 = 20_000;
/// Rows in one statement: others wait for no more than that.
const AT_ONCE: u64 = 1_000;

/// Removes feedback that is old or too much.
pub struct PruneFeedback {
    /// Where it is.
    pub store: Arc<dyn FeedbackStore>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

impl PruneFeedback {
    /// Removes some. Whether there may be more.
    #[tracing::instrument(name = "assistant.prune_feedback", skip_all)]
    pub async fn execute(&self) -> Result<bool, StoreError> {
        Ok(self.store.prune(self.clock.now() - KEPT_FOR, MOST, AT_ONCE).await? > 0)
    }
}
