#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    time::{Duration as StdDuration, Instant},
};

use coinlink_credentials::{BcryptPool, CredentialsError, HashSettings};
use coinlink_domain::identity::{Password, StoredPassword};
use coinlink_ports::identity::{HashError, PasswordCheck, PasswordHasher as _};
use proptest::prelude::*;
use time::Duration;

fn settings() -> HashSettings {
    HashSettings {
        pepper: "a pepper of at least thirty-two bytes".into(),
        cost: 10,
        threads: 1,
        queue: 8,
        deadline: Duration::seconds(60),
    }
}

/// A pool, and how often it hashed.
fn counted(settings: HashSettings) -> (Arc<BcryptPool>, Arc<AtomicUsize>) {
    let hashes = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&hashes);
    let pool = BcryptPool::start(settings, move |_| {
        count.fetch_add(1, Ordering::SeqCst);
    });
    (Arc::new(pool.unwrap()), hashes)
}

/// A pool of one thread, which is held after each hash until it is let go.
fn held(settings: HashSettings) -> (Arc<BcryptPool>, Arc<AtomicUsize>, mpsc::SyncSender<()>) {
    let hashes = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&hashes);
    let (go, wait) = mpsc::sync_channel(64);
    let wait = std::sync::Mutex::new(wait);
    let pool = BcryptPool::start(settings, move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        let _ = wait.lock().unwrap().recv();
    });
    (Arc::new(pool.unwrap()), hashes, go)
}

fn password(text: &str) -> Password {
    Password::new(text.to_owned())
}

async fn until(what: impl Fn() -> bool) {
    let begun = Instant::now();
    while !what() {
        assert!(begun.elapsed() < StdDuration::from_secs(30), "it never came to be");
        tokio::task::yield_now().await;
    }
}

const MATCHES: PasswordCheck = PasswordCheck { matches: true, outdated: false };
const DIFFERS: PasswordCheck = PasswordCheck { matches: false, outdated: false };
const LOST: PasswordCheck = PasswordCheck { matches: false, outdated: true };

#[tokio::test]
async fn a_password_matches_what_was_kept_of_it_and_no_two_are_kept_alike() {
    let (pool, _) = counted(settings());
    let typed = password("Correct-horse-9-battery");
    let (kept, again) = (pool.hash(&typed).await.unwrap(), pool.hash(&typed).await.unwrap());
    assert!(kept.hash.starts_with("$2b$10$") && kept.hash.len() == 60 && kept.hash != again.hash);
    assert!(kept.pepper_id.len() == 16 && kept.pepper_id.bytes().all(|b| b.is_ascii_hexdigit()));
    assert_eq!(pool.check(&typed, Some(&kept)).await, Ok(MATCHES));
    assert_eq!(pool.check(&typed, Some(&again)).await, Ok(MATCHES));
    assert_eq!(pool.check(&password("Correct-horse-9-batterx"), Some(&kept)).await, Ok(DIFFERS));
    assert_eq!(pool.check(&typed, None).await, Ok(DIFFERS));
}

#[tokio::test]
async fn all_of_a_password_counts_whatever_its_length_and_letters() {
    let (pool, _) = counted(settings());
    let same_front = "a".repeat(72);
    for (one, other) in [
        (format!("{same_front}1"), format!("{same_front}2")),
        ("🔑".repeat(64), format!("{}🗝", "🔑".repeat(63))),
        ("before\0after".into(), "before\0other".into()),
        ("before\0after".into(), "before".into()),
        ("ends with a space ".into(), "ends with a space".into()),
        ("Case".into(), "case".into()),
    ] {
        let kept = pool.hash(&password(&one)).await.unwrap();
        assert_eq!(pool.check(&password(&one), Some(&kept)).await, Ok(MATCHES), "{one:?}");
        assert_eq!(pool.check(&password(&other), Some(&kept)).await, Ok(DIFFERS), "{other:?}");
    }
}

#[tokio::test]
async fn the_same_characters_match_however_a_keyboard_composes_them() {
    let (pool, _) = counted(settings());
    for (one, other) in [
        ("Zo\u{eb}-caf\u{e9}", "Zoe\u{308}-cafe\u{301}"),
        ("\u{fb01}ne-\u{ff11}\u{2460}", "fine-11"),
        ("\u{fdfa}", "صلى الله عليه وسلم"),
    ] {
        let kept = pool.hash(&password(one)).await.unwrap();
        assert_eq!(pool.check(&password(other), Some(&kept)).await, Ok(MATCHES), "{one:?} {other:?}");
    }
}

