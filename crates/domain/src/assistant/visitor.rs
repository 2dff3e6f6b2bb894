//! Who talks to the assistant without being signed in.

use std::{collections::HashSet, fmt};

use sha2::{Digest as _, Sha256};

use crate::shared::hex;

/// What somebody without an account shows to go on with a conversation. Whoever shows the same reads it, so it must be
/// nothing that another would come up with.
#[derive(Clone, PartialEq, Eq)]
pub struct VisitorSession(String);

/// Names a conversation of somebody without an account in what is kept: the session itself is kept nowhere.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ConversationId([u8; 16]);

/// Words that say nothing about who chose them. What is left of a session without them has to be long enough by itself.
const COMMON: [&str; 20] = [
    "anonymous",
    "undefined",
    "coinlink",
    "default",
    "session",
    "visitor",
    "unknown",
    "browser",
    "object",
    "client",
    "guest",
    "chat",
    "user",
    "null",
    "test",
    "none",
    "nan",
    "anon",
    "true",
    "id",
];

impl VisitorSession {
    /// Characters that have to be left without [`COMMON`] words.
    pub const MIN_CHARS: usize = 16;
    /// The most characters of one.
    pub const MAX_CHARS: usize = 128;
    /// Different ones among them: of 16 random hexadecimal digits, four of a million have fewer than six.
    const MIN_DISTINCT: usize = 6;

    /// One that a client chose; `None` where somebody else might have chosen the same: too short, a common word such as
    /// `default`, the same few characters over and over, or rows such as `123456`.
    #[must_use]
    pub fn chosen(text: &str) -> Option<Self> {
        let fits = text.len() <= Self::MAX_CHARS && text.bytes().all(|byte| byte.is_ascii_graphic());
        (fits && is_hard_to_guess(text)).then(|| Self(text.to_owned()))
    }

    /// A new one: 128 bits of what was drawn.
    #[must_use]
    pub fn generated(key: [u8; 32]) -> Self {
        let digest = Sha256::new().chain_update("coinlink visitor v1\0").chain_update(key).finalize();
        Self(hex::lower(&digest[..16]))
    }

    /// As clients send it back.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }

    /// The conversation that it opens.
    #[must_use]
    pub fn conversation(&self) -> ConversationId {
        let digest = Sha256::new().chain_update("coinlink conversation v1\0").chain_update(&self.0).finalize();
        let mut id = [0; 16];
        id.copy_from_slice(&digest[..16]);
        ConversationId(id)
    }
}

impl ConversationId {
    /// Its bytes.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// What opens a conversation is in no log.
impl fmt::Debug for VisitorSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VisitorSession(..)")
    }
}

impl fmt::Debug for ConversationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConversationId({})", hex::lower(&self.0))
    }
}

fn is_hard_to_guess(text: &str) -> bool {
    let mut left = text.to_ascii_lowercase();
    for word in COMMON {
        left = left.replace(word, "");
    }
    let left: Vec<u8> = left.into_bytes().into_iter().filter(u8::is_ascii_alphanumeric).collect();
    let distinct = left.iter().collect::<HashSet<_>>().len();
    let in_a_row = left.windows(2).filter(|pair| pair[0].abs_diff(pair[1]) <= 1).count();
    left.len() >= VisitorSession::MIN_CHARS && distinct >= VisitorSession::MIN_DISTINCT && in_a_row * 2 < left.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_others_would_choose_as_well_is_no_session() {
        for text in [
            "",
            "default",
            "defaultdefaultdefault",
            "default-session-id-0001",
            "undefined",
            "null",
            "anonymous-user-session",
            "aaaaaaaaaaaaaaaaaaaaaaaa",
            "abababababababababababab",
            "0123456789abcdef",
            "12345678901234567890",
            "abcdefghijklmnopqrstuvwxyz",
            "zyxwvutsrqponmlkjihgfedcba",
            "----------------------------",
            "00000000-0000-0000-0000-000000000000",
            "k3j9x0q2m7",
            "session-k3j9x0q2m7",
        ] {
            assert_eq!(VisitorSession::chosen(text), None, "{text}");
        }
        for text in ["k3j9 x0q2 m7w5 z8e1 p4", "k3j9x0q2m7w5z8e1pé", "k3j9x0q2m7w5z8e1\n", &"k3j9x0q2".repeat(17)] {
            assert_eq!(VisitorSession::chosen(text), None, "{text}: not visible ASCII, or too long");
        }
    }

    #[test]
    fn what_a_client_drew_is_one() {
        for text in [
            "k3j9x0q2m7w5z8e1",
            "f47ac10b-58cc-4372-a567-0e02b2c3d479",
            "session-f47ac10b58cc4372a5670e02b2c3d479",
            "guest_V1StGXR8_Z5jdHi6B-myT",
            "01JD2ZQ6T3W8X9Y4K5M7N0PQRS",
        ] {
            assert_eq!(VisitorSession::chosen(text).unwrap().text(), text);
        }
    }

    #[test]
    fn conversations_are_told_apart_by_every_character_and_show_no_session() {
        let [one, other] = ["k3j9x0q2m7w5z8e1", "k3j9x0q2m7w5z8E1"].map(|text| VisitorSession::chosen(text).unwrap());
        assert_ne!(one.conversation(), other.conversation());
        assert!(!format!("{one:?} {:?}", one.conversation()).contains("k3j9"));
    }

    proptest! {
        #[test]
        fn what_we_draw_can_be_sent_back(key in any::<[u8; 32]>()) {
            let session = VisitorSession::generated(key);
            prop_assert_eq!(VisitorSession::chosen(session.text()), Some(session));
        }

        #[test]
        fn no_text_panics(text in any::<String>()) {
            if let Some(session) = VisitorSession::chosen(&text) {
                prop_assert!((VisitorSession::MIN_CHARS..=VisitorSession::MAX_CHARS).contains(&session.text().len()));
            }
        }
    }
}
