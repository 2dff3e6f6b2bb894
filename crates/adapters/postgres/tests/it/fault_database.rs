//! What a store says while its database is away or takes no writes, how soon, and that it recovers by itself.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::{
    fs,
    sync::Arc,
    time::{Duration, Instant},
};

use coinlink_ports::{market::LastKnownPrices, operations::DependencyProbe, shared::StoreError};
use coinlink_postgres::{ConnectSettings, Database, DatabaseProbe, SqlLastKnownPrices};
use coinlink_testkit::{market::a_quote, servers::PrivatePostgres};
use sea_orm::ConnectionTrait as _;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::Notify,
};

/// The deadline of [`ConnectSettings::new`], and what a busy machine adds.
const IN_TIME: Duration = Duration::from_millis(3_500);

async fn is_unavailable_in_time<T: std::fmt::Debug>(call: impl Future<Output = Result<T, StoreError>>) {
    let asked = Instant::now();
    let answer = call.await;
    assert!(asked.elapsed() < IN_TIME, "{:?}", asked.elapsed());
    assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
}

/// Polls as the readiness check does.
async fn recovers(probe: &DatabaseProbe) {
    let started = Instant::now();
    while let Err(error) = probe.check().await {
        assert!(started.elapsed() < Duration::from_secs(10), "{error}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_stopped_database_is_unavailable_in_time_and_used_again_when_it_is_back() {
    let mut server = PrivatePostgres::durable().await;
    let place = server.fresh_database().await;
    let database = Database::connect(&ConnectSettings::new(&place.url)).await.unwrap();
    let (store, probe) = (SqlLastKnownPrices::new(database.clone()), DatabaseProbe::new(database));
    let quotes = [a_quote("BTC", "104718.1")];
    store.remember(&quotes).await.unwrap();
    for crash in [false, true] {
        if crash {
            server.kill();
        } else {
            server.stop().await;
        }
        is_unavailable_in_time(store.remember(&quotes)).await;
        is_unavailable_in_time(store.recall()).await;
        server.start_again().await;
        recovers(&probe).await;
        assert_eq!(store.recall().await.unwrap(), quotes);
    }
}

/// As a restore is until its end, and a standby until it takes over.
#[tokio::test]
async fn a_database_that_takes_no_writes_yet_is_not_up_and_is_used_again_when_it_does() {
    let mut server = PrivatePostgres::durable().await;
    let place = server.fresh_database().await;
    let connect = async || Database::connect(&ConnectSettings::new(&place.url)).await.unwrap();
    let quotes = [a_quote("BTC", "104718.1")];
    SqlLastKnownPrices::new(connect().await).remember(&quotes).await.unwrap();
    server.stop().await;
    fs::write(server.directory().join("data/standby.signal"), "").unwrap();
    server.start_again().await;
    let database = connect().await;
    let (store, probe) = (SqlLastKnownPrices::new(database.clone()), DatabaseProbe::new(database));
    let said = probe.check().await.unwrap_err();
    assert!(said.contains("takes no writes"), "{said}");
    is_unavailable_in_time(store.remember(&quotes)).await;
    assert_eq!(store.recall().await.unwrap(), quotes, "it is read meanwhile");
    let operator = sea_orm::Database::connect(&place.url).await.unwrap();
    operator.execute_unprepared("SELECT pg_promote()").await.unwrap();
    recovers(&probe).await;
    store.remember(&quotes).await.unwrap();
}

#[tokio::test]
async fn a_database_that_was_set_to_take_no_writes_is_not_up() {
    let server = PrivatePostgres::start().await;
    let place = server.fresh_database().await;
    let operator = sea_orm::Database::connect(&server.url()).await.unwrap();
    operator.execute_unprepared("ALTER SYSTEM SET default_transaction_read_only = on").await.unwrap();
    operator.execute_unprepared("SELECT pg_reload_conf()").await.unwrap();
    let probe = DatabaseProbe::new(Database::connect(&ConnectSettings::new(&place.url)).await.unwrap());
    let started = Instant::now();
    while probe.check().await.is_ok() {
        assert!(started.elapsed() < Duration::from_secs(10), "it is up");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(probe.check().await.unwrap_err().contains("takes no writes"));
    operator.execute_unprepared("SET default_transaction_read_only = off").await.unwrap();
    operator.execute_unprepared("ALTER SYSTEM RESET default_transaction_read_only").await.unwrap();
    operator.execute_unprepared("SELECT pg_reload_conf()").await.unwrap();
    recovers(&probe).await;
}

/// More calls than the pool has connections, so that one left behind by each would use it up.
#[tokio::test]
async fn a_frozen_database_is_unavailable_in_time_and_uses_up_no_connections() {
    let server = PrivatePostgres::start().await;
    let place = server.fresh_database().await;
    let settings = ConnectSettings { max_connections: 2, ..ConnectSettings::new(&place.url) };
    let database = Database::connect(&settings).await.unwrap();
    let (store, probe) = (SqlLastKnownPrices::new(database.clone()), DatabaseProbe::new(database));
    let quotes = [a_quote("BTC", "104718.1")];
    store.remember(&quotes).await.unwrap();
    server.freeze();
    for _ in 0..3 {
        tokio::join!(is_unavailable_in_time(store.remember(&quotes)), is_unavailable_in_time(store.recall()));
    }
    assert!(probe.check().await.is_err());
    server.thaw();
    recovers(&probe).await;
    tokio::try_join!(store.recall(), store.recall(), store.recall()).unwrap();
}

/// A way to the server at `port` whose connections of the moment go silent when it is told: open, and nobody there. Later
/// ones work.
async fn a_way_that_can_go_silent(port: u16) -> (u16, Arc<Notify>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (way, silence) = (listener.local_addr().unwrap().port(), Arc::new(Notify::new()));
    let told = silence.clone();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let told = told.clone();
            tokio::spawn(async move {
                let mut server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                tokio::select! {
                    _ = copy_bidirectional(&mut client, &mut server) => {}
                    () = told.notified() => std::future::pending().await,
                }
            });
        }
    });
    (way, silence)
}

