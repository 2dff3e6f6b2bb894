//! Forgetting what is over.

use coinlink_domain::identity::{Attempts, EndReason, Ending, GuardKey, GuardPolicies, Session, SessionPolicy};
use time::{Duration, OffsetDateTime};

use super::{
    super::{NOON, a_session, an_email},
    IdentityUnderTest,
};

fn policy() -> SessionPolicy {
    SessionPolicy::default()
}

fn guard(name: &str) -> GuardKey {
    GuardKey::Account(an_email(&format!("{name}@example.org")))
}

async fn failed(it: &IdentityUnderTest, name: &str, at: OffsetDateTime) {
    let mut tx = it.store.begin().await.unwrap();
    assert_eq!(tx.guards().reserve(&[guard(name)], at, &GuardPolicies::default()).await.unwrap(), Ok(()));
    tx.commit().await.unwrap();
}

async fn is_known(it: &IdentityUnderTest, name: &str) -> bool {
    it.store.begin().await.unwrap().guards().attempts(&guard(name)).await.unwrap() != Attempts::default()
}

pub async fn pruning_forgets_what_is_over_and_nothing_else(it: IdentityUnderTest) {
    let user = it.a_user("ada@example.org").await.id;
    let begun = |ago: Duration| Session { created_at: NOON - ago, rotated_at: NOON - ago, ..a_session(user) };
    let ended = |at| Session { ended: Some(Ending { at, reason: EndReason::SignedOut }), ..begun(Duration::HOUR) };
    let SessionPolicy { idle, absolute, .. } = policy();
    let stays = [
        begun(Duration::ZERO),
        begun(idle),
        Session { created_at: NOON - absolute, ..begun(Duration::ZERO) },
        ended(NOON),
        Session { created_at: NOON + Duration::SECOND, ..begun(-Duration::SECOND) },
    ];
    let goes = [
        begun(idle + Duration::MICROSECOND),
        Session { created_at: NOON - absolute - Duration::MICROSECOND, ..begun(Duration::ZERO) },
        ended(NOON - Duration::MICROSECOND),
    ];
    for session in stays.iter().chain(&goes) {
        it.signed_in(session.clone()).await;
    }
    failed(&it, "lately", NOON).await;
    failed(&it, "before", NOON - Duration::MICROSECOND).await;
    assert_eq!(it.store.prune(NOON, &policy(), 100).await.unwrap(), 4);
    for session in &stays {
        assert_eq!(it.kept(session.id).await, *session);
    }
    for session in &goes {
        assert_eq!(it.store.session(session.id).await.unwrap(), None);
    }
    assert!(is_known(&it, "lately").await && !is_known(&it, "before").await);
    assert_eq!(it.store.prune(NOON, &policy(), 100).await.unwrap(), 0);
    assert!(it.store.user(user).await.unwrap().is_some());
}

pub async fn pruning_takes_no_more_than_its_limit(it: IdentityUnderTest) {
    let user = it.a_user("ada@example.org").await.id;
    let mut tx = it.store.begin().await.unwrap();
    for n in 0..7 {
        tx.sessions().add(&a_session(user)).await.unwrap();
        tx.guards().reserve(&[guard(&format!("u{n}"))], NOON, &GuardPolicies::default()).await.unwrap().unwrap();
    }
    tx.commit().await.unwrap();
    let later = NOON + Duration::days(60);
    assert_eq!(it.store.prune(later, &policy(), 0).await.unwrap(), 0);
    assert_eq!(it.store.prune(later, &policy(), 5).await.unwrap(), 10);
    assert_eq!(it.store.prune(later, &policy(), u64::MAX).await.unwrap(), 4);
}
