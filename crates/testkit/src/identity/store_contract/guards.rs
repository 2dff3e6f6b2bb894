//! Counters of failed attempts.

use std::net::IpAddr;

use coinlink_domain::identity::{Attempts, GuardKey, GuardPolicies, guard_keys};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{
    super::{NOON, an_email},
    IdentityUnderTest, at_once,
};

fn policies() -> GuardPolicies {
    GuardPolicies::default()
}

fn keys_from(ip: &str) -> Vec<GuardKey> {
    guard_keys(&an_email("ada@example.org"), Some(ip.parse().unwrap()), None)
}

fn account() -> GuardKey {
    GuardKey::Account(an_email("ada@example.org"))
}

async fn reserve(it: &IdentityUnderTest, keys: &[GuardKey], now: OffsetDateTime) -> Result<(), OffsetDateTime> {
    let mut tx = it.store.begin().await.unwrap();
    let reserved = tx.guards().reserve(keys, now, &policies()).await.unwrap();
    tx.commit().await.unwrap();
    reserved
}

async fn known(it: &IdentityUnderTest, key: &GuardKey) -> Attempts {
    let mut tx = it.store.begin().await.unwrap();
    tx.guards().attempts(key).await.unwrap()
}

pub async fn a_guess_is_counted_under_all_its_keys(it: IdentityUnderTest) {
    let device = [GuardKey::Device(an_email("ada@example.org"), Uuid::now_v7())];
    for keys in [&keys_from("192.0.2.1")[..], &keys_from("2001:db8::")[1..], &device[..]] {
        for key in keys {
            assert_eq!(known(&it, key).await, Attempts::default());
        }
        let now = NOON + Duration::microseconds(123_457);
        for failures in 1..=2 {
            assert_eq!(reserve(&it, keys, now).await, Ok(()));
            for key in keys {
                assert_eq!(known(&it, key).await, Attempts { failures, last_at: Some(now), delayed_until: None });
            }
        }
    }
    assert_eq!(known(&it, &GuardKey::Account(an_email("bob@example.org"))).await, Attempts::default());
}

pub async fn while_one_key_is_delayed_nothing_is_counted_under_any(it: IdentityUnderTest) {
    let [account, address, pair] = &keys_from("192.0.2.1")[..] else { panic!("three keys") };
    let one = std::slice::from_ref;
    for _ in 0..6 {
        assert_eq!(reserve(&it, one(pair), NOON).await, Ok(()));
    }
    let pair_until = NOON + policies().pair.base;
    assert_eq!(reserve(&it, &keys_from("192.0.2.1"), NOON).await, Err(pair_until));
    for key in [account, address] {
        assert_eq!(known(&it, key).await, Attempts::default());
    }
    for _ in 0..21 {
        assert_eq!(reserve(&it, one(account), NOON).await, Ok(()));
    }
    let account_until = NOON + policies().account.base;
    let before = [known(&it, account).await, known(&it, address).await, known(&it, pair).await];
    assert_eq!(reserve(&it, &keys_from("192.0.2.1"), NOON).await, Err(account_until), "the latest of their delays");
    let late = account_until - Duration::MICROSECOND;
    assert_eq!(reserve(&it, &keys_from("192.0.2.1"), late).await, Err(account_until));
    assert_eq!([known(&it, account).await, known(&it, address).await, known(&it, pair).await], before);
    assert_eq!(reserve(&it, &keys_from("192.0.2.1"), account_until).await, Ok(()));
}

/// Also where no counter was there before, which no lock on a row could have held.
pub async fn of_a_hundred_guesses_at_once_the_free_ones_and_one_more_are_admitted(it: IdentityUnderTest) {
    let rounds: [(Vec<GuardKey>, u32); 3] = [
        (keys_from("192.0.2.1"), policies().pair.free),
        (vec![GuardKey::Address("192.0.2.2".parse().unwrap())], policies().address.free),
        (vec![GuardKey::Device(an_email("ada@example.org"), Uuid::now_v7())], policies().device.free),
    ];
    for (keys, free) in rounds {
        let answers = at_once(100, |_| {
            let (it, keys) = (it.clone(), keys.clone());
            async move { reserve(&it, &keys, NOON).await }
        });
        let admitted = answers.await.into_iter().flatten().count();
        assert_eq!(admitted, usize::try_from(free).unwrap() + 1);
        for key in &keys {
            assert_eq!(known(&it, key).await.failures, free + 1);
        }
    }
}

/// Every guess is for one account, half of them from one address.
pub async fn guesses_that_share_some_keys_neither_deadlock_nor_get_lost(it: IdentityUnderTest) {
    let answers = at_once(40, |n| {
        let host = if n % 2 == 0 { 0 } else { u8::try_from(n).unwrap() };
        let email = if n % 2 == 0 { an_email(&format!("u{n}@example.org")) } else { an_email("ada@example.org") };
        let (it, keys) = (it.clone(), guard_keys(&email, Some(IpAddr::from([192, 0, 2, host])), None));
        async move { reserve(&it, &keys, NOON).await }
    });
    assert!(answers.await.into_iter().all(|answer| answer.is_ok()));
    assert_eq!(known(&it, &account()).await.failures, 20);
    assert_eq!(known(&it, &GuardKey::Address(IpAddr::from([192, 0, 2, 0]))).await.failures, 20);
}

pub async fn a_reservation_that_is_rolled_back_never_was(it: IdentityUnderTest) {
    let mut tx = it.store.begin().await.unwrap();
    assert_eq!(tx.guards().reserve(&[account()], NOON, &policies()).await.unwrap(), Ok(()));
    assert_eq!(tx.guards().attempts(&account()).await.unwrap().failures, 1);
    drop(tx);
    assert_eq!(known(&it, &account()).await, Attempts::default());
}

pub async fn what_is_given_back_is_free_again(it: IdentityUnderTest) {
    let keys = keys_from("192.0.2.1");
    for _ in 0..5 {
        assert_eq!(reserve(&it, &keys, NOON).await, Ok(()));
    }
    for _ in 0..30 {
        assert_eq!(reserve(&it, &keys, NOON).await, Ok(()), "the owner never waits");
        let mut tx = it.store.begin().await.unwrap();
        tx.guards().give_back(&keys, NOON, &policies()).await.unwrap();
        tx.commit().await.unwrap();
    }
    for key in &keys {
        assert_eq!(known(&it, key).await, Attempts { failures: 5, last_at: Some(NOON), delayed_until: None });
    }
}

pub async fn giving_back_what_was_forgotten_leaves_nothing_behind(it: IdentityUnderTest) {
    let keys = keys_from("192.0.2.1");
    assert_eq!(reserve(&it, &keys[..1], NOON).await, Ok(()));
    let mut tx = it.store.begin().await.unwrap();
    tx.guards().give_back(&keys, NOON, &policies()).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(known(&it, &keys[0]).await, Attempts { failures: 0, last_at: Some(NOON), delayed_until: None });
    let now = NOON + Duration::DAY;
    assert_eq!(it.store.prune(now, &coinlink_domain::identity::SessionPolicy::default(), 10).await.unwrap(), 1);
}
