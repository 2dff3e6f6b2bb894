use std::sync::Arc;

use coinlink_application::identity::{FactorProof, SecondFactorError};
use coinlink_domain::identity::{GuardKey, RecoveryCode, SessionId, SignInTicket};
use coinlink_ports::{identity::IdentityStore as _, shared::Clock as _};
use coinlink_testkit::identity::an_email;
use futures_util::future::join_all;
use time::Duration;

use super::{Protected, STEP, shown};
use crate::support::{ADA, GOOD, Identity, client, password};

#[tokio::test]
async fn a_ticket_takes_five_guesses_and_the_right_code_after_them_is_refused() {
    let it = Protected::new().await;
    let ticket = it.ticket().await;
    for _ in 0..SignInTicket::TRIES {
        assert!(matches!(it.completes(&ticket, it.wrong()).await, Err(SecondFactorError::InvalidCode)));
    }
    assert!(matches!(it.completes(&ticket, it.code()).await, Err(SecondFactorError::InvalidTicket)));
    it.signs_in().await;
}

/// Ten guesses, then one each quarter of an hour, across tickets. A delay looks like a wrong code.
#[tokio::test]
async fn an_account_takes_ten_guesses_with_however_many_tickets() {
    let it = Protected::new().await;
    for n in 0..10 {
        let refused = it.completes(&it.ticket().await, it.wrong()).await;
        assert!(matches!(refused, Err(SecondFactorError::InvalidCode)), "{n}");
    }
    // A right one is not even looked at, and is not used up by it.
    let compared = it.identity.authenticators.compared();
    assert!(matches!(it.completes(&it.ticket().await, it.code()).await, Err(SecondFactorError::InvalidCode)));
    assert_eq!(it.identity.authenticators.compared(), compared);
    it.identity.clock.advance(Duration::minutes(15));
    assert!(matches!(it.completes(&it.ticket().await, it.wrong()).await, Err(SecondFactorError::InvalidCode)));
    assert!(matches!(it.completes(&it.ticket().await, it.code()).await, Err(SecondFactorError::InvalidCode)));
    it.identity.clock.advance(Duration::minutes(15));
    it.signs_in().await;
}

/// Whoever knows the password can use up what tickets are worth, and nothing else of its owner's.
#[tokio::test]
async fn a_thief_with_the_password_keeps_the_owner_from_nothing_but_codes_with_tickets() {
    let it = Protected::new().await;
    for _ in 0..12 {
        let _ = it.completes(&it.ticket().await, it.wrong()).await;
    }
    it.steps_up(it.session, it.code()).await.unwrap();
    let other = it.completes(&it.ticket().await, FactorProof::Recovery(it.codes[0])).await.unwrap().tokens.session;
    let nothing = FactorProof::Recovery(RecoveryCode([0xaa; 16]));
    for _ in 0..20 {
        assert!(matches!(it.steps_up(other, nothing).await, Err(SecondFactorError::InvalidCode)), "no guess that counts");
    }
    it.identity.clock.advance(STEP);
    it.steps_up(other, it.code()).await.unwrap();
}

#[tokio::test]
async fn a_session_takes_ten_guesses_of_its_own() {
    let it = Protected::new().await;
    let other = it.signs_in().await.tokens.session;
    it.identity.clock.advance(STEP);
    let before = it.identity.authenticators.compared();
    for _ in 0..20 {
        assert!(matches!(it.steps_up(it.session, it.wrong()).await, Err(SecondFactorError::InvalidCode)));
    }
    assert_eq!(it.identity.authenticators.compared() - before, 10);
    assert!(matches!(it.steps_up(it.session, it.code()).await, Err(SecondFactorError::InvalidCode)));
    it.steps_up(other, it.code()).await.unwrap();
}

