use coinlink_application::identity::{LinkError, ResetPasswordError};
use coinlink_domain::identity::{EndReason, GuardKey, guard_keys};
use coinlink_ports::identity::IdentityStore as _;
use coinlink_testkit::identity::{an_api_key, an_email};
use time::Duration;

use super::{Letter, browser};
use crate::support::{ADA, GOOD, Identity, client, password};

const NEW: &str = "Another-horse-8-stable";

async fn asked(identity: &Identity) -> Letter {
    identity.links.ask.forgot_password(&an_email(ADA), browser(2), &client("192.0.2.1")).await.unwrap();
    identity.letter(ADA, "reset_password")
}

#[tokio::test(start_paused = true)]
async fn a_reset_sets_the_password_ends_all_sessions_and_signs_nobody_in() {
    let identity = Identity::new();
    let here = identity.verified(ADA, GOOD).await;
    let letter = asked(&identity).await;
    let sessions = identity.store.sessions().len();
    identity.links.reset_password.execute(&letter.inside(browser(2)), &password(NEW), &client("192.0.2.1")).await.unwrap();
    assert_eq!(identity.store.sessions().len(), sessions, "nobody is signed in");
    assert!(identity.store.sessions().iter().all(|session| session.ended.unwrap().reason == EndReason::PasswordChanged));
    assert!(identity.is_revoked(&here) && identity.signs_in(ADA, GOOD).await.is_err());
    identity.signs_in(ADA, NEW).await.unwrap();
    let told = identity.letters(ADA, "password_changed");
    assert_eq!(
        (told.len(), told[0].fields["ip"].as_str(), told[0].fields["device"].as_str()),
        (1, "192.0.2.1", "unknown device")
    );
    let again = identity.links.reset_password.execute(&letter.inside(browser(2)), &password(GOOD), &client("192.0.2.1")).await;
    assert!(matches!(again, Err(ResetPasswordError::Link(LinkError::Invalid))));
}

#[tokio::test(start_paused = true)]
async fn a_reset_revokes_the_keys_of_the_account_and_says_how_many() {
    let identity = Identity::new();
    let (ada, bob) = (identity.verified(ADA, GOOD).await.user.id, identity.verified("bob@example.org", GOOD).await.user.id);
    for user in [ada, ada, bob] {
        identity.store.put_api_key(&an_api_key(user));
    }
    let letter = asked(&identity).await;
    identity.links.reset_password.execute(&letter.inside(browser(2)), &password(NEW), &client("192.0.2.1")).await.unwrap();
    let good: Vec<_> = identity.store.api_keys().into_iter().filter(|key| key.revoked_at.is_none()).map(|key| key.user).collect();
    assert_eq!(good, [bob]);
    let reset = identity.store.audit().into_iter().rfind(|entry| entry.action == "auth.password_reset").unwrap();
    assert_eq!(reset.details["api_keys_revoked"], "2");
}

#[tokio::test(start_paused = true)]
async fn a_reset_in_another_browser_takes_the_code() {
    let identity = Identity::new();
    identity.verified(ADA, GOOD).await;
    let letter = asked(&identity).await;
    for stranger in [letter.anywhere(), letter.inside(browser(7))] {
        let refused = identity.links.reset_password.execute(&stranger, &password(NEW), &client("203.0.113.9")).await;
        assert!(matches!(refused, Err(ResetPasswordError::Link(LinkError::CodeRequired))));
    }
    identity.links.reset_password.execute(&letter.by_hand(), &password(NEW), &client("192.0.2.1")).await.unwrap();
    identity.signs_in(ADA, NEW).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_weak_password_leaves_the_link_good_and_half_an_hour_does_not() {
    let identity = Identity::new();
    identity.verified(ADA, GOOD).await;
    let opening = asked(&identity).await.inside(browser(2));
    let weak = identity.links.reset_password.execute(&opening, &password("short"), &client("192.0.2.1")).await;
    assert!(matches!(weak, Err(ResetPasswordError::WeakPassword(_))));
    identity.clock.advance(Duration::minutes(30));
    let late = identity.links.reset_password.execute(&opening, &password(NEW), &client("192.0.2.1")).await;
    assert!(matches!(late, Err(ResetPasswordError::Link(LinkError::Invalid))));
}

#[tokio::test(start_paused = true)]
async fn whoever_resets_the_password_is_known_there_and_let_in_whatever_goes_on() {
    let identity = Identity::new();
    identity.verified(ADA, GOOD).await;
    for _ in 0..30 {
        let _ = identity.signs_in_from(ADA, "guess", "192.0.2.1", None).await;
    }
    let opening = asked(&identity).await.inside(browser(2));
    let device = identity.links.reset_password.execute(&opening, &password(NEW), &client("192.0.2.1")).await.unwrap();
    let mut tx = identity.store.begin().await.unwrap();
    let keys = guard_keys(&an_email(ADA), Some("192.0.2.1".parse().unwrap()), None);
    let of_account: Vec<_> = keys.into_iter().filter(|key| !matches!(key, GuardKey::Address(_))).collect();
    assert_eq!(of_account.len(), 2, "the account's, and its from that address");
    for key in of_account {
        assert_eq!(tx.guards().attempts(&key).await.unwrap().failures, 0, "{key:?}");
    }
    drop(tx);
    for _ in 0..60 {
        let _ = identity.signs_in_from(ADA, "guess", "192.0.2.1", None).await;
    }
    identity.signs_in_from(ADA, NEW, "192.0.2.1", Some(&device.0)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_link_for_one_thing_does_nothing_else() {
    let identity = Identity::new();
    identity.signs_up_in(ADA, GOOD, browser(2)).await.unwrap();
    let verify = identity.letter(ADA, "verify_email").inside(browser(2));
    let reset = asked(&identity).await.inside(browser(2));
    let crossed = identity.links.reset_password.execute(&verify, &password(NEW), &client("192.0.2.1")).await;
    assert!(matches!(crossed, Err(ResetPasswordError::Link(LinkError::Invalid))));
    assert!(matches!(identity.links.change_email.confirm(&reset, &client("192.0.2.1")).await, Err(LinkError::Invalid)));
}

#[tokio::test(start_paused = true)]
async fn an_account_that_is_switched_off_gets_no_letter_and_its_link_does_nothing() {
    let identity = Identity::new();
    identity.verified(ADA, GOOD).await;
    let opening = asked(&identity).await.inside(browser(2));
    let mut account = identity.store.accounts().remove(0);
    account.user.is_active = false;
    identity.store.put_account(&account);
    let refused = identity.links.reset_password.execute(&opening, &password(NEW), &client("192.0.2.1")).await;
    assert!(matches!(refused, Err(ResetPasswordError::Link(LinkError::Invalid))));
    let before = identity.store.mails().len();
    identity.links.ask.forgot_password(&an_email(ADA), browser(2), &client("192.0.2.1")).await.unwrap();
    assert_eq!(identity.store.mails().len(), before);
}
