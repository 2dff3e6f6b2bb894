//! An attacker who opens an account in somebody's name before its owner comes, or after.

use coinlink_application::identity::{LinkError, SignUpError, SignedIn, VerifyEmailError};
use coinlink_domain::identity::EndReason;
use coinlink_testkit::identity::an_email;

use super::browser;
use crate::support::{ADA, GOOD, Identity, client, password};

const EVIL: &str = "Attacker-horse-6-cave";
const NEW: &str = "Another-horse-8-stable";

/// Nothing that the attacker has opens the account of the address.
async fn is_shut_out(identity: &Identity, attacker: &SignedIn) {
    assert!(identity.is_revoked(attacker));
    identity.is_disarmed(attacker.user.id).await;
    assert!(identity.refreshes(&attacker.tokens.refresh.0, None).await.is_err());
    assert!(identity.signs_in(ADA, EVIL).await.is_err());
}

#[tokio::test]
async fn the_attacker_comes_first_and_the_owner_types_the_code() {
    for identity in [Identity::new(), Identity::strict()] {
        let attacker = identity.signs_up_in(ADA, EVIL, browser(6)).await.unwrap();
        identity.arms(&attacker).await;
        let letter = identity.letter(ADA, "verify_email");
        let code = letter.by_hand();
        identity.links.verify_email.execute(&code, Some(&password(NEW)), &client("192.0.2.1")).await.unwrap();
        is_shut_out(&identity, &attacker).await;
        let reasons: Vec<_> = identity.store.sessions().into_iter().filter_map(|session| session.ended).collect();
        assert!(reasons.iter().all(|ending| ending.reason == EndReason::Reclaimed));
        identity.signs_in(ADA, NEW).await.unwrap();
        assert!(identity.owner(ADA).unwrap().is_verified);
    }
}

#[tokio::test(start_paused = true)]
async fn the_attacker_comes_first_and_the_owner_resets_the_password() {
    let identity = Identity::new();
    let attacker = identity.signs_up_in(ADA, EVIL, browser(6)).await.unwrap();
    identity.arms(&attacker).await;
    assert!(matches!(identity.signs_up_in(ADA, GOOD, browser(1)).await, Err(SignUpError::EmailTaken)));
    identity.links.ask.forgot_password(&an_email(ADA), browser(1), &client("192.0.2.1")).await.unwrap();
    let opening = identity.letter(ADA, "reset_password").inside(browser(1));
    let verify = identity.letter(ADA, "verify_email");
    identity.links.reset_password.execute(&opening, &password(NEW), &client("192.0.2.1")).await.unwrap();
    is_shut_out(&identity, &attacker).await;
    assert!(identity.owner(ADA).unwrap().is_verified);
    let late = identity.links.verify_email.execute(&verify.inside(browser(6)), None, &client("203.0.113.9")).await;
    assert!(matches!(late, Err(VerifyEmailError::Link(LinkError::Invalid))), "the other links are void");
    identity.signs_in(ADA, NEW).await.unwrap();
}

#[tokio::test]
async fn the_attacker_comes_first_and_the_owner_signs_up_as_well() {
    let identity = Identity::strict();
    let attacker = identity.signs_up_in(ADA, EVIL, browser(6)).await.unwrap();
    identity.arms(&attacker).await;
    let theirs = identity.letter(ADA, "verify_email");
    let owner = identity.signs_up_in(ADA, GOOD, browser(1)).await.unwrap();
    assert!(identity.owner(ADA).is_none(), "both merely claim it");
    assert!(identity.signs_in(ADA, EVIL).await.is_err() && identity.signs_in(ADA, GOOD).await.is_err());
    let opening = identity.letter(ADA, "verify_email").inside(browser(1));
    identity.links.verify_email.execute(&opening, None, &client("192.0.2.1")).await.unwrap();
    assert_eq!(identity.owner(ADA).unwrap().id, owner.user.id);
    is_shut_out(&identity, &attacker).await;
    assert!(!identity.is_revoked(&owner));
    identity.signs_in(ADA, GOOD).await.unwrap();
    let late = identity.links.verify_email.execute(&theirs.inside(browser(6)), None, &client("203.0.113.9")).await;
    assert!(matches!(late, Err(VerifyEmailError::Link(LinkError::Invalid))));
}

#[tokio::test]
async fn the_owner_comes_first_and_the_attacker_gets_nothing() {
    let identity = Identity::strict();
    let owner = identity.verified(ADA, GOOD).await;
    let attacker = identity.signs_up_in(ADA, EVIL, browser(6)).await.unwrap();
    assert_eq!(identity.letters(ADA, "verify_email").len(), 1, "none for the attacker's account");
    assert_eq!(identity.letters(ADA, "already_registered").len(), 1);
    assert!(identity.signs_in(ADA, EVIL).await.is_err());
    identity.signs_in(ADA, GOOD).await.unwrap();
    assert_eq!(identity.owner(ADA).unwrap().id, owner.user.id);
    assert!(!identity.verified_email.execute(attacker.user.id).await.unwrap());

    let identity = Identity::new();
    identity.verified(ADA, GOOD).await;
    assert!(matches!(identity.signs_up_in(ADA, EVIL, browser(6)).await, Err(SignUpError::EmailTaken)));
}

#[tokio::test(start_paused = true)]
async fn the_owner_comes_first_and_is_not_verified_yet() {
    let identity = Identity::strict();
    let owner = identity.signs_up_in(ADA, GOOD, browser(1)).await.unwrap();
    let letter = identity.letter(ADA, "verify_email");
    let attacker = identity.signs_up_in(ADA, EVIL, browser(6)).await.unwrap();
    identity.arms(&attacker).await;
    // The attacker asks again and again; letters go to the owner of the mailbox, and the owner's link stays good.
    let who = (attacker.user.id, attacker.tokens.session);
    identity.links.ask.resend_own(who, browser(6), &client("203.0.113.9")).await.unwrap();
    identity.links.verify_email.execute(&letter.inside(browser(1)), None, &client("192.0.2.1")).await.unwrap();
    assert_eq!(identity.owner(ADA).unwrap().id, owner.user.id);
    is_shut_out(&identity, &attacker).await;
    let before = identity.store.mails().len();
    identity.links.ask.resend_own(who, browser(6), &client("203.0.113.9")).await.unwrap();
    assert_eq!(identity.store.mails().len(), before, "nor is anything sent for it any more");
}

#[tokio::test]
async fn whether_an_address_is_taken_shows_in_nothing_that_signing_up_does() {
    let identity = Identity::strict();
    identity.verified(ADA, GOOD).await;
    let counts = |identity: &Identity| {
        let store = &identity.store;
        (store.users().len(), store.sessions().len(), store.mail_links().len(), store.mails().len(), store.audit().len())
    };
    let mut added = Vec::new();
    for email in [ADA, "new@example.org"] {
        let (before, calls) = (counts(&identity), identity.store.calls());
        let there = identity.signs_up_in(email, GOOD, browser(3)).await.unwrap();
        assert!(!there.user.owns_email && !there.user.is_verified);
        let after = counts(&identity);
        added.push((after.0 - before.0, after.1 - before.1, after.2 - before.2, after.3 - before.3, after.4 - before.4));
        added.push((identity.store.calls() - calls, 0, 0, 0, 0));
    }
    assert_eq!(added[..2], added[2..]);
}
