use coinlink_application::identity::{ByAddressError, SecondFactorError, SecondFactorState};
use coinlink_domain::identity::EndReason;
use coinlink_testkit::identity::an_email;

use super::Protected;
use crate::support::{ADA, GOOD, Identity};

#[tokio::test]
async fn whoever_lost_it_signs_in_without_it_after_a_reset_and_everything_before_is_over() {
    let it = Protected::new().await;
    let pending = it.ticket().await;
    // The budget of guesses is used up by somebody who has the password.
    for _ in 0..3 {
        let ticket = it.ticket().await;
        for _ in 0..5 {
            let _ = it.completes(&ticket, it.wrong()).await;
        }
    }
    let letters = it.letters().len();
    let (user, ended) = it.identity.second_factor.reset.execute(&an_email(ADA)).await.unwrap();
    assert_eq!((user.id, ended), (it.user, Some(1)));
    let none = SecondFactorState { enabled_at: None, recovery_codes_left: 0 };
    assert_eq!(it.identity.second_factor.status.execute(it.user).await.unwrap(), none);
    let sessions = it.identity.store.sessions();
    assert!(sessions.iter().all(|session| session.ended.is_some()));
    let reason = sessions.iter().find(|session| session.id == it.session).unwrap().ended.unwrap().reason;
    assert_eq!(reason, EndReason::SecondFactorChanged);
    assert_eq!(it.letters()[letters..], ["second_factor_disabled"]);
    let entry = it.identity.store.audit().pop().unwrap();
    assert_eq!(
        (entry.action.as_ref(), entry.user, entry.resource_id),
        ("admin.second_factor_reset", None, Some(it.user.to_string()))
    );
    assert_eq!((entry.details["by"].as_str(), entry.details["sessions"].as_str()), ("command_line", "1"));
    let old = it.completes(&pending, it.code()).await;
    assert!(matches!(old, Err(SecondFactorError::InvalidTicket)), "a ticket from before opens nothing");
    it.identity.signs_in(ADA, GOOD).await.unwrap();

    assert_eq!(it.identity.second_factor.reset.execute(&an_email(ADA)).await.unwrap().1, None, "there is none any more");
    assert_eq!(it.letters().iter().filter(|template| *template == "second_factor_disabled").count(), 1);
}

#[tokio::test]
async fn a_factor_that_was_never_confirmed_and_an_address_that_nobody_owns_are_left() {
    let identity = Identity::strict();
    let nobody = identity.second_factor.reset.execute(&an_email(ADA)).await;
    assert!(matches!(nobody, Err(ByAddressError::NoAccount)));
    identity.signs_up(ADA).await.unwrap();
    let claimed = identity.second_factor.reset.execute(&an_email(ADA)).await;
    assert!(matches!(claimed, Err(ByAddressError::Claimed(1))));
    assert!(identity.store.audit().iter().all(|entry| entry.action != "admin.second_factor_reset"));
}
