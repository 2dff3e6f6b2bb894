//! What was said.

use std::sync::Arc;

use time::{Duration, OffsetDateTime};
use uuid::Uuid;

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

    /// Whose [`Speaker::name`] this is.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::User, Self::Assistant].into_iter().find(|speaker| speaker.name() == name)
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

/// A question and its answer. It is kept whole or not at all, so that of many asked at once each is followed by its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// Its id, version 7: exchanges are in the order of their ids.
    pub id: Uuid,
    /// What was asked.
    pub question: Turn,
    /// What was answered.
    pub answer: Turn,
}

impl Exchange {
    /// Of a conversation of somebody without an account the newest so many are kept.
    pub const KEPT_OF_VISITOR: usize = 25;
    /// For so long after the last of them.
    pub const VISITOR_KEPT_FOR: Duration = Duration::hours(24);
    /// Of an account the newest so many are kept.
    pub const KEPT_OF_USER: usize = 500;

    /// The question, then the answer.
    pub fn turns(&self) -> [&Turn; 2] {
        [&self.question, &self.answer]
    }
}
