use std::sync::Arc;

use async_trait::async_trait;
use coinlink_domain::{assistant::Turn, shared::upstream_failure::UpstreamFailure};

/// What a language model is asked.
#[derive(Debug, Clone)]
pub struct ModelRequest {
    /// What it is told by us.
    pub system: String,
    /// What was said before, oldest first.
    pub history: Vec<Turn>,
    /// The user's own words, and nothing else.
    pub question: Arc<str>,
}

/// Somebody who writes answers: a language model.
#[async_trait]
pub trait Assistant: Send + Sync {
    /// Its name, for people.
    fn model(&self) -> &str;

    /// Begins an answer. The caller bounds the time; dropping what is returned ends the call.
    async fn answer(&self, request: &ModelRequest) -> Result<Box<dyn AnswerPieces>, UpstreamFailure>;
}

/// An answer as it is written.
#[async_trait]
pub trait AnswerPieces: Send {
    /// The next piece of its text, never empty; `None` once it is whole. A failure ends it: what came before is not whole. A failure of
    /// class `Data` means that the model itself stopped before the end.
    async fn next(&mut self) -> Option<Result<String, UpstreamFailure>>;
}
