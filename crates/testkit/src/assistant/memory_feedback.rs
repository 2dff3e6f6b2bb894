use std::sync::Mutex;

use async_trait::async_trait;
use coinlink_domain::assistant::Feedback;
use coinlink_ports::{assistant::FeedbackStore, shared::StoreError};

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
}