#[tokio::test]
async fn every_call_is_told_once_whatever_it_finds() {
    let (pool, hashes) = counted(settings());
    let typed = password("Correct-horse-9-battery");
    let kept = pool.hash(&typed).await.unwrap();
    let with = |hash: String| Some(StoredPassword { hash, ..kept.clone() });
    let cases = [
        (Some(kept.clone()), MATCHES),
        (None, DIFFERS),
        (Some(StoredPassword { pepper_id: "0123456789abcdef".into(), ..kept.clone() }), LOST),
        (with(kept.hash.replace("$2b$10", "$2b$31")), LOST),
        (with(kept.hash.replace("$2b$10", "$2b$16")), LOST),
        (with(kept.hash.replace("$2b$10", "$2b$09")), LOST),
        (with(kept.hash.replace("$2b$10", "$2b$04")), LOST),
        (with(kept.hash.replace("$2b$", "$2y$")), LOST),
        (with(kept.hash[..59].to_owned()), LOST),
        (with(format!("{}é", &kept.hash[..58])), LOST),
        (with("-".repeat(60)), LOST),
        (with(String::new()), LOST),
    ];
    for (at, (stored, expected)) in cases.iter().enumerate() {
        assert_eq!(pool.check(&typed, stored.as_ref()).await, Ok(*expected), "{stored:?}");
        assert_eq!(hashes.load(Ordering::SeqCst), at + 2, "{stored:?}");
    }
}

#[tokio::test]
async fn a_hash_that_would_take_days_costs_no_more_than_a_wrong_password() {
    let (pool, _) = counted(settings());
    let typed = password("Correct-horse-9-battery");
    let mut kept = pool.hash(&typed).await.unwrap();
    let begun = Instant::now();
    pool.check(&password("wrong"), Some(&kept)).await.unwrap();
    let usual = begun.elapsed();
    kept.hash = kept.hash.replace("$2b$10", "$2b$31");
    let begun = Instant::now();
    assert_eq!(pool.check(&typed, Some(&kept)).await, Ok(LOST));
    assert!(begun.elapsed() < usual * 20 + StdDuration::from_secs(1), "{:?} {usual:?}", begun.elapsed());
}

#[tokio::test]
async fn what_was_kept_at_another_cost_matches_and_is_outdated() {
    let (before, _) = counted(settings());
    let (after, hashes) = counted(HashSettings { cost: 11, ..settings() });
    let typed = password("Correct-horse-9-battery");
    let kept = before.hash(&typed).await.unwrap();
    assert_eq!(after.check(&typed, Some(&kept)).await, Ok(PasswordCheck { matches: true, outdated: true }));
    assert_eq!(after.check(&password("wrong"), Some(&kept)).await, Ok(LOST));
    assert_eq!(hashes.load(Ordering::SeqCst), 2, "whatever it takes is told as one");
}

