use coinlink_application::identity::{ChangePasswordError, FactorProof, SecondFactorError, SecondFactorState};
use coinlink_domain::{
    identity::{SecondFactor, SessionPolicy},
    shared::audit::AuditStatus,
};
use coinlink_ports::{identity::SecondFactorStore as _, shared::SecretBox as _};
use coinlink_testkit::{
    identity::{NOON, PlainAuthenticators},
    shared::PlainSecretBox,
};
use time::Duration;

use super::{Protected, STEP, shown};
use crate::support::{ADA, GOOD, Identity, client, password};

#[tokio::test]
async fn nothing_is_asked_for_before_the_app_has_shown_a_code() {
    let identity = Identity::new();
    let signed_in = identity.signs_up(ADA).await.unwrap();
    let (at, from) = ((signed_in.user.id, signed_in.tokens.session), client("192.0.2.1"));
    let off = SecondFactorState { enabled_at: None, recovery_codes_left: 0 };
    assert_eq!(identity.second_factor.status.execute(at.0).await.unwrap(), off);
    let first = identity.second_factor.set_up.execute(at, &password(GOOD), &from).await.unwrap();
    let second = identity.second_factor.set_up.execute(at, &password(GOOD), &from).await.unwrap();
    assert_ne!(first.secret, second.secret);
    assert_eq!(identity.second_factor.status.execute(at.0).await.unwrap(), off);
    identity.signs_in(ADA, GOOD).await.unwrap();
    let now = coinlink_ports::shared::Clock::now(&*identity.clock);
    let replaced = identity.second_factor.confirm.execute(at, shown(&first.secret, now), &from).await;
    assert!(matches!(replaced, Err(SecondFactorError::InvalidCode)), "the secret before is good for nothing");
    let codes = identity.second_factor.confirm.execute(at, shown(&second.secret, now), &from).await.unwrap();
    let on = SecondFactorState { enabled_at: Some(now), recovery_codes_left: 10 };
    assert_eq!((identity.second_factor.status.execute(at.0).await.unwrap(), codes.len()), (on, 10));
}

#[tokio::test]
async fn setting_up_takes_the_password_and_an_account_without_a_factor() {
    let it = Protected::new().await;
    let (at, from) = ((it.user, it.session), client("192.0.2.1"));
    let again = it.identity.second_factor.set_up.execute(at, &password(GOOD), &from).await;
    assert!(matches!(again, Err(SecondFactorError::AlreadyOn)));
    let confirmed = it.identity.second_factor.confirm.execute(at, shown(&it.secret, it.now()), &from).await;
    assert!(matches!(confirmed, Err(SecondFactorError::AlreadyOn)));

    let identity = Identity::new();
    let signed_in = identity.signs_up(ADA).await.unwrap();
    let at = (signed_in.user.id, signed_in.tokens.session);
    let done = identity.second_factor.set_up.execute(at, &password("wrong"), &from).await;
    assert!(matches!(done, Err(SecondFactorError::WrongPassword)));
    let done = identity.second_factor.confirm.execute(at, shown("00", NOON), &from).await;
    assert!(matches!(done, Err(SecondFactorError::NotSetUp)));
    let failures: Vec<_> = identity.audited().into_iter().filter(|(_, status)| *status == AuditStatus::Failure).collect();
    let expected = ["auth.second_factor_setup", "auth.second_factor_enable"].map(|act| (act.to_owned(), AuditStatus::Failure));
    assert_eq!(failures, expected);
}

#[tokio::test]
async fn the_secret_is_stored_sealed_for_its_own_account() {
    let it = Protected::new().await;
    let kept = it.identity.store.second_factor(it.user).await.unwrap().unwrap();
    let plain = PlainSecretBox::default().open(&SecondFactor::context(it.user), &kept.secret).unwrap();
    assert_eq!(plain.len(), SecondFactor::SECRET_LEN);
    let (code, now) = (PlainAuthenticators::code(&plain, it.now()), it.now());
    assert_eq!(code, shown(&it.secret, now));
    assert!(it.identity.store.audit().iter().all(|entry| !format!("{entry:?}").contains(&it.secret)), "never in the log");
}

