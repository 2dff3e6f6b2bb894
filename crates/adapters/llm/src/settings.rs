use std::time::Duration;

use secrecy::SecretString;

/// Which model is asked, and where.
#[derive(Debug, Clone)]
pub struct LlmSettings {
    /// Everything before `/chat/completions`: `https://api.openai.com/v1`.
    pub base_url: String,
    /// The model's name there.
    pub model: String,
    /// Sent as a bearer token; local models need none.
    pub key: Option<SecretString>,
    /// For the head of an answer.
    pub timeout: Duration,
}

impl LlmSettings {
    /// Answers under way at the same time.
    pub(crate) const PERMITS: usize = 16;
    /// Bytes of one answer: 4,000 characters in single-character events of a talkative endpoint.
    pub(crate) const MAX_BODY: usize = 4 * 1024 * 1024;
    /// Characters the model is asked for at most, in its own units of some four characters.
    pub(crate) const MAX_TOKENS: u32 = 1_000;

    /// Of this model, without a key.
    pub fn new(base_url: impl Into<String>, model: impl Into<String>) -> Self {
        Self { base_url: base_url.into(), model: model.into(), key: None, timeout: Duration::from_secs(5) }
    }
}
