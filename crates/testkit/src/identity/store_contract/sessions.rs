//! Sessions: what is kept of them, and who gets there first.

use std::time::Instant;

use coinlink_domain::identity::{
    ClientInfo, EndReason, Ending, FamilyKey, Presented, RetryKey, Session, SessionId, SessionPolicy, UserId, to_evict,
};
use coinlink_ports::identity::SessionCounts;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{
    super::{NOON, a_session},
    IdentityUnderTest, at_once,
};

const ABOUT: Duration = Duration::days(1);

fn policy() -> SessionPolicy {
    SessionPolicy::default()
}

fn ended(session: Session, at: OffsetDateTime) -> Session {
    Session { ended: Some(Ending { at, reason: EndReason::SignedOut }), ..session }
}

pub async fn a_session_is_found_as_it_was_added(it: IdentityUnderTest) {
    let user = it.a_user("ada@example.org").await.id;
    let agent = "Mozilla/5.0 (X11; '; DROP TABLE sessions; --) 柴犬/\"1\" \\";
    let full = |reason| Session {
        family_key: FamilyKey(std::array::from_fn(|n| 255 - u8::try_from(n).unwrap())),
        generation: u32::MAX,
        confirmed: true,
        replays: u32::MAX,
        retry_key: Some(RetryKey([0; 32])),
        created_at: NOON - Duration::MICROSECOND,
        rotated_at: NOON + Duration::microseconds(123_457),
        client: ClientInfo::new(Some("2001:db8::".parse().unwrap()), Some(agent)),
        second_factor_at: Some(NOON + Duration::microseconds(1)),
        ended: Some(Ending { at: NOON + Duration::microseconds(999_999), reason }),
        ..a_session(user)
    };
    let with_address = ClientInfo::new(Some("192.0.2.1".parse().unwrap()), None);
    let bare = [a_session(user), Session { client: with_address, ..a_session(user) }];
    for session in EndReason::ALL.into_iter().map(full).chain(bare) {
        it.signed_in(session.clone()).await;
        assert_eq!(it.kept(session.id).await, session);
        let mut tx = it.store.begin().await.unwrap();
        assert_eq!(tx.sessions().lock(session.id).await.unwrap(), Some(session));
    }
    assert_eq!(it.store.session(SessionId(Uuid::now_v7())).await.unwrap(), None);
}

pub async fn a_session_needs_an_account(it: IdentityUnderTest) {
    let mut tx = it.store.begin().await.unwrap();
    assert!(tx.sessions().add(&a_session(UserId(Uuid::now_v7()))).await.is_err());
}

pub async fn no_generation_is_lost_when_many_refresh_at_once(it: IdentityUnderTest) {
    let session = it.a_session("ada@example.org").await;
    at_once(60, |_| {
        let (it, id) = (it.clone(), session.id);
        async move {
            let mut tx = it.store.begin().await.unwrap();
            let mut session = tx.sessions().lock(id).await.unwrap().unwrap();
            assert_eq!(session.present(session.generation, None, NOON, &policy()), Ok(Presented::Rotated));
            assert!(tx.sessions().save(&session).await.unwrap());
            tx.commit().await.unwrap();
        }
    })
    .await;
    assert_eq!(it.kept(session.id).await.generation, 61);
}

pub async fn what_a_replay_may_change_is_saved(it: IdentityUnderTest) {
    let mut session = it.a_session("ada@example.org").await;
    let other = it.signed_in(a_session(session.user)).await;
    assert_eq!(session.present(1, Some(RetryKey([7; 32])), NOON + Duration::MICROSECOND, &policy()), Ok(Presented::Rotated));
    session.client = ClientInfo::new(Some("192.0.2.7".parse().unwrap()), Some("curl/8"));
    assert!(it.save(&session).await);
    assert_eq!(it.kept(session.id).await, session);
    session.confirmed = true;
    session.replays = 5;
    session.retry_key = None;
    session.client = ClientInfo::default();
    assert!(it.save(&session).await);
    assert_eq!(it.kept(session.id).await, session);
    assert_eq!(it.kept(other.id).await, other);
}

