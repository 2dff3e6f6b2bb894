use coinlink_application::identity::{SignInError, SignUpError};
use coinlink_domain::{
    identity::{EndReason, PasswordFault, SessionPolicy},
    shared::audit::AuditStatus,
};
use coinlink_ports::identity::HashError;
use coinlink_testkit::identity::{PlainHasher, an_email};
use time::Duration;

use crate::support::{ADA, GOOD, Identity, client, password};

#[tokio::test]
async fn an_account_is_opened_signed_in_and_written_down_at_once() {
    let identity = Identity::new();
    let signed_in = identity.signs_up(ADA).await.unwrap();
    assert_eq!((signed_in.user.email.as_str(), signed_in.user.logins), (ADA, 1));
    assert!(!signed_in.user.is_verified && signed_in.user.is_active);
    assert_eq!(signed_in.tokens.expires_in, Duration::minutes(15));
    assert_eq!(identity.audited(), [("auth.sign_up".to_owned(), AuditStatus::Success)]);
    let entry = &identity.store.audit()[0];
    assert_eq!((entry.user, entry.resource_id.clone()), (Some(signed_in.user.id.0), Some(signed_in.user.id.to_string())));
    assert_eq!(identity.store.sessions()[0].user, signed_in.user.id);
}

#[tokio::test]
async fn a_password_that_does_not_do_costs_no_hash() {
    let identity = Identity::new();
    let new = coinlink_application::identity::NewAccount {
        email: an_email(ADA),
        password: password("short"),
        first_name: None,
        last_name: None,
    };
    let refused = identity.sign_up.execute(new, client("192.0.2.1")).await;
    assert!(matches!(refused, Err(SignUpError::WeakPassword(faults)) if faults.contains(&PasswordFault::TooShort)));
    assert_eq!((identity.hasher.calls(), identity.store.users().len()), (0, 0));
}

#[tokio::test]
async fn an_address_has_one_account_and_a_second_try_is_written_down() {
    let identity = Identity::new();
    identity.signs_up(ADA).await.unwrap();
    assert!(matches!(identity.signs_up("ADA@example.org").await, Err(SignUpError::EmailTaken)));
    assert_eq!((identity.store.users().len(), identity.hasher.calls()), (1, 2));
    assert_eq!(identity.audited()[1], ("auth.sign_up".to_owned(), AuditStatus::Failure));
}

#[tokio::test]
async fn whatever_is_wrong_costs_one_hash_and_answers_the_same() {
    let identity = Identity::new();
    identity.signs_up(ADA).await.unwrap();
    identity.signs_up("off@example.org").await.unwrap();
    let mut off = identity.store.accounts().into_iter().find(|account| account.user.email.as_str() == "off@example.org").unwrap();
    off.user.is_active = false;
    identity.store.put_account(&off);
    for (email, word) in [(ADA, "wrong"), ("nobody@example.org", GOOD), ("off@example.org", GOOD)] {
        let before = identity.hasher.calls();
        assert!(matches!(identity.signs_in(email, word).await, Err(SignInError::InvalidCredentials)), "{email}");
        assert_eq!(identity.hasher.calls() - before, 1, "{email}");
    }
    let reasons: Vec<_> = identity.store.audit().iter().filter_map(|entry| entry.details.get("reason").cloned()).collect();
    assert_eq!(reasons, ["wrong_password", "unknown_account", "inactive"]);
    assert!(identity.store.audit().iter().all(|entry| entry.details.values().all(|value| !value.contains(GOOD))));
}

#[tokio::test]
async fn a_password_is_good_until_somebody_changes_it() {
    let identity = Identity::new();
    identity.signs_up(ADA).await.unwrap();
    let stored = identity.store.accounts()[0].password.clone();
    for _ in 0..20 {
        identity.clock.advance(Duration::days(365));
        identity.signs_in(ADA, GOOD).await.unwrap();
    }
    assert_eq!(identity.store.accounts()[0].password, stored, "nor is another one asked for");
}

#[tokio::test]
async fn a_sign_in_leaves_no_failure_behind() {
    let identity = Identity::new();
    identity.signs_up(ADA).await.unwrap();
    for _ in 0..100 {
        identity.signs_in(ADA, GOOD).await.unwrap();
    }
    let user = &identity.store.users()[0];
    assert_eq!((user.logins, user.last_login_at.is_some()), (101, true));
}