#[tokio::test]
async fn connections_that_went_silent_do_not_use_up_the_pool() {
    let server = PrivatePostgres::start().await;
    let place = server.fresh_database().await;
    let port = server.address().port.to_string();
    let (way, silence) = a_way_that_can_go_silent(server.address().port).await;
    let url = place.url.replace(&port, &way.to_string());
    let settings = ConnectSettings { max_connections: 2, ..ConnectSettings::new(url) };
    let database = Database::connect(&settings).await.unwrap();
    let (store, probe) = (SqlLastKnownPrices::new(database.clone()), DatabaseProbe::new(database));
    tokio::try_join!(store.recall(), store.recall()).unwrap();
    silence.notify_waiters();
    tokio::join!(is_unavailable_in_time(store.recall()), is_unavailable_in_time(store.recall()));
    recovers(&probe).await;
    tokio::try_join!(store.recall(), store.recall()).unwrap();
}

/// The server itself ends a statement that takes too long, so that it holds nothing for a caller who has gone.
#[tokio::test]
async fn a_writer_that_waits_too_long_for_another_gives_up() {
    let server = PrivatePostgres::start().await;
    let place = server.fresh_database().await;
    let store = SqlLastKnownPrices::new(Database::connect(&ConnectSettings::new(&place.url)).await.unwrap());
    let other = sea_orm::Database::connect(&place.url).await.unwrap();
    let blocking = sea_orm::TransactionTrait::begin(&other).await.unwrap();
    sea_orm::ConnectionTrait::execute_unprepared(&blocking, "LOCK TABLE last_known_prices").await.unwrap();
    is_unavailable_in_time(store.remember(&[a_quote("BTC", "1")])).await;
    blocking.rollback().await.unwrap();
    store.remember(&[a_quote("BTC", "1")]).await.unwrap();
}