pub async fn a_session_that_is_over_stays_as_it_is(it: IdentityUnderTest) {
    let begun = it.a_session("ada@example.org").await;
    let over = ended(begun.clone(), NOON);
    assert!(it.save(&over).await, "it went on until now");
    let revived = Session { generation: 9, ..begun };
    let again = Session { ended: Some(Ending { at: NOON + ABOUT, reason: EndReason::Evicted }), ..over.clone() };
    for change in [revived, again, over.clone()] {
        assert!(!it.save(&change).await);
        assert_eq!(it.kept(over.id).await, over);
    }
    assert!(!it.save(&a_session(over.user)).await, "it never began");
}

pub async fn saving_a_session_keeps_its_owner_key_and_beginning(it: IdentityUnderTest) {
    let session = it.a_session("ada@example.org").await;
    let other = it.a_user("bob@example.org").await.id;
    let stolen = Session { user: other, family_key: FamilyKey([9; 32]), created_at: NOON + ABOUT, replays: 1, ..session.clone() };
    assert!(it.save(&stolen).await);
    assert_eq!(it.kept(session.id).await, Session { replays: 1, ..session });
}

pub async fn of_many_who_end_a_session_at_once_one_does(it: IdentityUnderTest) {
    let session = it.a_session("ada@example.org").await;
    let ends = at_once(20, |n| {
        let (it, session) = (it.clone(), session.clone());
        async move { it.save(&ended(session, NOON + Duration::seconds(i64::try_from(n).unwrap()))).await }
    });
    assert_eq!(ends.await.into_iter().filter(|ended| *ended).count(), 1);
}

pub async fn sessions_are_live_until_the_microsecond_they_expire(it: IdentityUnderTest) {
    let user = it.a_user("ada@example.org").await.id;
    let now = NOON + Duration::microseconds(500_000);
    let made = |age: Duration, idle: Duration| Session { created_at: now - age, rotated_at: now - idle, ..a_session(user) };
    let SessionPolicy { idle, absolute, .. } = policy();
    let live = [
        made(Duration::ZERO, Duration::ZERO),
        made(idle - Duration::MICROSECOND, idle - Duration::MICROSECOND),
        made(absolute - Duration::MICROSECOND, Duration::ZERO),
    ];
    let over = [
        made(idle, idle),
        made(absolute, Duration::ZERO),
        made(absolute * 2, absolute),
        ended(made(Duration::ZERO, Duration::ZERO), now),
    ];
    for session in live.iter().chain(&over) {
        assert_eq!(session.is_live(now, &policy()), live.contains(session));
        it.signed_in(session.clone()).await;
    }
    it.a_session("bob@example.org").await;
    let ids = |sessions: Vec<Session>| {
        let mut ids: Vec<_> = sessions.into_iter().map(|session| session.id).collect();
        ids.sort();
        ids
    };
    let expected = ids(live.to_vec());
    assert_eq!(ids(it.store.live_sessions(user, now, &policy()).await.unwrap()), expected);
    let counts = SessionCounts { live: 3, total: 7 };
    assert_eq!(it.store.count_sessions(user, now, &policy()).await.unwrap(), counts);
    let nobody = UserId(Uuid::now_v7());
    assert_eq!(it.store.count_sessions(nobody, now, &policy()).await.unwrap(), SessionCounts::default());
    let mut tx = it.store.begin().await.unwrap();
    assert_eq!(ids(tx.sessions().lock_live(user, now, &policy()).await.unwrap()), expected);
}

pub async fn live_sessions_are_listed_by_refresh_and_held_by_id(it: IdentityUnderTest) {
    let user = it.a_user("ada@example.org").await.id;
    let made = |id: u128, secs: i64| Session {
        id: SessionId(Uuid::from_u128(id)),
        rotated_at: NOON + Duration::seconds(secs),
        ..a_session(user)
    };
    // The last id differs from the first in its highest byte only.
    let sessions = [made(3, 1), made(1, 3), made(2, 2), made(1 << 127, 2)];
    for session in &sessions {
        it.signed_in(session.clone()).await;
    }
    let ids = |sessions: Vec<Session>| sessions.into_iter().map(|session| session.id.0.as_u128()).collect::<Vec<_>>();
    let listed = it.store.live_sessions(user, NOON + Duration::MINUTE, &policy()).await.unwrap();
    assert_eq!(ids(listed), [1, 1 << 127, 2, 3]);
    let mut tx = it.store.begin().await.unwrap();
    let held = tx.sessions().lock_live(user, NOON + Duration::MINUTE, &policy()).await.unwrap();
    assert_eq!(ids(held.clone()), [1, 2, 3, 1 << 127]);
    assert!(held.iter().all(|session| sessions.contains(session)));
}

