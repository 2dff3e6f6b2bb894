use coinlink_application::identity::{FactorProof, SecondFactorError, SignInError};
use coinlink_domain::{
    identity::{EndReason, OneTimeSecret, SignInTicket},
    shared::audit::AuditStatus,
};
use coinlink_testkit::identity::an_email;
use time::Duration;

use super::{Protected, STEP, shown};
use crate::support::{ADA, GOOD, client, password};

#[tokio::test]
async fn an_account_with_a_second_factor_gets_no_token_without_it() {
    let it = Protected::new().await;
    let sessions = it.identity.store.sessions().len();
    let asked = it.asked().await;
    assert_eq!(asked.expires_in, Duration::minutes(5));
    assert_eq!((it.identity.store.sessions().len(), it.identity.store.users()[0].logins), (sessions, 1));
    assert_eq!(it.identity.audited().last(), Some(&("auth.second_factor_ask".to_owned(), AuditStatus::Success)));

    let signed_in = it.completes(&asked.secret, it.code()).await.unwrap();
    let session = it.identity.store.sessions().into_iter().find(|session| session.id == signed_in.tokens.session).unwrap();
    assert_eq!(session.second_factor_at, Some(it.now()));
    assert_eq!((signed_in.user.logins, it.identity.store.tickets()), (2, 0));
    let entry = it.identity.store.audit().into_iter().next_back().unwrap();
    assert_eq!((&*entry.action, entry.details["second_factor"].as_str()), ("auth.sign_in", "shown"));
}

#[tokio::test]
async fn a_ticket_is_good_once() {
    let it = Protected::new().await;
    let ticket = it.ticket().await;
    it.completes(&ticket, it.code()).await.unwrap();
    it.identity.clock.advance(STEP);
    assert!(matches!(it.completes(&ticket, it.code()).await, Err(SecondFactorError::InvalidTicket)));
}

#[tokio::test]
async fn a_ticket_is_good_for_five_minutes_and_a_made_up_one_looks_the_same() {
    let it = Protected::new().await;
    let (early, late) = (it.ticket().await, it.ticket().await);
    it.identity.clock.advance(SignInTicket::LIFETIME - Duration::MICROSECOND);
    it.completes(&early, it.code()).await.unwrap();
    it.identity.clock.advance(Duration::MICROSECOND);
    let forged = OneTimeSecret { secret: [0xee; 32], ..late };
    for ticket in [late, forged, OneTimeSecret { id: uuid::Uuid::nil(), secret: [1; 32] }] {
        assert!(matches!(it.completes(&ticket, it.code()).await, Err(SecondFactorError::InvalidTicket)));
    }
}

#[tokio::test]
async fn a_code_is_good_once_and_never_after_a_newer_one() {
    let it = Protected::new().await;
    let (older, now) = (shown(&it.secret, it.now() - STEP), it.code());
    it.completes(&it.ticket().await, now).await.unwrap();
    for used in [now, FactorProof::Code(older)] {
        assert!(matches!(it.completes(&it.ticket().await, used).await, Err(SecondFactorError::UsedCode)), "used or older");
    }
    it.identity.clock.advance(STEP);
    it.signs_in().await;
}

#[tokio::test]
async fn the_code_of_the_enrolment_counts_as_used() {
    let it = Protected::new().await;
    let enrolment = FactorProof::Code(shown(&it.secret, it.now() - STEP));
    assert!(matches!(it.completes(&it.ticket().await, enrolment).await, Err(SecondFactorError::UsedCode)));
}

#[tokio::test]
async fn clocks_may_differ_by_one_step() {
    let it = Protected::new().await;
    it.identity.clock.advance(STEP * 4);
    for (off, good) in [(-61, false), (61, false), (-29, true), (29, true)] {
        let code = FactorProof::Code(shown(&it.secret, it.now() + Duration::seconds(off)));
        assert_eq!(it.completes(&it.ticket().await, code).await.is_ok(), good, "{off} s");
        it.identity.clock.advance(STEP * 4);
    }
}

#[tokio::test]
async fn a_ticket_is_void_once_the_account_is_another() {
    let it = Protected::new().await;
    let from = client("192.0.2.1");

    let before_password = it.ticket().await;
    it.steps_up(it.session, it.code()).await.unwrap();
    let new = password("Another-horse-9-battery");
    it.identity.change_password.execute((it.user, it.session), &password(GOOD), &new, false, &from).await.unwrap();
    it.identity.clock.advance(STEP);
    assert!(matches!(it.completes(&before_password, it.code()).await, Err(SecondFactorError::InvalidTicket)));

    let it = Protected::new().await;
    let before_lock = it.ticket().await;
    let mut account = it.identity.store.accounts().remove(0);
    account.user.is_active = false;
    it.identity.store.put_account(&account);
    assert!(matches!(it.completes(&before_lock, it.code()).await, Err(SecondFactorError::InvalidTicket)));

    let it = Protected::new().await;
    let before_removal = it.ticket().await;
    it.identity.second_factor.disable.execute((it.user, it.session), &password(GOOD), it.code(), &from).await.unwrap();
    it.identity.clock.advance(STEP);
    assert!(matches!(it.completes(&before_removal, it.code()).await, Err(SecondFactorError::InvalidTicket)));
    let enrolment = it.identity.second_factor.set_up.execute((it.user, it.session), &password(GOOD), &from).await.unwrap();
    let code = shown(&enrolment.secret, it.now());
    it.identity.second_factor.confirm.execute((it.user, it.session), code, &from).await.unwrap();
    it.identity.clock.advance(STEP);
    let code = FactorProof::Code(shown(&enrolment.secret, it.now()));
    assert!(matches!(it.completes(&before_removal, code).await, Err(SecondFactorError::InvalidTicket)), "of the factor before");
}

