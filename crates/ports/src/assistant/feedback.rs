use async_trait::async_trait;
use coinlink_domain::assistant::Feedback;
use time::OffsetDateTime;

use crate::shared::StoreError;

/// What people think, for whoever wants to know. It outlives the account it is of, and then is nobody's.
#[async_trait]
pub trait FeedbackStore: Send + Sync {
    /// Keeps it.
    async fn leave(&self, feedback: &Feedback) -> Result<(), StoreError>;

    /// At most the newest `limit`, newest first. Every microsecond as it was given.
    async fn newest(&self, limit: u32) -> Result<Vec<Feedback>, StoreError>;

    /// Removes what was left before this, and all but the newest `most`: at most `limit` of each, the oldest first of what is too
    /// much. How many went.
    async fn prune(&self, before: OffsetDateTime, most: u64, limit: u64) -> Result<u64, StoreError>;
}
