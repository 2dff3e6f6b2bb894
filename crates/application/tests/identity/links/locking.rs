use coinlink_application::identity::SignInError;
use coinlink_testkit::identity::an_email;
use time::Duration;

use super::browser;
use crate::support::{ADA, GOOD, Identity, client, password};

const NEW: &str = "Another-horse-8-stable";

/// Guesses until no further one is checked.
async fn attacked(identity: &Identity, email: &str) {
    for attempt in 0..250_u32 {
        let ip = format!("203.0.113.{}", attempt % 250);
        assert!(matches!(identity.signs_in_from(email, "guess", &ip, None).await, Err(SignInError::InvalidCredentials)));
        identity.clock.advance(Duration::minutes(16));
    }
}

fn checked(identity: &Identity) -> usize {
    let reasons = ["wrong_password", "unknown_account"];
    let audit = identity.store.audit();
    audit.iter().filter(|entry| entry.details.get("reason").is_some_and(|why| reasons.contains(&why.as_str()))).count()
}

#[tokio::test(start_paused = true)]
async fn after_a_hundred_failures_only_known_devices_and_a_reset_get_in() {
    let identity = Identity::new();
    let device = identity.verified(ADA, GOOD).await.device_token.0;
    attacked(&identity, ADA).await;
    assert_eq!(checked(&identity), 100);
    let mail = identity.letters(ADA, "sign_in_locked");
    assert_eq!((mail.len(), mail[0].fields["reset_link"].as_str()), (1, "https://api.example.com/account/reset"));
    identity.clock.advance(Duration::days(30));
    assert!(matches!(identity.signs_in(ADA, GOOD).await, Err(SignInError::InvalidCredentials)), "as wrong as any");
    identity.signs_in_from(ADA, GOOD, "198.51.100.7", Some(&device)).await.unwrap();
    assert!(identity.signs_in(ADA, GOOD).await.is_err(), "which does not open it to others");
    identity.links.ask.forgot_password(&an_email(ADA), browser(2), &client("192.0.2.1")).await.unwrap();
    let opening = identity.letter(ADA, "reset_password").inside(browser(2));
    identity.links.reset_password.execute(&opening, &password(NEW), &client("192.0.2.1")).await.unwrap();
    identity.signs_in_from(ADA, NEW, "198.51.100.8", None).await.unwrap();
}

#[tokio::test]
async fn an_address_without_an_account_is_locked_alike_and_nobody_is_told() {
    let identity = Identity::new();
    attacked(&identity, "nobody@example.org").await;
    assert_eq!((checked(&identity), identity.store.mails().len()), (100, 0));
}

#[tokio::test]
async fn owners_hear_of_devices_they_do_not_know_and_of_no_others() {
    let identity = Identity::new();
    let device = identity.verified(ADA, GOOD).await.device_token.0;
    assert!(identity.letters(ADA, "new_device").is_empty(), "that which signed up is known");
    identity.signs_in_from(ADA, GOOD, "192.0.2.1", Some(&device)).await.unwrap();
    identity.signs_in_from(ADA, GOOD, "198.51.100.7", Some(&device)).await.unwrap();
    assert!(identity.letters(ADA, "new_device").is_empty());
    identity.signs_in_from(ADA, GOOD, "203.0.113.9", None).await.unwrap();
    let told = identity.letters(ADA, "new_device");
    assert_eq!((told.len(), told[0].fields["ip"].as_str()), (1, "203.0.113.9"));
    assert_eq!(told[0].fields["when"], "2026-01-01T12:00:00Z");
}

#[tokio::test]
async fn owners_hear_of_a_session_that_was_ended_because_two_held_its_tokens() {
    let identity = Identity::new();
    let first = identity.verified(ADA, GOOD).await.tokens.refresh.0;
    let second = identity.refreshes(&first, None).await.unwrap().refresh.0;
    identity.refreshes(&second, None).await.unwrap();
    assert!(identity.refreshes(&first, None).await.is_err());
    assert_eq!(identity.letters(ADA, "session_ended_reuse").len(), 1);
}

#[tokio::test]
async fn who_merely_claims_an_address_sends_its_owner_nothing() {
    let identity = Identity::strict();
    identity.verified(ADA, GOOD).await;
    let claimant = identity.signs_up_in(ADA, GOOD, browser(6)).await.unwrap();
    let before = identity.store.mails().len();
    let who = (claimant.user.id, claimant.tokens.session);
    identity.change_password.execute(who, &password(GOOD), &password(NEW), false, &client("203.0.113.9")).await.unwrap();
    assert_eq!(identity.store.mails().len(), before);
}
