//! What an attempt to hand something over came to, and what became of it.

use coinlink_domain::notifications::Attempted;
use coinlink_ports::{notifications::SendError, shared::SecretBoxError};

/// What became of something that was to be handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It was handed over.
    Sent,
    /// It is tried again later.
    Postponed,
    /// It was given up.
    Dead,
}

impl Fate {
    /// As metrics call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Postponed => "postponed",
            Self::Dead => "dead",
        }
    }
}

/// What the answer of whoever was to take it makes of an attempt, and why.
pub(super) fn attempted(answer: Result<(), SendError>) -> (Attempted, String) {
    match answer {
        Ok(()) => (Attempted::Sent, String::new()),
        Err(SendError::Temporary(why)) => (Attempted::Refused, why),
        Err(SendError::Permanent(why)) => (Attempted::RefusedForGood, why),
    }
}

/// What an attempt came to for which this could not be opened.
pub(super) const fn unopened(error: &SecretBoxError) -> Attempted {
    match error {
        // Another node may have the key, or this one after its next start.
        SecretBoxError::UnknownKey(_) => Attempted::Refused,
        _ => Attempted::RefusedForGood,
    }
}