#[tokio::test]
async fn another_pepper_matches_nothing() {
    let (ours, _) = counted(settings());
    let (theirs, hashes) = counted(HashSettings { pepper: "another pepper of thirty-two bytes!".into(), ..settings() });
    let typed = password("Correct-horse-9-battery");
    let kept = ours.hash(&typed).await.unwrap();
    assert_eq!(theirs.check(&typed, Some(&kept)).await, Ok(LOST));
    // Even where the database claims that it is theirs.
    let pepper_id = theirs.hash(&typed).await.unwrap().pepper_id;
    assert_eq!(theirs.check(&typed, Some(&StoredPassword { pepper_id, ..kept })).await, Ok(DIFFERS));
    assert_eq!(hashes.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_full_queue_is_answered_at_once_and_says_when_to_come_back() {
    let (pool, hashes, go) = held(HashSettings { queue: 3, ..settings() });
    let call = |pool: &Arc<BcryptPool>| {
        let pool = Arc::clone(pool);
        tokio::spawn(async move { pool.check(&password("x"), None).await })
    };
    let first = call(&pool);
    until(|| hashes.load(Ordering::SeqCst) == 1).await;
    let waiting: Vec<_> = (0..3).map(|_| call(&pool)).collect();
    until(|| pool.waiting() == 3).await;

    let begun = Instant::now();
    for _ in 0..100 {
        let answered = tokio::time::timeout(StdDuration::from_secs(5), pool.check(&password("x"), None)).await;
        let Ok(Err(HashError::Busy { retry_after })) = answered else { panic!("there was room") };
        assert!(retry_after >= Duration::SECOND && retry_after < Duration::MINUTE, "{retry_after}");
    }
    assert!(begun.elapsed() < StdDuration::from_millis(100), "{:?}", begun.elapsed());

    for _ in 0..4 {
        go.send(()).unwrap();
    }
    for call in waiting.into_iter().chain([first]) {
        assert_eq!(call.await.unwrap(), Ok(DIFFERS));
    }
    assert_eq!((hashes.load(Ordering::SeqCst), pool.waiting()), (4, 0));
}

#[tokio::test]
async fn who_waits_past_the_deadline_is_sent_away_without_a_hash_and_makes_room() {
    let (pool, hashes, go) = held(HashSettings { queue: 1, deadline: Duration::milliseconds(50), ..settings() });
    let begun_with = {
        let pool = Arc::clone(&pool);
        tokio::spawn(async move { pool.check(&password("x"), None).await })
    };
    until(|| hashes.load(Ordering::SeqCst) == 1).await;
    for _ in 0..2 {
        assert!(matches!(pool.check(&password("x"), None).await, Err(HashError::Busy { .. })));
        assert_eq!(pool.waiting(), 0);
    }
    go.send(()).unwrap();
    assert_eq!(begun_with.await.unwrap(), Ok(DIFFERS), "what was begun in time is finished");
    assert_eq!(hashes.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn who_leaves_is_not_hashed_for_and_makes_room_at_once() {
    let (pool, hashes, go) = held(HashSettings { queue: 1, ..settings() });
    let call = |pool: &Arc<BcryptPool>| {
        let pool = Arc::clone(pool);
        tokio::spawn(async move { pool.hash(&password("x")).await })
    };
    let first = call(&pool);
    until(|| hashes.load(Ordering::SeqCst) == 1).await;
    for _ in 0..20 {
        let gone = call(&pool);
        until(|| pool.waiting() == 1).await;
        gone.abort();
        assert!(gone.await.is_err());
        assert_eq!(pool.waiting(), 0);
    }
    for _ in 0..2 {
        go.send(()).unwrap();
    }
    assert!(first.await.unwrap().is_ok());
    assert!(pool.hash(&password("x")).await.is_ok());
    assert_eq!(hashes.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_panic_fails_one_call_and_no_other() {
    let first = AtomicUsize::new(0);
    let pool = BcryptPool::start(settings(), move |_| {
        assert!(first.fetch_add(1, Ordering::SeqCst) != 0, "on purpose");
    })
    .unwrap();
    assert!(matches!(pool.hash(&password("x")).await, Err(HashError::Failed(_))));
    for _ in 0..3 {
        assert!(pool.hash(&password("x")).await.is_ok());
    }
}

#[test]
fn settings_that_would_be_no_protection_are_refused() {
    let refused = |settings: HashSettings| BcryptPool::start(settings, |_| {}).err();
    for cost in [0, 4, 9, 16, 31, u32::MAX] {
        assert!(matches!(refused(HashSettings { cost, ..settings() }), Some(CredentialsError::Cost(_))), "{cost}");
    }
    assert!(matches!(refused(HashSettings { pepper: "x".repeat(31).into(), ..settings() }), Some(CredentialsError::ShortPepper)));
    assert!(matches!(refused(HashSettings { queue: 0, ..settings() }), Some(CredentialsError::NoQueue)));
    for deadline in [Duration::ZERO, -Duration::SECOND] {
        assert!(matches!(refused(HashSettings { deadline, ..settings() }), Some(CredentialsError::NoQueue)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

    #[test]
    fn no_stored_text_panics_or_matches(hash in any::<String>(), cost in 0_u32..100, rest in "[./A-Za-z0-9]{53}") {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let (pool, hashes) = counted(settings());
        // Of another pepper, so that a hash of cost 15 is read but not computed.
        let pepper_id = "0".repeat(16);
        for hash in [hash, format!("$2b${cost:02}${rest}")] {
            let stored = StoredPassword { pepper_id: pepper_id.clone(), hash };
            let before = hashes.load(Ordering::SeqCst);
            let found = runtime.block_on(pool.check(&password("x"), Some(&stored))).unwrap();
            prop_assert!(!found.matches);
            prop_assert_eq!(hashes.load(Ordering::SeqCst), before + 1);
        }
    }
}

#[tokio::test]
async fn there_are_as_many_places_as_can_hash_and_wait_and_each_is_given_back() {
    let (pool, hashes) = counted(HashSettings { threads: 2, queue: 3, ..settings() });
    for _ in 0..2 {
        let places: Vec<_> = (0..5).map(|_| pool.place().unwrap()).collect();
        assert!(matches!(pool.place(), Err(HashError::Busy { retry_after }) if retry_after >= Duration::SECOND));
        drop(places);
    }
    assert_eq!(hashes.load(Ordering::SeqCst), 0, "a place is no hash");
}