#[tokio::test]
async fn the_session_used_least_recently_makes_room_and_is_over_everywhere() {
    let identity = Identity::with(SessionPolicy { max_sessions: 2, ..SessionPolicy::default() });
    let first = identity.signs_up(ADA).await.unwrap();
    identity.clock.advance(Duration::minutes(1));
    let second = identity.signs_in(ADA, GOOD).await.unwrap();
    identity.clock.advance(Duration::minutes(1));
    let third = identity.signs_in(ADA, GOOD).await.unwrap();
    assert_eq!([&first, &second, &third].map(|signed_in| identity.is_revoked(signed_in)), [true, false, false]);
    assert_eq!(*identity.gate.revoked.lock().unwrap(), [first.tokens.session.0]);
    let over = identity.store.sessions().into_iter().find_map(|session| session.ended).unwrap();
    assert_eq!(over.reason, EndReason::Evicted);
    assert!(identity.audited().contains(&("session.evict".to_owned(), AuditStatus::Success)));
}

#[tokio::test]
async fn a_password_hashed_at_another_cost_is_hashed_anew_at_sign_in() {
    let identity = Identity::new();
    identity.signs_up(ADA).await.unwrap();
    let mut account = identity.store.accounts().remove(0);
    account.password = PlainHasher::of_cost(10).stored(GOOD);
    identity.store.put_account(&account);
    identity.signs_in(ADA, GOOD).await.unwrap();
    assert_eq!(identity.store.accounts()[0].password, identity.hasher.stored(GOOD));
}

#[tokio::test]
async fn a_busy_hasher_is_told_at_once_and_the_guess_is_not_counted() {
    let identity = Identity::new();
    identity.signs_up(ADA).await.unwrap();
    identity.hasher.be_busy(Duration::seconds(3));
    let calls = identity.store.calls();
    for _ in 0..100 {
        let busy = identity.signs_in(ADA, "wrong").await;
        assert!(matches!(busy, Err(SignInError::Hash(HashError::Busy { retry_after })) if retry_after == Duration::seconds(3)));
    }
    assert_eq!(identity.store.calls(), calls, "the store is not asked");
    identity.hasher.be_idle();
    identity.signs_in(ADA, GOOD).await.unwrap();
}

#[tokio::test]
async fn signing_out_takes_any_token_of_the_session_and_nothing_else() {
    let identity = Identity::new();
    let signed_in = identity.signs_up(ADA).await.unwrap();
    let other = identity.signs_in(ADA, GOOD).await.unwrap();
    identity.refreshes(&signed_in.tokens.refresh.0, None).await.unwrap();
    identity.clock.advance(Duration::days(40));
    let claimed = identity.sign_out.claimed(&signed_in.tokens.refresh.0).unwrap();
    assert!(
        identity.sign_out.with_refresh_token(claimed, &client("192.0.2.1")).await.unwrap(),
        "expired and rotated is accepted"
    );
    assert!(!identity.sign_out.with_refresh_token(claimed, &client("192.0.2.1")).await.unwrap(), "it is over already");
    assert!(identity.is_revoked(&signed_in) && !identity.is_revoked(&other));
    let mut forged = claimed;
    forged.session = other.tokens.session;
    assert!(!identity.sign_out.with_refresh_token(forged, &client("192.0.2.1")).await.unwrap());
    assert!(!identity.is_revoked(&other), "the proof is another session's");
}

#[tokio::test]
async fn signing_out_everywhere_ends_every_session_of_this_user_only() {
    let identity = Identity::new();
    let sessions = [identity.signs_up(ADA).await.unwrap(), identity.signs_in(ADA, GOOD).await.unwrap()];
    let eve = identity.signs_up("eve@example.org").await.unwrap();
    assert_eq!(identity.everywhere.execute(sessions[0].user.id, false, &client("192.0.2.1")).await.unwrap(), 2);
    assert!(sessions.iter().all(|session| identity.is_revoked(session)) && !identity.is_revoked(&eve));
    identity.signs_in(ADA, GOOD).await.unwrap();
}
