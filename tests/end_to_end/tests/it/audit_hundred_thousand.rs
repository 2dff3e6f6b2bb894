//! A hundred thousand entries of 64 writers on PostgreSQL, sealed meanwhile by two nodes, and what `coinlink audit verify` says
//! of them before and after somebody with all rights lays hands on them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use coinlink_domain::shared::audit::AuditEntry;
use coinlink_end_to_end_tests::{Serve, UNLIMITED, eventually};
use coinlink_ports::identity::IdentityStore as _;
use coinlink_postgres::{ConnectSettings, Database, SqlIdentityStore};
use coinlink_testkit::{
    servers::{Launch, TestDatabase, built_binary, fresh_database, shared_redis},
    shared::PlainSecretBox,
    upstream_stub::StubUpstream,
};
use futures_util::future::try_join_all;
use time::OffsetDateTime;
use uuid::Uuid;

const WRITERS: usize = 64;
/// 100,032 in all.
const EACH: usize = 1_563;
/// Entries in one transaction.
const AT_ONCE: usize = 250;
const PATIENCE: Duration = Duration::from_mins(3);

/// One writer's share, through the port that the use cases write with.
async fn write(store: Arc<SqlIdentityStore>) {
    let mut left = EACH;
    while left > 0 {
        let now = left.min(AT_ONCE);
        let mut tx = store.begin().await.unwrap();
        for _ in 0..now {
            let entry = AuditEntry::new(Uuid::now_v7(), OffsetDateTime::now_utc(), "auth.sign_in", "session");
            tx.audit().record(&entry.by(Uuid::now_v7()).detail("device", "new")).await.unwrap();
        }
        tx.commit().await.unwrap();
        left -= now;
    }
}

async fn verify(place: &TestDatabase) -> (Option<i32>, String) {
    let launch = Launch::new(built_binary("coinlink")).args(["audit", "verify"]);
    let launch = launch.env("DATABASE_URL", &place.url).env("PASSWORD_PEPPER", "fedcba9876543210fedcba9876543210-e2e");
    let mut run = launch.start();
    let code = run.wait().await.code();
    (code, run.log())
}

/// The lines that say what was found.
async fn findings(place: &TestDatabase) -> Vec<String> {
    let (code, said) = verify(place).await;
    assert_eq!(code, Some(1), "{said}");
    said.lines().filter_map(|line| line.strip_prefix("- ")).map(str::to_owned).collect()
}

async fn finds_only(place: &TestDatabase, begins: &str) {
    let found = findings(place).await;
    assert!(found.len() == 1 && found[0].starts_with(begins), "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_thousand_entries_of_64_writers_verify_and_whatever_is_done_to_them_is_told() {
    let (stub, place, redis) = (StubUpstream::start().await, fresh_database().await, shared_redis().await);
    let cluster = Serve { database: &place.url, redis: &redis.url(), prefix: &redis.fresh_prefix() };
    let mut nodes = cluster.start_with(2, &stub, &UNLIMITED).await;
    let patient = ConnectSettings {
        max_connections: 24,
        acquire_timeout: PATIENCE,
        statement_timeout: PATIENCE,
        ..ConnectSettings::new(&place.url)
    };
    let database = Database::connect(&patient).await.unwrap();
    let store = Arc::new(SqlIdentityStore::new(database.clone(), Arc::new(PlainSecretBox::default())));
    let began = Instant::now();
    try_join_all((0..WRITERS).map(|_| tokio::spawn(write(Arc::clone(&store))))).await.unwrap();
    let written = began.elapsed();
    database.close().await.unwrap();
    eventually("all of it is sealed", PATIENCE, async || {
        place.count("audit_seals").await == i64::try_from(WRITERS * EACH).unwrap()
    })
    .await;
    let sealed = began.elapsed();
    for node in &mut nodes {
        node.process.terminate();
        assert!(node.process.wait().await.success());
    }

    let began = Instant::now();
    let (code, said) = verify(&place).await;
    assert!(code == Some(0) && said.contains("The audit log is sound: 100032 sealed entries"), "{said}");
    assert!(!said.contains("Warning"), "{said}");
    let verified = began.elapsed();
    assert!(verified < Duration::from_mins(1), "written in {written:?}, sealed in {sealed:?}, verified in {verified:?}");

    let row = "id = (SELECT audit_id FROM audit_seals WHERE seq = 50000)";
    let edit = |device: &str| format!("UPDATE audit_log SET details = '{{\"device\":\"{device}\"}}' WHERE {row}");
    place.tamper(&edit("known")).await;
    finds_only(&place, "entry edited: ").await;
    place.tamper(&edit("new")).await;

    place.tamper(&format!("CREATE TABLE taken AS SELECT * FROM audit_log WHERE {row}; DELETE FROM audit_log WHERE {row}")).await;
    finds_only(&place, "entry deleted: ").await;
    place.tamper("INSERT INTO audit_log SELECT * FROM taken").await;

    let exchange = "UPDATE audit_seals SET seq = 1000070000 WHERE seq = 70000; UPDATE audit_seals SET seq = 70000 WHERE seq = 7;
                    UPDATE audit_seals SET seq = 7 WHERE seq = 1000070000";
    place.tamper(exchange).await;
    let found = findings(&place).await;
    for told in ["seals reordered: the one at 7 was made as 70000", "seals reordered: the one at 70000 was made as 7"] {
        assert!(found.iter().any(|line| line == told), "{found:?}");
    }
    place.tamper(exchange).await;

    // That this is all that is found shows that the rest was put back.
    let cut = "DELETE FROM audit_log WHERE id IN (SELECT audit_id FROM audit_seals WHERE seq > 98000);
               DELETE FROM audit_seals WHERE seq > 98000";
    place.tamper(cut).await;
    finds_only(&place, "tail cut off: the chain ends at seal 98000, but a stored checkpoint").await;
}
