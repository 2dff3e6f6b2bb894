//! What a transaction says while its database is away or its rows are held, how soon, and that nothing stays held.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use coinlink_domain::identity::Session;
use coinlink_ports::{identity::IdentityStore, shared::StoreError};
use coinlink_postgres::{ConnectSettings, Database, SqlIdentityStore};
use coinlink_testkit::{
    identity::{a_session, an_account},
    servers::PrivatePostgres,
    shared::PlainSecretBox,
};

use crate::databases::{on_postgres, on_sqlite};

/// The deadline of [`ConnectSettings::new`], and what a busy machine adds.
const IN_TIME: Duration = Duration::from_millis(3_800);

/// With two connections, so that what is left behind is soon missed.
async fn store_at(url: &str) -> SqlIdentityStore {
    let settings = ConnectSettings { max_connections: 2, ..ConnectSettings::new(url) };
    SqlIdentityStore::new(Database::connect(&settings).await.unwrap(), Arc::new(PlainSecretBox::default()))
}

async fn signed_in(store: &SqlIdentityStore) -> Session {
    let account = an_account("ada@example.org");
    let session = a_session(account.user.id);
    let mut tx = store.begin().await.unwrap();
    tx.users().add(&account).await.unwrap();
    tx.sessions().add(&session).await.unwrap();
    tx.commit().await.unwrap();
    session
}

async fn is_unavailable_in_time<T>(call: impl Future<Output = Result<T, StoreError>>) {
    let asked = Instant::now();
    let error = call.await.err();
    assert!(asked.elapsed() < IN_TIME, "{:?}", asked.elapsed());
    assert!(matches!(error, Some(StoreError::Unavailable(_))), "{error:?}");
}

async fn lock_and_save(store: &SqlIdentityStore, session: &Session) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    tx.sessions().lock(session.id).await?;
    tx.sessions().save(session).await?;
    tx.commit().await
}

/// Until it works again, as the next requests would find it.
async fn recovers(store: &SqlIdentityStore, session: &Session) {
    let started = Instant::now();
    while let Err(error) = lock_and_save(store, session).await {
        assert!(started.elapsed() < Duration::from_secs(15), "{error:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    tokio::try_join!(lock_and_save(store, session), lock_and_save(store, session), lock_and_save(store, session)).unwrap();
}

#[tokio::test]
async fn transactions_on_a_frozen_database_end_in_time_and_hold_nothing_once_it_thaws() {
    let server = PrivatePostgres::start().await;
    let place = server.fresh_database().await;
    let store = store_at(&place.url).await;
    let session = signed_in(&store).await;
    let (mut one, other) = (store.begin().await.unwrap(), store.begin().await.unwrap());
    one.sessions().lock(session.id).await.unwrap();
    server.freeze();
    tokio::join!(is_unavailable_in_time(one.sessions().save(&session)), is_unavailable_in_time(other.commit()));
    is_unavailable_in_time(store.begin()).await;
    server.thaw();
    recovers(&store, &session).await;
    is_unavailable_in_time(one.commit()).await;
}

#[tokio::test]
async fn what_was_not_committed_when_the_database_died_never_was() {
    let mut server = PrivatePostgres::durable().await;
    let place = server.fresh_database().await;
    let store = store_at(&place.url).await;
    let session = signed_in(&store).await;
    let mut tx = store.begin().await.unwrap();
    assert!(tx.sessions().save(&Session { generation: 2, ..session.clone() }).await.unwrap());
    server.kill();
    is_unavailable_in_time(tx.commit()).await;
    server.start_again().await;
    recovers(&store, &session).await;
    assert_eq!(store.session(session.id).await.unwrap(), Some(session));
}

async fn whoever_waits_too_long_for_a_row_gives_up(store: &SqlIdentityStore) {
    let session = signed_in(store).await;
    let mut holder = store.begin().await.unwrap();
    holder.sessions().lock(session.id).await.unwrap();
    is_unavailable_in_time(lock_and_save(store, &session)).await;
    is_unavailable_in_time(store.confirm(session.id, 1)).await;
    assert!(holder.sessions().save(&Session { replays: 1, ..session.clone() }).await.unwrap());
    holder.commit().await.unwrap();
    recovers(store, &session).await;
}

#[tokio::test]
async fn whoever_waits_too_long_for_a_row_gives_up_on_postgres() {
    let place = on_postgres().await;
    whoever_waits_too_long_for_a_row_gives_up(&store_at(&place.url).await).await;
}

#[tokio::test]
async fn whoever_waits_too_long_for_a_row_gives_up_on_sqlite() {
    let place = on_sqlite().await;
    whoever_waits_too_long_for_a_row_gives_up(&store_at(&place.url).await).await;
}
