use std::sync::Arc;

use async_trait::async_trait;
use coinlink_application::identity::SignInError;
use coinlink_domain::identity::{Password, StoredPassword};
use coinlink_ports::identity::{HashError, HashPlace, PasswordCheck, PasswordHasher};
use coinlink_testkit::identity::an_email;
use time::Duration;

use crate::support::{ADA, GOOD, Identity, client, password};

/// Guesses from 50 addresses for an hour; the hasher counts those that were checked against the account.
#[tokio::test]
async fn an_hour_of_guessing_from_fifty_addresses_checks_few_and_never_locks_the_owner_out() {
    let identity = Identity::new();
    let device = identity.signs_up(ADA).await.unwrap().device_token.0;
    let reasons = |wanted: &str| {
        let is_wanted =
            |entry: &coinlink_domain::shared::audit::AuditEntry| entry.details.get("reason").is_some_and(|why| why == wanted);
        identity.store.audit().iter().filter(|entry| is_wanted(entry)).count()
    };
    for minute in 0..60 {
        for address in 0..50 {
            let ip = format!("203.0.113.{address}");
            assert!(matches!(identity.signs_in_from(ADA, "guess", &ip, None).await, Err(SignInError::InvalidCredentials)));
        }
        let owner = identity.signs_in_from(ADA, GOOD, "198.51.100.7", Some(&device)).await;
        assert!(owner.is_ok(), "minute {minute}");
        identity.clock.advance(Duration::minutes(1));
    }
    assert!(reasons("wrong_password") <= 29, "{}", reasons("wrong_password"));
    assert_eq!(reasons("wrong_password") + reasons("delayed"), 3_000);
}

#[tokio::test]
async fn a_right_guess_during_a_delay_is_as_wrong_as_any() {
    let identity = Identity::new();
    identity.signs_up(ADA).await.unwrap();
    for _ in 0..6 {
        let _ = identity.signs_in(ADA, "guess").await;
    }
    assert!(matches!(identity.signs_in(ADA, GOOD).await, Err(SignInError::InvalidCredentials)));
    identity.clock.advance(Duration::seconds(10));
    identity.signs_in(ADA, GOOD).await.unwrap();
}

#[tokio::test]
async fn an_unknown_address_is_counted_like_any() {
    let identity = Identity::new();
    for _ in 0..6 {
        let _ = identity.signs_in("nobody@example.org", "guess").await;
    }
    let before = identity.hasher.calls();
    let _ = identity.signs_in("nobody@example.org", "guess").await;
    assert_eq!(identity.hasher.calls() - before, 1);
    assert_eq!(identity.store.audit().last().unwrap().details["reason"], "delayed");
}

#[tokio::test]
async fn somebody_elses_device_opens_nothing() {
    let identity = Identity::new();
    identity.signs_up(ADA).await.unwrap();
    let eve = identity.signs_up("eve@example.org").await.unwrap().device_token.0;
    for device in [Some(eve.as_str()), Some("rubbish"), None] {
        for _ in 0..3 {
            let _ = identity.signs_in_from(ADA, "guess", "203.0.113.9", device).await;
        }
    }
    assert_eq!(identity.store.audit().last().unwrap().details["reason"], "delayed");
}

#[tokio::test]
async fn a_stolen_device_has_few_guesses_too() {
    let identity = Identity::new();
    let device = identity.signs_up(ADA).await.unwrap().device_token.0;
    for _ in 0..30 {
        let _ = identity.signs_in_from(ADA, "guess", "203.0.113.9", Some(&device)).await;
    }
    let checked =
        identity.store.audit().into_iter().filter(|entry| entry.details.get("reason").is_some_and(|why| why == "wrong_password"));
    assert_eq!(checked.count(), 11);
}

/// Never comes to an end.
struct Endless;

#[async_trait]
impl PasswordHasher for Endless {
    fn place(&self) -> Result<HashPlace, HashError> {
        Ok(HashPlace::new(()))
    }

    async fn hash(&self, _: &Password) -> Result<StoredPassword, HashError> {
        std::future::pending().await
    }

    async fn check(&self, _: &Password, _: Option<&StoredPassword>) -> Result<PasswordCheck, HashError> {
        std::future::pending().await
    }
}

#[tokio::test]
async fn a_guess_whose_maker_hangs_up_is_counted_and_written_down() {
    let mut identity = Identity::new();
    identity.signs_up(ADA).await.unwrap();
    let hasher = Arc::new(Endless);
    Arc::get_mut(&mut identity.sign_in).unwrap().hasher = hasher;
    for _ in 0..6 {
        let left = std::future::ready(());
        let hung_up = identity.sign_in.execute(&an_email(ADA), &password("guess"), None, client("203.0.113.9"), left).await;
        assert!(matches!(hung_up, Err(SignInError::Abandoned)));
    }
    let hasher = identity.hasher.clone();
    Arc::get_mut(&mut identity.sign_in).unwrap().hasher = hasher;
    let _ = identity.signs_in_from(ADA, "guess", "203.0.113.9", None).await;
    let reasons: Vec<_> = identity.store.audit().iter().skip(1).map(|entry| entry.details["reason"].clone()).collect();
    assert_eq!(reasons, [["abandoned"; 6].as_slice(), &["delayed"]].concat());
}
