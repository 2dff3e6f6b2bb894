//! What was said.

use std::sync::Arc;

use time::OffsetDateTime;

/// Who said it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Speaker {
    /// The person who asks.
    User,
    /// The one who answers.
    Assistant,
}

impl Speaker {
    /// The name on the wire and in the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

/// One thing said in a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// Who said it.
    pub speaker: Speaker,
    /// What was said; plain text.
    pub text: Arc<str>,
    /// When.
    pub at: OffsetDateTime,
}
