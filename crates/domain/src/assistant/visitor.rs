//! Who talks to the assistant without being signed in.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use crate::shared::hex;

/// What somebody without an account shows to go on with a conversation. Whoever shows the same reads it.
#[derive(Clone, PartialEq, Eq)]
pub struct VisitorSession(String);

/// Tells sessions that were given out from whatever else is shown: what people choose, others choose as well. All nodes hold the
/// same, so that none of them has to remember what it gave out.
#[derive(Clone)]
pub struct VisitorKey([u8; 32]);

/// Names a conversation of somebody without an account in what is kept: the session itself is kept nowhere.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ConversationId([u8; 16]);

/// Bytes that are drawn for a session, and those of the tag after them.
const DRAWN: usize = 16;
const TAG: usize = 16;

impl VisitorKey {
    /// With these bytes, which nobody else knows.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A session to give out: 128 bits of what was drawn, and a tag over them.
    #[must_use]
    pub fn give_out(&self, drawn: [u8; 32]) -> VisitorSession {
        let digest = Sha256::new().chain_update("coinlink visitor v1\0").chain_update(drawn).finalize();
        let mut bytes = [0; DRAWN + TAG];
        bytes[..DRAWN].copy_from_slice(&digest[..DRAWN]);
        let tag = self.mac(&digest[..DRAWN]).map(|mac| mac.finalize().into_bytes());
        // HMAC takes keys of any length; without a tag it would be none that is taken back.
        bytes[DRAWN..].copy_from_slice(&tag.unwrap_or_default()[..TAG]);
        VisitorSession(hex::lower(&bytes))
    }

    /// One that was given out, as it was; `None` for anything else.
    #[must_use]
    pub fn taken_back(&self, text: &str) -> Option<VisitorSession> {
        let bytes = read(text)?;
        let (drawn, tag) = bytes.split_at(DRAWN);
        // In a time that says nothing about how much of it is right.
        self.mac(drawn)?.verify_truncated_left(tag).ok()?;
        Some(VisitorSession(text.to_owned()))
    }

    fn mac(&self, drawn: &[u8]) -> Option<Hmac<Sha256>> {
        let mac = Hmac::<Sha256>::new_from_slice(&self.0).ok()?;
        Some(mac.chain_update("coinlink visitor session v1\0").chain_update(drawn))
    }
}

/// Lower-case hexadecimal digits alone: one session has one spelling, and one conversation.
fn read(text: &str) -> Option<[u8; DRAWN + TAG]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; DRAWN + TAG];
    if text.len() != 2 * bytes.len() {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

impl VisitorSession {
    /// One that is told to nobody, for who needs none to go on, such as a socket: it names a conversation, and is not taken back.
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

impl fmt::Debug for VisitorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VisitorKey(..)")
    }
}

impl fmt::Debug for ConversationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConversationId({})", hex::lower(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KEY: VisitorKey = VisitorKey::new([7; 32]);

    #[test]
    fn what_people_choose_is_no_session_however_hard_to_guess_it_looks() {
        for text in [
            "",
            "default",
            "qwertyuiopasdfgh",
            "bitcoin-dashboard-2024",
            "550e8400-e29b-41d4-a716-446655440000",
            "f47ac10b-58cc-4372-a567-0e02b2c3d479",
            "k3j9x0q2m7w5z8e1p4r6",
            &"0".repeat(64),
            &"5eb63bbbe01eeed093cb22bb8f5acdc3".repeat(2),
            VisitorSession::generated([1; 32]).text(),
        ] {
            assert_eq!(KEY.taken_back(text), None, "{text}");
        }
    }

    #[test]
    fn a_session_has_one_spelling_and_shows_itself_in_no_log() {
        let session = KEY.give_out([1; 32]);
        assert_eq!(session.text().len(), 64);
        let spelt = [session.text().to_uppercase(), format!(" {}", session.text()), format!("{}0", session.text())];
        assert_eq!(spelt.map(|text| KEY.taken_back(&text)), [None, None, None]);
        let shown = format!("{session:?} {:?} {KEY:?}", session.conversation());
        assert!(!shown.contains(session.text()) && !shown.contains('7'.to_string().repeat(3).as_str()), "{shown}");
        assert_ne!(session.conversation(), KEY.give_out([2; 32]).conversation());
    }

    proptest! {
        #[test]
        fn what_was_given_out_is_taken_back_by_whoever_holds_the_key_and_by_nobody_else(
            key in any::<[u8; 32]>(), other in any::<[u8; 32]>(), drawn in any::<[u8; 32]>(),
        ) {
            let session = VisitorKey::new(key).give_out(drawn);
            prop_assert_eq!(VisitorKey::new(key).taken_back(session.text()), Some(session.clone()));
            prop_assume!(key != other);
            prop_assert_eq!(VisitorKey::new(other).taken_back(session.text()), None);
        }

        #[test]
        fn a_session_with_another_digit_is_none(drawn in any::<[u8; 32]>(), at in 0_usize..64, by in 1_u8..16) {
            let mut text = KEY.give_out(drawn).text().to_owned().into_bytes();
            let digits = b"0123456789abcdef";
            let now = digits.iter().position(|digit| *digit == text[at]).unwrap();
            text[at] = digits[(now + usize::from(by)) % 16];
            prop_assert_eq!(KEY.taken_back(std::str::from_utf8(&text).unwrap()), None);
        }

        #[test]
        fn no_text_panics_and_none_is_a_session(text in any::<String>(), digits in "[0-9a-f]{64}") {
            prop_assert_eq!(KEY.taken_back(&text), None);
            prop_assert_eq!(KEY.taken_back(&digits), None);
        }
    }
}