#[tokio::test]
async fn a_recovery_code_signs_in_once_and_its_owner_is_told() {
    let it = Protected::new().await;
    let code = FactorProof::Recovery(it.codes[3]);
    it.completes(&it.ticket().await, code).await.unwrap();
    assert!(matches!(it.completes(&it.ticket().await, code).await, Err(SecondFactorError::InvalidCode)));
    let mails = it.identity.store.mails();
    let told = mails.iter().find(|mail| mail.template == "recovery_code_used").unwrap();
    assert_eq!((told.to.as_str(), told.fields["left"].as_str(), told.fields["ip"].as_str()), (ADA, "9", "192.0.2.1"));
    assert_eq!((told.fields["when"].as_str(), told.fields["device"].as_str()), ("2026-01-01T12:00:30Z", "unknown device"));
}

/// Wherever the store fails, a code is used up together with the session it opens, or not at all.
#[tokio::test]
async fn a_sign_in_that_fails_later_burns_neither_the_code_nor_the_ticket() {
    let it = Protected::new().await;
    let mut failed = 0;
    for calls in 0.. {
        it.identity.clock.advance(Duration::minutes(16));
        let ticket = it.ticket().await;
        let (sessions, mails) = (it.identity.store.sessions().len(), it.letters().len());
        it.identity.store.fail_after(calls);
        let done = it.completes(&ticket, FactorProof::Recovery(it.codes[0])).await;
        it.identity.store.recover();
        if done.is_ok() {
            break;
        }
        failed += 1;
        assert_eq!((it.identity.store.sessions().len(), it.letters().len()), (sessions, mails), "after {calls} calls");
        let left = it.identity.second_factor.status.execute(it.user).await.unwrap().recovery_codes_left;
        assert_eq!(left, 10, "after {calls} calls");
    }
    assert!(failed > 10, "{failed}");
    assert_eq!(it.identity.second_factor.status.execute(it.user).await.unwrap().recovery_codes_left, 9);
}

#[tokio::test]
async fn a_wrong_password_looks_the_same_with_a_second_factor_and_without() {
    let it = Protected::new().await;
    it.identity.signs_up("bob@example.org").await.unwrap();
    let mut work = Vec::new();
    for email in [ADA, "bob@example.org"] {
        let (before, calls) = (it.identity.hasher.calls(), it.identity.store.calls());
        let from = client("192.0.2.9");
        let done = it.identity.sign_in.execute(&an_email(email), &password("wrong"), None, from, std::future::pending()).await;
        assert!(matches!(done, Err(SignInError::InvalidCredentials)), "{email}");
        work.push((it.identity.hasher.calls() - before, it.identity.store.calls() - calls));
    }
    assert!(work[0].0 == 1 && work[0] == work[1], "{work:?}");
}

/// The guess at the password was right: tickets do not use its allowance up.
#[tokio::test]
async fn a_ticket_gives_the_guess_at_the_password_back() {
    let it = Protected::new().await;
    for _ in 0..30 {
        it.ticket().await;
    }
    it.ticket().await;
}

#[tokio::test]
async fn sessions_from_before_are_over_once_a_second_factor_is_confirmed() {
    let identity = crate::support::Identity::new();
    let first = identity.signs_up(ADA).await.unwrap();
    let second = identity.signs_in(ADA, GOOD).await.unwrap();
    let (at, from) = ((second.user.id, second.tokens.session), client("192.0.2.1"));
    let enrolment = identity.second_factor.set_up.execute(at, &password(GOOD), &from).await.unwrap();
    let code = shown(&enrolment.secret, coinlink_ports::shared::Clock::now(&*identity.clock));
    identity.second_factor.confirm.execute(at, code, &from).await.unwrap();
    assert!(identity.is_revoked(&first) && !identity.is_revoked(&second));
    let sessions = identity.store.sessions();
    let ended = sessions.iter().find(|session| session.id == first.tokens.session).unwrap().ended.unwrap();
    assert_eq!(ended.reason, EndReason::SecondFactorChanged);
}

#[tokio::test]
async fn tickets_that_are_over_are_forgotten() {
    let it = Protected::new().await;
    it.ticket().await;
    it.identity.clock.advance(SignInTicket::LIFETIME);
    let kept = it.ticket().await;
    it.identity.clock.advance(Duration::SECOND);
    it.identity.prune.execute().await.unwrap();
    assert_eq!(it.identity.store.tickets(), 1);
    it.completes(&kept, it.code()).await.unwrap();
}
