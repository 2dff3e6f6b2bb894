use coinlink_application::identity::{LinkError, VerifyEmailError};
use coinlink_domain::identity::{LinkCode, LinkPurpose};
use coinlink_testkit::identity::an_email;
use time::Duration;

use super::browser;
use crate::support::{ADA, GOOD, Identity, client, password};

const NEW: &str = "Another-horse-8-stable";

#[tokio::test]
async fn fifty_looks_and_a_form_without_a_browser_change_nothing_and_then_the_person_succeeds() {
    let identity = Identity::new();
    identity.signs_up_in(ADA, GOOD, browser(1)).await.unwrap();
    let letter = identity.letter(ADA, "verify_email");
    let before = (identity.store.users(), identity.store.mail_links(), identity.store.audit().len());
    for _ in 0..50 {
        let view = identity.links.look.execute(&letter.anywhere(), LinkPurpose::VerifyEmail).await.unwrap().unwrap();
        assert_eq!((view.email.as_str(), view.code_needed), ("a…@example.org", true));
        assert_eq!(identity.links.look.is_verified(&letter.anywhere()).await.unwrap(), Some(false));
    }
    let scripted = identity.links.verify_email.execute(&letter.anywhere(), Some(&password(NEW)), &client("203.0.113.9")).await;
    assert!(matches!(scripted, Err(VerifyEmailError::Link(LinkError::CodeRequired))));
    assert_eq!((identity.store.users(), identity.store.mail_links(), identity.store.audit().len()), before);
    let person = letter.inside(browser(1));
    assert!(!identity.links.look.execute(&person, LinkPurpose::VerifyEmail).await.unwrap().unwrap().code_needed);
    identity.links.verify_email.execute(&person, None, &client("192.0.2.1")).await.unwrap();
    assert!(identity.owner(ADA).unwrap().is_verified);
    assert_eq!(identity.links.look.is_verified(&letter.anywhere()).await.unwrap(), Some(true), "by then");
    identity.signs_in(ADA, GOOD).await.unwrap();
}

#[tokio::test]
async fn the_session_that_signed_up_verifies_and_another_ones_does_not() {
    let identity = Identity::new();
    let here = identity.signs_up(ADA).await.unwrap();
    let there = identity.signs_in(ADA, GOOD).await.unwrap();
    let letter = identity.letter(ADA, "verify_email");
    let refused = identity.links.verify_email.execute(&letter.in_session(there.tokens.session), None, &client("192.0.2.1")).await;
    assert!(matches!(refused, Err(VerifyEmailError::Link(LinkError::CodeRequired))));
    identity.links.verify_email.execute(&letter.in_session(here.tokens.session), None, &client("192.0.2.1")).await.unwrap();
    assert!(identity.owner(ADA).unwrap().is_verified);
}

#[tokio::test]
async fn of_fifty_who_use_a_link_at_once_one_does() {
    let identity = std::sync::Arc::new(Identity::new());
    identity.signs_up_in(ADA, GOOD, browser(1)).await.unwrap();
    let opening = identity.letter(ADA, "verify_email").inside(browser(1));
    let tries = (0..50).map(|_| {
        let (identity, opening) = (identity.clone(), opening.clone());
        tokio::spawn(async move { identity.links.verify_email.execute(&opening, None, &client("192.0.2.1")).await })
    });
    let mut used = 0;
    for attempt in tries.collect::<Vec<_>>() {
        used += u32::from(attempt.await.unwrap().is_ok());
    }
    assert_eq!(used, 1);
    assert_eq!(identity.audited().iter().filter(|(action, _)| action == "auth.email_verify").count(), 1);
}

#[tokio::test]
async fn five_wrong_codes_void_a_link() {
    let identity = Identity::new();
    identity.signs_up_in(ADA, GOOD, browser(1)).await.unwrap();
    let letter = identity.letter(ADA, "verify_email");
    let new = password(NEW);
    for wrong in ["00000000", "11111111", "2222-2222", "3333 3333", "99999999"] {
        let refused = identity.links.verify_email.execute(&letter.with_code(wrong), Some(&new), &client("203.0.113.9")).await;
        assert!(matches!(refused, Err(VerifyEmailError::Link(LinkError::WrongCode(_)))), "{wrong}");
    }
    for late in [letter.by_hand(), letter.inside(browser(1))] {
        let refused = identity.links.verify_email.execute(&late, Some(&new), &client("192.0.2.1")).await;
        assert!(matches!(refused, Err(VerifyEmailError::Link(LinkError::Invalid))));
    }
    assert!(!identity.owner(ADA).unwrap().is_verified);
}

#[tokio::test]
async fn the_session_that_signed_up_verifies_by_the_code_alone_with_five_tries() {
    let identity = Identity::new();
    let here = identity.signs_up(ADA).await.unwrap();
    let there = identity.signs_in(ADA, GOOD).await.unwrap();
    let code = LinkCode::from_text(&identity.letter(ADA, "verify_email").code);
    let by_code =
        async |session, code| identity.links.verify_email.by_code((here.user.id, session), code, &client("192.0.2.1")).await;
    let elsewhere = by_code(there.tokens.session, code.clone()).await;
    assert!(matches!(elsewhere, Err(VerifyEmailError::Link(LinkError::Invalid))));
    for left in (0..5).rev() {
        let wrong = by_code(here.tokens.session, LinkCode::from_text("00000000")).await;
        assert!(matches!(wrong, Err(VerifyEmailError::Link(LinkError::WrongCode(tries))) if tries == left));
    }
    let late = by_code(here.tokens.session, code).await;
    assert!(matches!(late, Err(VerifyEmailError::Link(LinkError::Invalid))));
    let who = (here.user.id, here.tokens.session);
    identity.links.ask.resend_own(who, browser(1), &client("192.0.2.1")).await.unwrap();
    let code = LinkCode::from_text(&identity.letter(ADA, "verify_email").code);
    by_code(here.tokens.session, code).await.unwrap();
    assert!(identity.owner(ADA).unwrap().is_verified);
    identity.signs_in(ADA, GOOD).await.unwrap();
}

