use coinlink_application::identity::{ChangeEmailError, LinkError, SignedIn, UndoEmailChangeError};
use coinlink_domain::identity::EndReason;
use coinlink_testkit::identity::an_email;
use time::Duration;

use super::{Letter, browser};
use crate::support::{ADA, GOOD, Identity, client, password};

const OTHER: &str = "ada@example.com";
const NEW: &str = "Another-horse-8-stable";

async fn asks(identity: &Identity, who: &SignedIn, new: &str, word: &str) -> Result<(), ChangeEmailError> {
    let session = (who.user.id, who.tokens.session);
    let client = client("192.0.2.1");
    identity.links.change_email.ask(session, &an_email(new), &password(word), browser(1), &client).await
}

async fn changed(identity: &Identity, who: &SignedIn, to: &str) -> Letter {
    asks(identity, who, to, GOOD).await.unwrap();
    let opening = identity.letter(to, "confirm_email_change").inside(browser(1));
    identity.links.change_email.confirm(&opening, &client("192.0.2.1")).await.unwrap();
    let old = identity.store.mails().into_iter().rev().find(|mail| mail.template == "undo_email_change").unwrap();
    identity.letter(&old.to, "undo_email_change")
}

#[tokio::test]
async fn an_address_changes_once_its_owner_confirms_and_other_sessions_end() {
    let identity = Identity::new();
    let here = identity.verified(ADA, GOOD).await;
    let there = identity.signs_in(ADA, GOOD).await.unwrap();
    asks(&identity, &here, OTHER, GOOD).await.unwrap();
    assert_eq!(identity.owner(ADA).unwrap().id, here.user.id, "nothing changes until then");
    let letter = identity.letter(OTHER, "confirm_email_change");
    assert_eq!(identity.letters(OTHER, "confirm_email_change")[0].fields["old_email"], ADA);
    let scanned = identity.links.change_email.confirm(&letter.anywhere(), &client("203.0.113.9")).await;
    assert!(matches!(scanned, Err(LinkError::AskedElsewhere)));
    identity.links.change_email.confirm(&letter.inside(browser(1)), &client("192.0.2.1")).await.unwrap();
    let user = identity.owner(OTHER).unwrap();
    assert!(user.is_verified && identity.owner(ADA).is_none());
    assert!(identity.is_revoked(&there) && !identity.is_revoked(&here));
    let over: Vec<_> = identity.store.sessions().into_iter().filter_map(|session| session.ended).collect();
    assert!(over.iter().all(|ending| ending.reason == EndReason::EmailChanged));
    assert_eq!(identity.letters(ADA, "undo_email_change")[0].fields["new_email"], OTHER);
    identity.signs_in(OTHER, GOOD).await.unwrap();
    assert!(identity.signs_in(ADA, GOOD).await.is_err());
}

#[tokio::test]
async fn it_takes_the_password_and_another_address() {
    let identity = Identity::new();
    let here = identity.verified(ADA, GOOD).await;
    assert!(matches!(asks(&identity, &here, OTHER, "wrong").await, Err(ChangeEmailError::WrongPassword)));
    assert!(matches!(asks(&identity, &here, ADA, GOOD).await, Err(ChangeEmailError::Unchanged)));
    identity.everywhere.execute(here.user.id, false, &client("192.0.2.1")).await.unwrap();
    assert!(matches!(asks(&identity, &here, OTHER, GOOD).await, Err(ChangeEmailError::NoAccount)));
    assert!(identity.letters(OTHER, "confirm_email_change").is_empty());
}

#[tokio::test]
async fn whether_the_address_is_taken_is_not_told_and_its_owner_is() {
    let identity = Identity::new();
    let here = identity.verified(ADA, GOOD).await;
    identity.verified("eve@example.org", GOOD).await;
    let mut calls = Vec::new();
    for email in ["eve@example.org", OTHER] {
        let before = identity.store.calls();
        asks(&identity, &here, email, GOOD).await.unwrap();
        calls.push(identity.store.calls() - before);
    }
    assert_eq!(calls[0], calls[1]);
    assert_eq!(identity.letters("eve@example.org", "already_registered").len(), 1);
    assert!(identity.letters("eve@example.org", "confirm_email_change").is_empty());
}

#[tokio::test]
async fn an_address_that_was_taken_meanwhile_stays_its_owners() {
    let identity = Identity::new();
    let here = identity.verified(ADA, GOOD).await;
    asks(&identity, &here, OTHER, GOOD).await.unwrap();
    identity.signs_up(OTHER).await.unwrap();
    let opening = identity.letter(OTHER, "confirm_email_change").inside(browser(1));
    assert!(matches!(identity.links.change_email.confirm(&opening, &client("192.0.2.1")).await, Err(LinkError::Invalid)));
    assert_eq!(identity.owner(ADA).unwrap().id, here.user.id);
}

