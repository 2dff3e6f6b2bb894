//! Why somebody did what only few may do.

use std::fmt;

/// 1 to 500 characters without control characters, in the words of whoever did it. Kept in the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason(String);

/// The text is no reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReasonError {
    /// There is none.
    #[error("say why: 1 to 500 characters")]
    Missing,
    /// It is too long, or holds what cannot be shown.
    #[error("a reason is 1 to 500 characters without control characters")]
    Unusable,
}

impl Reason {
    /// The longest reason, in characters (Unicode code points).
    pub const MAX_CHARS: usize = 500;

    /// Trims `raw`.
    pub fn try_new(raw: &str) -> Result<Self, ReasonError> {
        let raw = raw.trim();
        if raw.is_empty() {
            return Err(ReasonError::Missing);
        }
        let fits = raw.chars().count() <= Self::MAX_CHARS && !raw.chars().any(char::is_control);
        if fits { Ok(Self(raw.to_owned())) } else { Err(ReasonError::Unusable) }
    }

    /// The reason as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_reason_is_kept_without_the_space_around_it() {
        assert_eq!(Reason::try_new("  ticket 4711, é \n").unwrap().as_str(), "ticket 4711, é");
        assert!(Reason::try_new(&"é".repeat(500)).is_ok());
    }

    #[test]
    fn emptiness_is_told_apart_from_what_cannot_be_kept() {
        for raw in ["", "   ", "\n\t"] {
            assert_eq!(Reason::try_new(raw), Err(ReasonError::Missing), "{raw:?}");
        }
        for raw in ["a\u{0}b", "a\nb", &"x".repeat(501)] {
            assert_eq!(Reason::try_new(raw), Err(ReasonError::Unusable), "{raw:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(raw in ".{0,600}") {
            let _ = Reason::try_new(&raw);
        }
    }
}
