//! E-mail addresses, as far as they are told from other text without asking their host.

use std::fmt;

/// An address of at most 254 characters, lower-cased, so that two spellings are one account: letters, digits and
/// ``! # $ % & ' * + / = ? ^ _ ` { | } ~ . -`` before the `@` (the dot-atom of RFC 5321 without quoted strings), a host name of
/// two labels or more after it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Email(String);

/// The text is no e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an address looks like name@example.com, in at most 254 characters")]
pub struct EmailError;

impl Email {
    /// The longest address, in characters: RFC 5321's path of 256 without its angle brackets.
    pub const MAX_LEN: usize = 254;

    /// Trims and lower-cases `raw`.
    pub fn try_new(raw: &str) -> Result<Self, EmailError> {
        let raw = raw.trim_matches(' ');
        let (local, host) = raw.split_once('@').ok_or(EmailError)?;
        if raw.len() > Self::MAX_LEN || !is_local_part(local) || !is_host_name(host) {
            return Err(EmailError);
        }
        Ok(Self(raw.to_ascii_lowercase()))
    }

    /// The address as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands before the `@`.
    #[must_use]
    pub fn local_part(&self) -> &str {
        self.0.split_once('@').map_or("", |(local, _)| local)
    }
}

/// 1 to 64 characters (RFC 5321, 4.5.3.1.1), dots only between others.
fn is_local_part(local: &str) -> bool {
    let known = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~-".contains(&b);
    local.len() <= 64 && local.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(known))
}

/// Labels of 1 to 63 letters, digits and inner hyphens (RFC 1035, 2.3.1); the last is no number.
fn is_host_name(host: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let last = host.rsplit('.').next().unwrap_or_default();
    host.contains('.') && host.split('.').all(label) && !last.bytes().all(|b| b.is_ascii_digit())
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn case_and_surrounding_space_do_not_make_another_account() {
        assert_eq!(Email::try_new("  Ada.Lovelace+btc@Example.ORG ").unwrap().as_str(), "ada.lovelace+btc@example.org");
    }

    #[test]
    fn what_is_no_address_or_could_not_be_shown_safely_is_refused() {
        let long = format!("{}@example.org", "a".repeat(65));
        let longer = format!("a@{}.org", "b.".repeat(130));
        for raw in [
            "",
            "@",
            "a@",
            "@b.org",
            "a@b",
            "a@@b.org",
            "a b@c.org",
            "a@b .org",
            "a<b@c.org",
            "a\"b@c.org",
            "a\\b@c.org",
            "a\n@b.org",
            ".a@b.org",
            "a.@b.org",
            "a..b@c.org",
            "a@.org",
            "a@b..org",
            "a@-b.org",
            "a@b-.org",
            "a@b.org.",
            "a@1.2.3.4",
            "a@[1.2.3.4]",
            "é@b.org",
            "a@é.org",
            "a@b.org\u{0}",
            &long,
            &longer,
        ] {
            assert_eq!(Email::try_new(raw), Err(EmailError), "{raw:?}");
        }
    }

    proptest! {
        #[test]
        fn parsing_twice_changes_nothing(raw in "[ -~]{0,12}@[a-zA-Z0-9.-]{0,12}") {
            if let Ok(email) = Email::try_new(&raw) {
                prop_assert_eq!(Email::try_new(email.as_str()), Ok(email.clone()));
            }
        }

        #[test]
        fn no_text_panics(raw in ".{0,300}") {
            let _ = Email::try_new(&raw);
        }
    }
}
