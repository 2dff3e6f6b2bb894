//! The beginning of an e-mail address, to look accounts up by.

use super::Email;

/// 1 to 254 visible ASCII characters, lower-cased as [`Email`] is. It need not be the beginning of anything that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailPrefix(String);

/// No address begins so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the beginning of an address is 1 to 254 visible ASCII characters")]
pub struct EmailPrefixError;

impl EmailPrefix {
    /// Trims and lower-cases `raw`.
    pub fn try_new(raw: &str) -> Result<Self, EmailPrefixError> {
        let raw = raw.trim_matches(' ');
        let fits = (1..=Email::MAX_LEN).contains(&raw.len()) && raw.bytes().all(|b| b.is_ascii_graphic());
        if fits { Ok(Self(raw.to_ascii_lowercase())) } else { Err(EmailPrefixError) }
    }

    /// The prefix as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether an address begins with it.
    #[must_use]
    pub fn begins(&self, email: &Email) -> bool {
        email.as_str().starts_with(&self.0)
    }

    /// Text that comes, byte by byte, after every address that begins with it and before every other that comes after them: no
    /// address holds a DEL.
    #[must_use]
    pub fn end(&self) -> String {
        format!("{}\u{7f}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn case_and_surrounding_space_do_not_matter() {
        let prefix = EmailPrefix::try_new("  Ada@EX ").unwrap();
        assert_eq!(prefix.as_str(), "ada@ex");
        assert!(prefix.begins(&Email::try_new("ada@example.org").unwrap()));
        assert!(!prefix.begins(&Email::try_new("adam@example.org").unwrap()));
    }

    #[test]
    fn what_no_address_begins_with_is_refused() {
        for raw in ["", "  ", "a b", "é", "a\u{0}", "a\n", &"a".repeat(255)] {
            assert_eq!(EmailPrefix::try_new(raw), Err(EmailPrefixError), "{raw:?}");
        }
    }

    proptest! {
        #[test]
        fn what_begins_with_it_lies_between_it_and_its_end(raw in "[a-z.@]{1,4}", address in "[a-z.]{1,6}@[a-z]{1,4}\\.org") {
            let (Ok(prefix), Ok(email)) = (EmailPrefix::try_new(&raw), Email::try_new(&address)) else { return Ok(()) };
            let between = email.as_str() >= prefix.as_str() && email.as_str() < prefix.end().as_str();
            prop_assert_eq!(prefix.begins(&email), between);
        }

        #[test]
        fn no_text_panics(raw in ".{0,300}") {
            let _ = EmailPrefix::try_new(&raw);
        }
    }
}