/// As a sign-in does it: the account is held, so that nobody else adds a session meanwhile.
pub async fn however_many_sign_in_at_once_no_account_has_too_many_sessions(it: IdentityUnderTest) {
    let user = it.a_user("ada@example.org").await.id;
    let policy = SessionPolicy { max_sessions: 3, ..policy() };
    at_once(20, |n| {
        let it = it.clone();
        async move {
            let now = NOON + Duration::microseconds(i64::try_from(n).unwrap());
            let mut tx = it.store.begin().await.unwrap();
            tx.users().lock(user).await.unwrap().unwrap();
            for mut session in to_evict(tx.sessions().lock_live(user, now, &policy).await.unwrap(), &policy) {
                assert!(session.end(EndReason::Evicted, now));
                assert!(tx.sessions().save(&session).await.unwrap());
            }
            tx.sessions().add(&Session { created_at: now, rotated_at: now, ..a_session(user) }).await.unwrap();
            tx.commit().await.unwrap();
        }
    })
    .await;
    let counts = it.store.count_sessions(user, NOON + Duration::SECOND, &policy).await.unwrap();
    assert_eq!(counts, SessionCounts { live: 3, total: 20 });
}

/// Nodes whose clocks are an hour ahead, or were never set, end sessions as good as any other.
pub async fn what_was_ended_is_told_by_the_stores_own_clock(it: IdentityUnderTest) {
    let user = it.a_user("ada@example.org").await.id;
    it.signed_in(a_session(user)).await;
    let now = OffsetDateTime::now_utc();
    let earlier = it.signed_in(ended(a_session(user), now + Duration::HOUR)).await.id;
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    let then = Instant::now();
    let mut later = Vec::new();
    for at in [OffsetDateTime::UNIX_EPOCH, now - Duration::minutes(3), now, now + Duration::HOUR] {
        let session = it.signed_in(a_session(user)).await;
        assert!(it.save(&ended(session.clone(), at)).await);
        later.push(session.id);
    }
    let at_once = it.signed_in(ended(a_session(user), now - Duration::DAY)).await;
    assert!(!it.save(&Session { generation: 2, ..at_once.clone() }).await, "it is over");
    later.push(at_once.id);
    let told = async |span: Duration| {
        let mut told = it.store.ended_within(span).await.unwrap();
        told.sort();
        told
    };
    let since_then = Duration::try_from(then.elapsed()).unwrap() + Duration::SECOND;
    later.sort();
    assert_eq!(told(since_then).await, later);
    let mut all = [&later[..], &[earlier]].concat();
    all.sort();
    assert_eq!(told(since_then + Duration::minutes(5)).await, all);
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    assert_eq!(told(Duration::ZERO).await, []);
}

pub async fn a_confirmation_counts_for_the_newest_generation_only(it: IdentityUnderTest) {
    let session = it.a_session("ada@example.org").await;
    let other = it.signed_in(a_session(session.user)).await;
    it.store.confirm(SessionId(Uuid::now_v7()), 1).await.unwrap();
    for generation in [0, 2, u32::MAX] {
        it.store.confirm(session.id, generation).await.unwrap();
        assert_eq!(it.kept(session.id).await, session);
    }
    for _ in 0..2 {
        it.store.confirm(session.id, 1).await.unwrap();
        assert_eq!(it.kept(session.id).await, Session { confirmed: true, ..session.clone() });
    }
    assert_eq!(it.kept(other.id).await, other);
}

/// The refresh holds the session first: what arrives meanwhile waits for it and must then find a newer generation.
pub async fn a_confirmation_that_meets_a_refresh_confirms_the_older_generation_or_nothing(it: IdentityUnderTest) {
    let id = it.a_session("ada@example.org").await.id;
    let mut tx = it.store.begin().await.unwrap();
    let mut session = tx.sessions().lock(id).await.unwrap().unwrap();
    let store = it.store.clone();
    let confirming = tokio::spawn(async move { store.confirm(id, 1).await });
    tokio::task::yield_now().await;
    assert_eq!(session.present(1, None, NOON, &policy()), Ok(Presented::Rotated));
    assert!(tx.sessions().save(&session).await.unwrap());
    tx.commit().await.unwrap();
    confirming.await.unwrap().unwrap();
    assert_eq!(it.kept(id).await, session, "generation 2 is not confirmed by generation 1's token");
}