#[tokio::test]
async fn the_owner_is_told_once_that_somebody_with_the_password_guesses() {
    let it = Protected::new().await;
    let told = || it.letters().into_iter().filter(|letter| letter == "second_factor_guessed").count();
    for _ in 0..20 {
        let _ = it.steps_up(it.session, it.wrong()).await;
    }
    for n in 0..12 {
        assert_eq!(told(), usize::from(n > 9), "{n}");
        let _ = it.completes(&it.ticket().await, it.wrong()).await;
    }
    it.identity.clock.advance(Duration::minutes(15));
    let _ = it.completes(&it.ticket().await, it.wrong()).await;
    assert_eq!(told(), 1);
}

#[tokio::test]
async fn parallel_tickets_give_no_extra_guesses() {
    let it = Arc::new(Protected::new().await);
    let mut tickets = Vec::new();
    for _ in 0..40 {
        tickets.push(it.ticket().await);
    }
    let guesses = tickets.iter().flat_map(|ticket| std::iter::repeat_n(*ticket, 2)).map(|ticket| {
        let it = Arc::clone(&it);
        async move { it.completes(&ticket, it.wrong()).await.err() }
    });
    let before = it.identity.authenticators.compared();
    let refused = join_all(guesses).await;
    assert!(refused.iter().all(|refused| matches!(refused, Some(SecondFactorError::InvalidCode))));
    assert_eq!(it.identity.authenticators.compared() - before, 10);
    assert_eq!(it.letters().into_iter().filter(|letter| letter == "second_factor_guessed").count(), 1);
    assert!(matches!(it.completes(&it.ticket().await, it.code()).await, Err(SecondFactorError::InvalidCode)));
    it.identity.clock.advance(Duration::minutes(15));
    it.completes(&it.ticket().await, it.code()).await.unwrap();
}

#[tokio::test]
async fn of_fifty_that_show_one_code_at_once_one_is_taken() {
    for recovery in [false, true] {
        let it = Arc::new(Protected::new().await);
        let proof = if recovery { FactorProof::Recovery(it.codes[0]) } else { it.code() };
        let shown = (0..50).map(|_| {
            let it = Arc::clone(&it);
            async move { it.steps_up(it.session, proof).await.is_ok() }
        });
        assert_eq!(join_all(shown).await.into_iter().filter(|taken| *taken).count(), 1, "recovery: {recovery}");
    }
}

#[tokio::test]
async fn who_guesses_at_the_second_factor_uses_nothing_of_the_password_up() {
    let it = Protected::new().await;
    for _ in 0..20 {
        let _ = it.steps_up(it.session, it.wrong()).await;
    }
    it.ticket().await;
}

/// And the other way round: whoever is delayed at the password shows the factor all the same.
#[tokio::test]
async fn who_guesses_at_the_password_uses_nothing_of_the_second_factor_up() {
    let it = Protected::new().await;
    let (email, wrong) = (an_email(ADA), password("wrong"));
    for _ in 0..100 {
        let done = it.identity.sign_in.execute(&email, &wrong, None, client("192.0.2.7"), std::future::pending()).await;
        assert!(done.is_err());
    }
    it.steps_up(it.session, it.code()).await.unwrap();
}

#[tokio::test]
async fn right_codes_leave_no_failure_behind() {
    let it = Protected::new().await;
    for _ in 0..40 {
        let session = it.signs_in().await.tokens.session;
        it.identity.clock.advance(STEP);
        it.steps_up(session, it.code()).await.unwrap();
        it.identity.clock.advance(STEP);
    }
}

/// Guessing at the code of an app that is being set up is guessing, too.
#[tokio::test]
async fn an_enrolment_is_guessed_at_within_the_same_budget() {
    let identity = crate::support::Identity::new();
    let signed_in = identity.signs_up(ADA).await.unwrap();
    let (at, from) = ((signed_in.user.id, signed_in.tokens.session), client("192.0.2.1"));
    let secret = identity.second_factor.set_up.execute(at, &password(GOOD), &from).await.unwrap().secret;
    let now = coinlink_ports::shared::Clock::now(&*identity.clock);
    let wrong = super::other(super::shown(&secret, now));
    for _ in 0..10 {
        assert!(matches!(identity.second_factor.confirm.execute(at, wrong, &from).await, Err(SecondFactorError::InvalidCode)));
    }
    let right = super::shown(&secret, now);
    assert!(matches!(identity.second_factor.confirm.execute(at, right, &from).await, Err(SecondFactorError::InvalidCode)));
}

