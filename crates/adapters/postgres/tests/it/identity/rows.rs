//! What is in the tables, beside what the store tells of it.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use coinlink_domain::identity::{GuardPolicies, guard_keys};
use coinlink_testkit::identity::{NOON, an_email};
use sea_orm::{ConnectionTrait, Statement};

use crate::identity::{
    corruption::filled,
    place::{Place, on_postgres, on_sqlite},
};

/// What counters are called.
async fn counters(place: &Place) -> Vec<String> {
    let all = Statement::from_string(place.sql.get_database_backend(), "SELECT key FROM sign_in_guards");
    place.sql.query_all_raw(all).await.unwrap().iter().map(|row| row.try_get("", "key").unwrap()).collect()
}

/// Whoever reads the table learns neither who tried to sign in nor from where.
#[tokio::test]
async fn counters_tell_nobodys_address() {
    let place = on_sqlite().await;
    filled(&place).await;
    let keys = counters(&place).await;
    assert!(keys.len() == 1 && keys[0].starts_with("account:") && !keys[0].contains("ada"), "{keys:?}");
}

/// Else whoever is delayed could fill the table by naming a new address each time.
#[tokio::test]
async fn neither_a_refused_guess_nor_one_given_back_too_late_leaves_a_row() {
    for place in [on_postgres().await, on_sqlite().await] {
        let (store, policies) = (place.it.store.clone(), GuardPolicies::default());
        let strangers = |n: u32| guard_keys(&an_email(&format!("u{n}@example.org")), Some("192.0.2.1".parse().unwrap()), None);
        let [_, address, _] = &strangers(0)[..] else { panic!("three keys") };
        for _ in 0..=policies.address.free {
            let mut tx = store.begin().await.unwrap();
            tx.guards().reserve(std::slice::from_ref(address), NOON, &policies).await.unwrap().unwrap();
            tx.commit().await.unwrap();
        }
        for n in 1..5 {
            let mut tx = store.begin().await.unwrap();
            tx.guards().reserve(&strangers(n), NOON, &policies).await.unwrap().unwrap_err();
            tx.guards().give_back(&strangers(n)[..1], NOON, &policies).await.unwrap();
            tx.commit().await.unwrap();
        }
        assert_eq!(counters(&place).await.len(), 1);
    }
}

/// An account takes with it what is only its own.
#[tokio::test]
async fn a_removed_account_takes_its_sessions_and_preferences_with_it() {
    for place in [on_postgres().await, on_sqlite().await] {
        let (account, session) = filled(&place).await;
        assert_eq!(place.sql.execute_unprepared("DELETE FROM users").await.unwrap().rows_affected(), 1);
        assert_eq!(place.it.store.session(session.id).await.unwrap(), None);
        assert_eq!(place.it.store.preferences(account.user.id).await.unwrap(), None);
    }
}