#[tokio::test]
async fn a_session_is_fresh_for_five_minutes_after_the_factor_was_shown() {
    let it = Protected::new().await;
    let from = client("192.0.2.1");
    let change = async |to: &str| {
        it.identity.change_password.execute((it.user, it.session), &password(GOOD), &password(to), false, &from).await
    };
    it.identity.clock.advance(SessionPolicy::default().factor_fresh);
    let hashed = it.identity.hasher.calls();
    assert!(matches!(change("Another-horse-9-battery").await, Err(ChangePasswordError::SecondFactorRequired)));
    assert_eq!(it.identity.hasher.calls(), hashed, "the password is not even compared");
    let until = it.steps_up(it.session, it.code()).await.unwrap();
    assert_eq!(until, it.now() + Duration::minutes(5));
    it.identity.clock.advance(Duration::minutes(5) - Duration::MICROSECOND);
    change("Another-horse-9-battery").await.unwrap();
}

#[tokio::test]
async fn what_one_session_showed_counts_for_no_other() {
    let it = Protected::new().await;
    let other = it.signs_in().await.tokens.session;
    it.identity.clock.advance(Duration::minutes(6));
    it.steps_up(it.session, it.code()).await.unwrap();
    let from = client("192.0.2.1");
    let codes = async |session| it.identity.second_factor.renew_codes.execute((it.user, session), &password(GOOD), &from).await;
    assert!(matches!(codes(other).await, Err(SecondFactorError::NotFresh)));
    codes(it.session).await.unwrap();
}

#[tokio::test]
async fn new_recovery_codes_void_the_earlier_ones_and_take_the_password() {
    let it = Protected::new().await;
    let from = client("192.0.2.1");
    let renew =
        async |word: &str| it.identity.second_factor.renew_codes.execute((it.user, it.session), &password(word), &from).await;
    assert!(matches!(renew("wrong").await, Err(SecondFactorError::WrongPassword)));
    let new = renew(GOOD).await.unwrap();
    assert!(new.len() == 10 && new.iter().all(|code| !it.codes.contains(code)));
    assert_eq!(it.identity.store.mails().pop().unwrap().template, "recovery_codes_renewed");
    let ticket = it.ticket().await;
    let old = it.completes(&ticket, FactorProof::Recovery(it.codes[0])).await;
    assert!(matches!(old, Err(SecondFactorError::InvalidCode)));
    it.completes(&ticket, FactorProof::Recovery(new[0])).await.unwrap();
}

#[tokio::test]
async fn turning_it_off_takes_both_factors_and_ends_all_other_sessions() {
    let it = Protected::new().await;
    let elsewhere = it.signs_in().await;
    it.identity.clock.advance(STEP);
    let from = client("192.0.2.1");
    let disable = async |word: &str, proof| {
        it.identity.second_factor.disable.execute((it.user, it.session), &password(word), proof, &from).await
    };
    assert!(matches!(disable("wrong", it.code()).await, Err(SecondFactorError::WrongPassword)));
    assert!(matches!(disable(GOOD, it.wrong()).await, Err(SecondFactorError::InvalidCode)));
    disable(GOOD, it.code()).await.unwrap();
    assert!(it.identity.is_revoked(&elsewhere));
    let state = it.identity.second_factor.status.execute(it.user).await.unwrap();
    assert_eq!(state, SecondFactorState { enabled_at: None, recovery_codes_left: 0 });
    it.identity.signs_in(ADA, GOOD).await.unwrap();
    assert!(matches!(disable(GOOD, it.code()).await, Err(SecondFactorError::NotSetUp)));
    assert!(matches!(it.steps_up(it.session, it.code()).await, Err(SecondFactorError::NotSetUp)));
    let told: Vec<_> = it.letters().into_iter().filter(|letter| letter.starts_with("second_factor")).collect();
    assert_eq!(told, ["second_factor_enabled", "second_factor_disabled"]);
    assert_eq!(it.reasons(), ["wrong_password", "invalid_code", "not_set_up", "not_set_up"]);
}

#[tokio::test]
async fn a_recovery_code_turns_it_off_where_the_app_is_gone() {
    let it = Protected::new().await;
    let code = FactorProof::Recovery(it.codes[9]);
    it.identity.second_factor.disable.execute((it.user, it.session), &password(GOOD), code, &client("192.0.2.1")).await.unwrap();
    it.identity.signs_in(ADA, GOOD).await.unwrap();
}

#[tokio::test]
async fn a_session_that_is_over_shows_nothing() {
    let it = Protected::new().await;
    let other = it.signs_in().await.tokens.session;
    it.identity.clock.advance(STEP);
    it.identity.end_session.execute(it.user, other, &client("192.0.2.1")).await.unwrap();
    assert!(matches!(it.steps_up(other, it.code()).await, Err(SecondFactorError::NoAccount)));
    it.steps_up(it.session, it.code()).await.unwrap();
}