#[tokio::test]
async fn a_code_takes_a_new_password_and_a_good_one_and_the_link_stays_good_until_then() {
    let identity = Identity::new();
    identity.signs_up_in(ADA, GOOD, browser(1)).await.unwrap();
    let letter = identity.letter(ADA, "verify_email");
    let verify = &identity.links.verify_email;
    let bare = verify.execute(&letter.by_hand(), None, &client("192.0.2.1")).await;
    assert!(matches!(bare, Err(VerifyEmailError::PasswordRequired)));
    let weak = verify.execute(&letter.by_hand(), Some(&password("short")), &client("192.0.2.1")).await;
    assert!(matches!(weak, Err(VerifyEmailError::WeakPassword(_))));
    verify.execute(&letter.by_hand(), Some(&password(NEW)), &client("192.0.2.1")).await.unwrap();
    identity.signs_in(ADA, NEW).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_new_letter_voids_the_one_before_and_time_voids_any() {
    let identity = Identity::new();
    let here = identity.signs_up_in(ADA, GOOD, browser(1)).await.unwrap();
    let first = identity.letter(ADA, "verify_email");
    let who = (here.user.id, here.tokens.session);
    identity.links.ask.resend_own(who, browser(2), &client("192.0.2.1")).await.unwrap();
    let second = identity.letter(ADA, "verify_email");
    let voided = identity.links.verify_email.execute(&first.inside(browser(1)), None, &client("192.0.2.1")).await;
    assert!(matches!(voided, Err(VerifyEmailError::Link(LinkError::Invalid))));
    identity.clock.advance(Duration::hours(24));
    let late = identity.links.verify_email.execute(&second.inside(browser(2)), None, &client("192.0.2.1")).await;
    assert!(matches!(late, Err(VerifyEmailError::Link(LinkError::Invalid))));
    identity.links.ask.resend_own(who, browser(2), &client("192.0.2.1")).await.unwrap();
    let third = identity.letter(ADA, "verify_email").inside(browser(2));
    identity.links.verify_email.execute(&third, None, &client("192.0.2.1")).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn who_asks_by_address_alone_gets_no_link_that_does_without_its_code() {
    let identity = Identity::new();
    identity.signs_up_in(ADA, GOOD, browser(1)).await.unwrap();
    identity.links.ask.resend(&an_email(ADA), &client("203.0.113.9")).await.unwrap();
    let letter = identity.letter(ADA, "verify_email");
    for opening in [letter.inside(browser(1)), letter.inside(browser(2)), letter.anywhere()] {
        let refused = identity.links.verify_email.execute(&opening, None, &client("192.0.2.1")).await;
        assert!(matches!(refused, Err(VerifyEmailError::Link(LinkError::CodeRequired))));
    }
}

#[tokio::test(start_paused = true)]
async fn an_address_gets_three_letters_an_hour_and_nobody_is_told() {
    let identity = Identity::new();
    identity.signs_up(ADA).await.unwrap();
    for _ in 0..10 {
        identity.links.ask.resend(&an_email(ADA), &client("203.0.113.9")).await.unwrap();
        identity.links.ask.forgot_password(&an_email(ADA), browser(9), &client("203.0.113.9")).await.unwrap();
    }
    assert_eq!(identity.letters(ADA, "verify_email").len(), 3);
    assert_eq!(identity.letters(ADA, "reset_password").len(), 3);
    identity.clock.advance(Duration::hours(1) + Duration::SECOND);
    identity.links.ask.forgot_password(&an_email(ADA), browser(9), &client("203.0.113.9")).await.unwrap();
    assert_eq!(identity.letters(ADA, "reset_password").len(), 4);
}

#[tokio::test(start_paused = true)]
async fn unknown_and_verified_addresses_get_nothing_and_both_are_written_down() {
    let identity = Identity::new();
    identity.verified(ADA, GOOD).await;
    let before = identity.store.mails().len();
    for email in [ADA, "nobody@example.org"] {
        identity.links.ask.resend(&an_email(email), &client("203.0.113.9")).await.unwrap();
    }
    identity.links.ask.forgot_password(&an_email("nobody@example.org"), browser(9), &client("203.0.113.9")).await.unwrap();
    assert_eq!(identity.store.mails().len(), before);
    let reasons: Vec<_> = identity.store.audit().into_iter().rev().take(3).map(|entry| entry.details["reason"].clone()).collect();
    assert_eq!(reasons, ["unknown_account", "unknown_account", "verified_already"]);
}

#[tokio::test]
async fn the_rule_for_verified_addresses_asks_only_where_it_is_set() {
    for (identity, required) in [(Identity::new(), false), (Identity::strict(), true)] {
        let here = identity.signs_up_in(ADA, GOOD, browser(1)).await.unwrap();
        assert_eq!(identity.verified_email.execute(here.user.id).await.unwrap(), !required);
        let opening = identity.letter(ADA, "verify_email").inside(browser(1));
        identity.links.verify_email.execute(&opening, None, &client("192.0.2.1")).await.unwrap();
        assert!(identity.verified_email.execute(here.user.id).await.unwrap());
    }
}
