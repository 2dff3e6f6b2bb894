use time::{Duration, OffsetDateTime};

use super::{SecretDigest, SessionId, UserId};
use crate::shared::hex;

/// What a page exchanges for a socket of its user's, in place of the access token: it is good once, for moments, from the page it
/// was given to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SocketTicket {
    /// Whose socket it will be.
    pub user: UserId,
    /// The session that asked for it: the ticket ends with it.
    pub session: SessionId,
    /// Until when the socket is the user's: the end of the access token that asked for it.
    pub until: OffsetDateTime,
    /// The `Origin` that asked for it; `None` for programs, which send none.
    pub origin: Option<String>,
}

impl SocketTicket {
    /// How long it is kept.
    pub const GOOD_FOR: Duration = Duration::seconds(30);
    /// The length of its text: 256 bits in hexadecimal digits.
    pub const TEXT_LEN: usize = 64;

    const PURPOSE: &str = "socket ticket";

    /// As it is given out.
    #[must_use]
    pub fn text_of(secret: &[u8; 32]) -> String {
        hex::lower(secret)
    }

    /// What it is kept under; `None` for a text that is no ticket of ours.
    #[must_use]
    pub fn digest_of(text: &str) -> Option<SecretDigest> {
        let is_ours = text.len() == Self::TEXT_LEN && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        is_ours.then(|| SecretDigest::of(Self::PURPOSE, text.as_bytes()))
    }

    /// Whether a socket that a page of `origin` opens may be the user's at `now`.
    #[must_use]
    pub fn admits(&self, origin: Option<&str>, now: OffsetDateTime) -> bool {
        self.origin.as_deref() == origin && now < self.until
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use time::macros::datetime;
    use uuid::Uuid;

    const NOON: OffsetDateTime = datetime!(2026-11-21 12:00 UTC);

    fn ticket(origin: Option<&str>) -> SocketTicket {
        let (user, session) = (UserId(Uuid::from_u128(1)), SessionId(Uuid::from_u128(2)));
        SocketTicket { user, session, until: NOON, origin: origin.map(str::to_owned) }
    }

    #[test]
    fn a_ticket_is_good_from_its_own_page_alone() {
        let before = NOON - Duration::SECOND;
        assert!(ticket(Some("https://app.example")).admits(Some("https://app.example"), before));
        assert!(ticket(None).admits(None, before));
        for (of, shown) in [
            (Some("https://app.example"), Some("https://app.example:8443")),
            (Some("https://app.example"), Some("http://app.example")),
            (Some("https://app.example"), None),
            (None, Some("https://app.example")),
            (None, Some("null")),
        ] {
            assert!(!ticket(of).admits(shown, before), "{of:?} shown by {shown:?}");
        }
    }

    #[test]
    fn it_opens_nothing_that_the_token_behind_it_would_not() {
        assert!(!ticket(None).admits(None, NOON));
    }

    proptest! {
        #[test]
        fn what_is_given_out_is_found_again_and_no_other_text_panics(secret: [u8; 32], text in ".{0,80}") {
            let given = SocketTicket::text_of(&secret);
            prop_assert_eq!(given.len(), SocketTicket::TEXT_LEN);
            prop_assert!(SocketTicket::digest_of(&given).is_some());
            prop_assert!(SocketTicket::digest_of(&given.to_uppercase()).is_none() || given == given.to_uppercase());
            let _ = SocketTicket::digest_of(&text);
        }
    }
}
