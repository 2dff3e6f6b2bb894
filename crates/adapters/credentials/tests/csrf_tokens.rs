//! The tokens pages send back.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use coinlink_credentials::{CredentialsError, HmacCsrfTokens};
use coinlink_domain::identity::SessionId;
use coinlink_ports::identity::CsrfTokens as _;
use proptest::prelude::*;
use secrecy::SecretString;
use uuid::Uuid;

fn tokens(secret: &str) -> HmacCsrfTokens {
    HmacCsrfTokens::new(&SecretString::from(secret)).unwrap()
}

fn ours() -> HmacCsrfTokens {
    tokens("a secret of at least thirty-two bytes")
}

#[test]
fn a_token_is_its_sessions_under_this_key_alone() {
    let (session, other) = (SessionId(Uuid::from_u128(1)), SessionId(Uuid::from_u128(2)));
    let token = ours().mint(session);
    assert!(ours().belongs(&token, session), "another node makes the same");
    assert!(!ours().belongs(&token, other));
    assert!(!tokens("another secret of at least thirty-two").belongs(&token, session));
    assert_eq!(token.len(), 64);
    assert!(!token.contains(&session.0.simple().to_string()));
}

#[test]
fn a_short_secret_makes_no_tokens() {
    let refused = HmacCsrfTokens::new(&SecretString::from("s".repeat(31)));
    assert!(matches!(refused.err(), Some(CredentialsError::ShortSecret)));
}

proptest! {
    #[test]
    fn whatever_else_is_presented_is_no_token(presented in "\\PC{0,80}", session: u128) {
        prop_assert!(!ours().belongs(&presented, SessionId(Uuid::from_u128(session))));
    }

    #[test]
    fn a_token_that_differs_by_anything_is_none(session: u128, at in 0..64_usize, cut in 0..64_usize) {
        let session = SessionId(Uuid::from_u128(session));
        let token = ours().mint(session);
        let mut bytes = token.clone().into_bytes();
        bytes[at] ^= 1;
        prop_assert!(!ours().belongs(std::str::from_utf8(&bytes).unwrap(), session));
        prop_assert!(!ours().belongs(&token[..cut], session));
        let longer = format!("{token}0");
        prop_assert!(!ours().belongs(&longer, session));
        prop_assert!(!ours().belongs(&token.to_uppercase(), session) || token == token.to_uppercase());
    }
}
