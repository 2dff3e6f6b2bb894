use std::sync::Arc;

use coinlink_application::identity::{FactorProof, SecondFactorError};
use coinlink_domain::identity::{RecoveryCode, SignInTicket};
use coinlink_testkit::identity::an_email;
use futures_util::future::join_all;
use time::Duration;

use super::{Protected, STEP};
use crate::support::{ADA, GOOD, client, password};

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

/// Ten guesses, then one each quarter of an hour: across tickets, sessions and kinds of codes. A delay looks like a wrong code.
#[tokio::test]
async fn an_account_takes_ten_guesses_however_they_are_spread() {
    let it = Protected::new().await;
    let nothing = FactorProof::Recovery(RecoveryCode([0xaa; 16]));
    for n in 0..10 {
        let refused = match n % 3 {
            0 => it.completes(&it.ticket().await, it.wrong()).await.err(),
            1 => it.steps_up(it.session, it.wrong()).await.err(),
            _ => it.completes(&it.ticket().await, nothing).await.err(),
        };
        assert!(matches!(refused, Some(SecondFactorError::InvalidCode)), "{n}: {refused:?}");
    }
    // Right ones are not even looked at, and are not used up by it.
    for right in [it.code(), FactorProof::Recovery(it.codes[0])] {
        assert!(matches!(it.completes(&it.ticket().await, right).await, Err(SecondFactorError::InvalidCode)));
        assert!(matches!(it.steps_up(it.session, right).await, Err(SecondFactorError::InvalidCode)));
    }
    it.identity.clock.advance(Duration::minutes(15));
    assert!(matches!(it.completes(&it.ticket().await, it.wrong()).await, Err(SecondFactorError::InvalidCode)));
    assert!(matches!(it.completes(&it.ticket().await, it.code()).await, Err(SecondFactorError::InvalidCode)));
    it.identity.clock.advance(Duration::minutes(15));
    it.completes(&it.ticket().await, FactorProof::Recovery(it.codes[0])).await.unwrap();
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
    let refused = join_all(guesses).await;
    assert!(refused.iter().all(|refused| matches!(refused, Some(SecondFactorError::InvalidCode))));
    // The eleventh is delayed: had one of the eighty gone beyond the ten, this one would be checked.
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
