//! A value that nobody can have put there is told as what it is, without what stands beside it.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use coinlink_domain::identity::{GuardKey, GuardPolicies, Preferences, Session, SessionPolicy};
use coinlink_ports::{identity::Account, shared::StoreError};
use coinlink_testkit::identity::{NOON, a_session, an_account, an_email};
use sea_orm::ConnectionTrait;

use crate::identity::place::{Place, on_postgres, on_sqlite};

const SECRETS: [&str; 2] = ["$2b$12$", "FamilyKey(["];

pub(crate) async fn filled(place: &Place) -> (Account, Session) {
    let account = an_account("ada@example.org");
    let session = a_session(account.user.id);
    let mut tx = place.it.store.begin().await.unwrap();
    tx.users().add(&account).await.unwrap();
    tx.users().save_preferences(account.user.id, &Preferences::default()).await.unwrap();
    tx.sessions().add(&session).await.unwrap();
    tx.guards().reserve(&[guard()], NOON, &GuardPolicies::default()).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    (account, session)
}

fn guard() -> GuardKey {
    GuardKey::Account(an_email("ada@example.org"))
}

fn is_corrupt<T: std::fmt::Debug>(change: &str, answer: Result<T, StoreError>) {
    let error = answer.expect_err(change);
    assert!(matches!(error, StoreError::Corrupt { .. }), "{change}: {error:?}");
    let told = format!("{error} {error:?}");
    assert!(SECRETS.iter().all(|secret| !told.contains(secret)), "{told}");
}

async fn every_unreadable_value_is_told(place: Place) {
    let (account, session) = filled(&place).await;
    let (store, user) = (place.it.store.clone(), account.user.id);
    let change = async |sql: &str| assert_eq!(place.sql.execute_unprepared(sql).await.unwrap().rows_affected(), 1, "{sql}");
    for sql in ["email = 'ada'", "first_name = ''", "last_name = ''", "role = 'root'", "logins = -1", "logins = 4294967296"] {
        change(&format!("UPDATE users SET {sql}")).await;
        is_corrupt(sql, store.user(user).await);
        is_corrupt(sql, store.begin().await.unwrap().users().lock(user).await);
        let mut tx = store.begin().await.unwrap();
        let repaired = "email = 'ada@example.org', first_name = NULL, last_name = NULL, role = 'user', logins = 0";
        drop(tx.users().lock(user).await);
        drop(tx);
        change(&format!("UPDATE users SET {repaired}")).await;
        assert_eq!(store.user(user).await.unwrap(), Some(account.user.clone()));
    }
    let blob = if place.sql.get_database_backend() == sea_orm::DbBackend::Postgres { "'\\x00'::bytea" } else { "x'00'" };
    let (short, odd) = (format!("family_key = {blob}"), format!("retry_key = {blob}"));
    // The key goes last: it is not repaired.
    let changes = ["generation = -1", "replays = -1", "ip = 'nowhere'", "end_reason = 'removed'", &odd, &short];
    for sql in changes {
        change(&format!("UPDATE sessions SET {sql}")).await;
        is_corrupt(sql, store.session(session.id).await);
        is_corrupt(sql, store.live_sessions(user, NOON, &SessionPolicy::default()).await);
        is_corrupt(sql, store.begin().await.unwrap().sessions().lock(session.id).await);
        let repaired = "generation = 1, replays = 0, ip = NULL, end_reason = NULL, retry_key = NULL";
        change(&format!("UPDATE sessions SET {repaired}")).await;
    }
    change("UPDATE user_preferences SET theme = 'plaid'").await;
    is_corrupt("theme", store.preferences(user).await);
    change("UPDATE sign_in_guards SET failures = -1").await;
    is_corrupt("failures", store.begin().await.unwrap().guards().attempts(&guard()).await);
    let mut tx = store.begin().await.unwrap();
    is_corrupt("failures", tx.guards().reserve(&[guard()], NOON, &GuardPolicies::default()).await);
}

#[tokio::test]
async fn every_unreadable_value_is_told_on_postgres() {
    every_unreadable_value_is_told(on_postgres().await).await;
}

#[tokio::test]
async fn every_unreadable_value_is_told_on_sqlite() {
    every_unreadable_value_is_told(on_sqlite().await).await;
}