/// What is still counted of guesses in a session and at its password.
async fn left_behind(identity: &Identity, session: SessionId) -> u32 {
    let mut left = 0;
    let mut tx = identity.store.begin().await.unwrap();
    for key in [GuardKey::SessionFactor(session), GuardKey::Device(an_email(ADA), session.0)] {
        let attempts = tx.guards().attempts(&key).await.unwrap();
        left += attempts.failures + u32::from(attempts.delayed_until.is_some());
    }
    left
}

#[tokio::test]
async fn sixty_who_confirm_with_the_right_code_at_once_leave_nothing_behind() {
    let identity = Identity::new();
    let signed_in = identity.signs_up(ADA).await.unwrap();
    let (at, from) = ((signed_in.user.id, signed_in.tokens.session), client("192.0.2.1"));
    let secret = identity.second_factor.set_up.execute(at, &password(GOOD), &from).await.unwrap().secret;
    let right = super::shown(&secret, identity.clock.now());
    let done = join_all((0..60).map(|_| identity.second_factor.confirm.execute(at, right, &from))).await;
    assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 1);
    assert!(done.iter().any(|done| matches!(done, Err(SecondFactorError::AlreadyOn))), "some were under way together");
    assert_eq!(left_behind(&identity, at.1).await, 0);
}

#[tokio::test]
async fn showing_a_right_code_again_is_no_guess() {
    let it = Protected::new().await;
    it.steps_up(it.session, it.code()).await.unwrap();
    for _ in 0..20 {
        assert!(matches!(it.steps_up(it.session, it.code()).await, Err(SecondFactorError::UsedCode)));
    }
    assert_eq!(left_behind(&it.identity, it.session).await, 0);
}

#[tokio::test]
async fn who_turns_it_off_six_times_at_once_leaves_nothing_behind() {
    let it = Protected::new().await;
    let (word, from, code) = (password(GOOD), client("192.0.2.1"), FactorProof::Recovery(it.codes[0]));
    let disable = &it.identity.second_factor.disable;
    let done = join_all((0..6).map(|_| disable.execute((it.user, it.session), &word, code, &from))).await;
    assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 1);
    assert_eq!(left_behind(&it.identity, it.session).await, 0);
}

/// The store fails after each number of calls: in none of them is a right code, or a right password, taken for a guess.
#[tokio::test]
async fn trouble_with_the_store_is_nobodys_guess() {
    for act in ["confirm", "step up", "turn off"] {
        for calls in 0.. {
            let it = Protected::new().await;
            let (at, from, word) = ((it.user, it.session), client("192.0.2.1"), password(GOOD));
            let factors = &it.identity.second_factor;
            let mut right = shown(&it.secret, it.now());
            if act == "confirm" {
                factors.disable.execute(at, &word, it.code(), &from).await.unwrap();
                let secret = factors.set_up.execute(at, &word, &from).await.unwrap().secret;
                right = shown(&secret, it.now());
            }
            it.identity.store.fail_after(calls);
            let done = match act {
                "confirm" => factors.confirm.execute(at, right, &from).await.is_ok(),
                "step up" => it.steps_up(it.session, FactorProof::Code(right)).await.is_ok(),
                _ => factors.disable.execute(at, &word, FactorProof::Code(right), &from).await.is_ok(),
            };
            it.identity.store.recover();
            it.identity.sign_in.settle().await.unwrap();
            assert_eq!(left_behind(&it.identity, it.session).await, 0, "{act} {calls}");
            if done {
                break;
            }
        }
    }
}