#[tokio::test]
async fn the_old_address_takes_the_change_back_and_the_account_with_it() {
    let identity = Identity::new();
    let thief = identity.verified(ADA, GOOD).await;
    let undo = changed(&identity, &thief, OTHER).await;
    let scanned = identity.links.undo_email_change.execute(&undo.anywhere(), &client("203.0.113.9")).await;
    assert!(scanned.is_err());
    identity.clock.advance(Duration::days(7) - Duration::SECOND);
    identity.links.undo_email_change.execute(&undo.by_hand(), &client("192.0.2.1")).await.unwrap();
    assert_eq!(identity.owner(ADA).unwrap().id, thief.user.id);
    assert!(identity.is_revoked(&thief) && identity.signs_in(ADA, GOOD).await.is_err(), "the thief knew the password");
    assert!(identity.letters(ADA, "reset_password").is_empty(), "one letter tells it all");
    let reset = identity.letter(ADA, "email_changed_back").by_hand();
    identity.links.reset_password.execute(&reset, &password(NEW), &client("192.0.2.1")).await.unwrap();
    identity.signs_in(ADA, NEW).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn whatever_a_thief_does_next_the_first_one_who_lost_the_account_gets_it_back() {
    let identity = Identity::new();
    let thief = identity.verified(ADA, GOOD).await;
    let owners = changed(&identity, &thief, OTHER).await;
    identity.clock.advance(Duration::MINUTE);
    let thiefs = changed(&identity, &thief, "third@example.org").await;
    identity.links.ask.forgot_password(&an_email("third@example.org"), browser(6), &client("203.0.113.9")).await.unwrap();
    let reset = identity.letter("third@example.org", "reset_password").inside(browser(6));
    identity.links.reset_password.execute(&reset, &password(NEW), &client("203.0.113.9")).await.unwrap();
    identity.links.undo_email_change.execute(&thiefs.by_hand(), &client("203.0.113.9")).await.unwrap();
    assert!(identity.owner(OTHER).is_some());
    // Somebody opens an account with the old address, to stand in the way.
    let squatter = identity.signs_up_in(ADA, GOOD, browser(6)).await.unwrap();
    identity.links.undo_email_change.execute(&owners.by_hand(), &client("192.0.2.1")).await.unwrap();
    assert_eq!(identity.owner(ADA).unwrap().id, thief.user.id);
    assert!(identity.is_revoked(&squatter));
    let spent = identity.links.undo_email_change.execute(&thiefs.by_hand(), &client("203.0.113.9")).await;
    assert!(spent.is_err());
}

#[tokio::test]
async fn guessing_at_what_takes_a_change_back_delays_it_and_never_voids_it() {
    let identity = Identity::new();
    let thief = identity.verified(ADA, GOOD).await;
    let undo = changed(&identity, &thief, OTHER).await;
    let try_it = async |opening| identity.links.undo_email_change.execute(&opening, &client("203.0.113.9")).await;
    for left in (0..5).rev() {
        let wrong = try_it(undo.with_code("00000000")).await;
        assert!(matches!(wrong, Err(UndoEmailChangeError::Link(LinkError::WrongCode(tries))) if tries == left));
    }
    let early = try_it(undo.by_hand()).await;
    assert!(matches!(early, Err(UndoEmailChangeError::Link(LinkError::WrongCode(0)))));
    identity.clock.advance(Duration::minutes(15));
    try_it(undo.by_hand()).await.unwrap();
    assert_eq!(identity.owner(ADA).unwrap().id, thief.user.id);
}

#[tokio::test]
async fn taking_a_change_back_voids_what_could_take_back_a_later_one() {
    let identity = Identity::new();
    let thief = identity.verified(ADA, GOOD).await;
    let owners = changed(&identity, &thief, OTHER).await;
    identity.clock.advance(Duration::MINUTE);
    let thiefs = changed(&identity, &thief, "third@example.org").await;
    identity.links.undo_email_change.execute(&owners.by_hand(), &client("192.0.2.1")).await.unwrap();
    assert!(identity.links.undo_email_change.execute(&thiefs.by_hand(), &client("203.0.113.9")).await.is_err());
    assert_eq!(identity.owner(ADA).unwrap().id, thief.user.id);
}

#[tokio::test]
async fn an_address_that_was_never_verified_has_no_say() {
    let identity = Identity::new();
    let here = identity.signs_up_in(ADA, GOOD, browser(1)).await.unwrap();
    asks(&identity, &here, OTHER, GOOD).await.unwrap();
    let opening = identity.letter(OTHER, "confirm_email_change").inside(browser(1));
    identity.links.change_email.confirm(&opening, &client("192.0.2.1")).await.unwrap();
    assert!(identity.letters(ADA, "undo_email_change").is_empty(), "a typing error must not give the account away");
    assert!(identity.owner(OTHER).unwrap().is_verified);
}
