use std::sync::Mutex;

use async_trait::async_trait;
use coinlink_domain::assistant::Feedback;
use coinlink_ports::{assistant::FeedbackStore, shared::StoreError};
use time::OffsetDateTime;

use crate::shared::lock;

/// Feedback in memory.
#[derive(Debug, Default)]
pub struct MemoryFeedback(Mutex<Vec<Feedback>>);

#[async_trait]
impl FeedbackStore for MemoryFeedback {
    async fn leave(&self, feedback: &Feedback) -> Result<(), StoreError> {
        let mut kept = lock(&self.0);
        if kept.iter().any(|known| known.id == feedback.id) {
            return Err(StoreError::Conflict { constraint: "feedback_pkey".to_owned() });
        }
        kept.push(feedback.clone());
        Ok(())
    }

    async fn newest(&self, limit: u32) -> Result<Vec<Feedback>, StoreError> {
        let mut kept = lock(&self.0).clone();
        kept.sort_by_key(|feedback| std::cmp::Reverse((feedback.created_at, feedback.id)));
        kept.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(kept)
    }

    async fn prune(&self, before: OffsetDateTime, most: u64, limit: u64) -> Result<u64, StoreError> {
        let size = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        let mut kept = lock(&self.0);
        let had = kept.len();
        kept.sort_by_key(|feedback| (feedback.created_at, feedback.id));
        let old = kept.iter().take_while(|feedback| feedback.created_at < before).count().min(size(limit));
        kept.drain(..old);
        let beyond = kept.len().saturating_sub(size(most)).min(size(limit));
        kept.drain(..beyond);
        Ok((had - kept.len()) as u64)
    }
}
