//! Leave feedback.

use std::sync::Arc;

use coinlink_domain::{
    assistant::{About, Feedback, Note, Rating},
    shared::user_id::UserId,
};
use coinlink_ports::{
    assistant::FeedbackStore,
    shared::{Clock, Entropy, StoreError},
};

/// Takes what people think.
pub struct LeaveFeedback {
    pub(super) store: Arc<dyn FeedbackStore>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
}

impl LeaveFeedback {
    /// As it is kept.
    #[tracing::instrument(name = "leave_feedback", skip_all)]
    pub async fn execute(
        &self,
        user: Option<UserId>,
        rating: Rating,
        note: Option<Note>,
        about: Option<About>,
    ) -> Result<Feedback, StoreError> {
        let feedback = Feedback { id: self.entropy.id(), user, rating, note, about, created_at: self.clock.now() };
        self.store.leave(&feedback).await?;
        Ok(feedback)
    }
}
