//! What is refused to whom: changes of the audit log, its seals and its checkpoints.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use crate::audit_support::{Audited, on_postgres, on_sqlite};
use coinlink_domain::{
    operations::{CheckpointKey, Head},
    shared::audit::AuditEntry,
};
use coinlink_migration::{Migrator, MigratorTrait as _};
use coinlink_ports::operations::{Appended, AuditChain as _};
use coinlink_postgres::{ConnectSettings, Database, SqlAuditChain, SqlAuditLog};
use coinlink_testkit::{
    operations::{AuditedLog, FIRST, an_entry},
    servers::PrivatePostgres,
};
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use time::{OffsetDateTime, macros::datetime};
use uuid::Uuid;

const TABLES: [&str; 3] = ["audit_log", "audit_seals", "audit_checkpoints"];
/// A month that is not made before its time has long come.
const FAR_OFF: OffsetDateTime = datetime!(2199-01-01 0:00 UTC);

async fn refused(connection: &DatabaseConnection, sql: &str, why: &str) {
    let error = connection.execute_unprepared(sql).await.expect_err(sql).to_string();
    assert!(error.contains(why), "{sql}: {error}");
}

async fn count(connection: &DatabaseConnection, from: &str) -> i64 {
    let sql = Statement::from_string(connection.get_database_backend(), format!("SELECT count(*) FROM {from}"));
    connection.query_one_raw(sql).await.unwrap().unwrap().try_get_by_index(0).unwrap()
}

/// One row in each table.
async fn one_of_each(audited: &Audited) {
    audited.record(&an_entry(1)).await;
    let mut head = Head::EMPTY;
    let seal = head.seal(&an_entry(1), FIRST);
    let signed = CheckpointKey::new([7; 32]).sign(head, FIRST);
    audited.chain.append(Head::EMPTY, &[seal], Some(&signed)).await.unwrap();
}

#[tokio::test]
async fn on_postgres_no_row_is_changed_or_taken_away_even_by_the_owner() {
    let audited = on_postgres().await;
    one_of_each(&audited).await;
    audited.record(&AuditEntry { at: FAR_OFF, ..an_entry(2) }).await;
    audited.operator.execute_unprepared("SELECT audit_log_ensure_partitions(12)").await.unwrap();
    for (table, set) in [
        ("audit_log", "action = 'x'"),
        ("audit_log_default", "action = 'x'"),
        ("audit_seals", "seq = 2"),
        ("audit_checkpoints", "seq = 2"),
    ] {
        refused(&audited.operator, &format!("UPDATE {table} SET {set}"), "append-only: UPDATE is refused").await;
        refused(&audited.operator, &format!("DELETE FROM {table}"), "append-only: DELETE is refused").await;
        refused(&audited.operator, &format!("TRUNCATE {table}"), "append-only: TRUNCATE is refused").await;
    }
    let upsert = "INSERT INTO audit_seals SELECT * FROM audit_seals ON CONFLICT (seq) DO UPDATE SET audit_id = excluded.audit_id";
    refused(&audited.operator, upsert, "append-only: UPDATE is refused").await;
    for partition in partitions(&audited.operator).await {
        refused(&audited.operator, &format!("TRUNCATE {partition}"), "append-only: TRUNCATE is refused").await;
    }
    assert!(partitions(&audited.operator).await.len() > 12);
    assert_eq!([count(&audited.operator, "audit_log").await, count(&audited.operator, "audit_seals").await], [2, 1]);
}

async fn partitions(connection: &DatabaseConnection) -> Vec<String> {
    let sql = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'audit_log'::regclass ORDER BY 1";
    let rows = connection.query_all_raw(Statement::from_string(connection.get_database_backend(), sql)).await.unwrap();
    rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}

#[tokio::test]
async fn on_sqlite_no_row_is_changed_taken_away_or_replaced() {
    let audited = on_sqlite().await;
    one_of_each(&audited).await;
    for (table, set) in [("audit_log", "action = 'x'"), ("audit_seals", "seq = 2"), ("audit_checkpoints", "seq = 2")] {
        refused(&audited.operator, &format!("UPDATE {table} SET {set}"), "append-only: UPDATE is refused").await;
        refused(&audited.operator, &format!("DELETE FROM {table}"), "append-only: DELETE is refused").await;
        refused(&audited.operator, &format!("REPLACE INTO {table} SELECT * FROM {table}"), "append-only: REPLACE is refused")
            .await;
        assert_eq!(count(&audited.operator, table).await, 1);
    }
    let by_id = "REPLACE INTO audit_seals SELECT 2, audit_id, entry_at, sealed_at, entry_hash, chain_hash FROM audit_seals";
    refused(&audited.operator, by_id, "append-only: REPLACE is refused").await;
}

#[tokio::test]
async fn a_row_is_stored_by_its_month_and_where_there_is_none_in_the_default_partition() {
    let audited = on_postgres().await;
    audited.record(&AuditEntry { at: OffsetDateTime::now_utc(), ..an_entry(1) }).await;
    for (n, at) in [(2, OffsetDateTime::UNIX_EPOCH), (3, FAR_OFF)] {
        audited.record(&AuditEntry { at, ..an_entry(n) }).await;
    }
    assert_eq!(count(&audited.operator, "ONLY audit_log_default").await, 2);
    assert_eq!(count(&audited.operator, "audit_log").await, 3);
}

/// The job was not run for months, and rows of a month came before its partition.
#[tokio::test]
async fn months_are_made_in_advance_once_and_one_that_has_rows_elsewhere_is_left_there() {
    let audited = on_postgres().await;
    let before = partitions(&audited.operator).await.len();
    audited.chain.prepare().await.unwrap();
    assert_eq!(partitions(&audited.operator).await.len(), before);
    let in_five_months = "INSERT INTO audit_log (id, timestamp, action, resource_type, details, status)
        VALUES (gen_random_uuid(), date_trunc('month', now() AT TIME ZONE 'UTC') + interval '5 months 10 days', '', '', '{}', 'success')";
    audited.operator.execute_unprepared(in_five_months).await.unwrap();
    audited.operator.execute_unprepared("SELECT audit_log_ensure_partitions(6)").await.unwrap();
    assert_eq!(partitions(&audited.operator).await.len(), before + 2, "the fourth and the sixth");
    assert_eq!(count(&audited.operator, "ONLY audit_log_default").await, 1);
    for ahead in ["-1", "121", "NULL"] {
        refused(&audited.operator, &format!("SELECT audit_log_ensure_partitions({ahead})"), "a number of months").await;
    }
}

/// As an operator sets it up: the role first, then the schema as its owner, then the app as the role.
#[tokio::test]
async fn the_role_of_the_app_can_add_and_read_and_seal_and_nothing_else() {
    let server = PrivatePostgres::start().await;
    let owner = sea_orm::Database::connect(&server.url()).await.unwrap();
    owner.execute_unprepared("CREATE ROLE coinlink_app LOGIN").await.unwrap();
    let generous = "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON TABLES TO coinlink_app";
    owner.execute_unprepared(generous).await.unwrap();
    Migrator::up(&owner, None).await.unwrap();
    let url = server.url().replace("coinlink@", "coinlink_app@");
    let database = Database::connect(&ConnectSettings::new(&url)).await.unwrap();
    let (chain, mut log) = (SqlAuditChain::new(database.clone()), SqlAuditLog::new(database));
    let entry = AuditEntry { at: OffsetDateTime::now_utc().replace_nanosecond(0).unwrap(), ..an_entry(1) };
    coinlink_ports::shared::AuditLog::record(&mut log, &entry).await.unwrap();
    assert_eq!(chain.unsealed(None, 10).await.unwrap().entries.as_slice(), std::slice::from_ref(&entry));
    let mut head = Head::EMPTY;
    let seal = head.seal(&entry, FIRST);
    let signed = CheckpointKey::new([7; 32]).sign(head, FIRST);
    assert_eq!(chain.append(Head::EMPTY, &[seal], Some(&signed)).await.unwrap(), Appended::Done);

    let months = partitions(&owner).await;
    owner.execute_unprepared(&format!("DROP TABLE {}", months[months.len() - 2])).await.unwrap();
    chain.prepare().await.unwrap();
    assert_eq!(partitions(&owner).await, months);

    let app = sea_orm::Database::connect(&url).await.unwrap();
    for table in TABLES {
        assert_eq!(count(&app, table).await, 1);
        for (sql, why) in [
            (format!("UPDATE {table} SET seq = 2"), "permission denied"),
            (format!("DELETE FROM {table}"), "permission denied"),
            (format!("TRUNCATE {table}"), "permission denied"),
            (format!("ALTER TABLE {table} DISABLE TRIGGER ALL"), "must be owner"),
            (format!("DROP TABLE {table}"), "must be owner"),
            (format!("ALTER TABLE {table} ADD COLUMN x int"), "must be owner"),
        ] {
            refused(&app, &sql.replace("audit_log SET seq = 2", "audit_log SET action = 'x'"), why).await;
        }
    }
    for partition in partitions(&owner).await {
        refused(&app, &format!("DELETE FROM {partition}"), "permission denied").await;
        refused(&app, &format!("ALTER TABLE audit_log DETACH PARTITION {partition}"), "must be owner").await;
    }
    refused(
        &app,
        "CREATE OR REPLACE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "permission denied for schema",
    )
    .await;
    refused(&app, "SET session_replication_role = replica", "permission denied").await;
}

/// Who is no role of ours cannot make partitions with the owner's rights.
#[tokio::test]
async fn making_months_is_granted_to_nobody_else() {
    let server = PrivatePostgres::start().await;
    let owner = sea_orm::Database::connect(&server.url()).await.unwrap();
    Migrator::up(&owner, None).await.unwrap();
    owner.execute_unprepared("CREATE ROLE stranger LOGIN").await.unwrap();
    let stranger = sea_orm::Database::connect(server.url().replace("coinlink@", "stranger@")).await.unwrap();
    refused(&stranger, "SELECT audit_log_ensure_partitions(5)", "permission denied").await;
    refused(&stranger, "SELECT FROM audit_log", "permission denied").await;
}

/// Only a partitioned table can hold an id twice, and who may add rows can make one.
#[tokio::test]
async fn a_second_row_of_an_id_is_neither_sealed_nor_taken_for_sealed() {
    let audited = on_postgres().await;
    one_of_each(&audited).await;
    let twin = AuditEntry { user: Some(Uuid::max()), ..AuditEntry { at: FAR_OFF, ..an_entry(1) } };
    audited.record(&twin).await;
    for n in [2, 3] {
        audited.record(&AuditEntry { id: Uuid::from_u128(2), ..an_entry(n) }).await;
    }
    let page = audited.chain.unsealed(None, 10).await.unwrap();
    assert_eq!(page.entries, [AuditEntry { id: Uuid::from_u128(2), ..an_entry(2) }]);
    assert_eq!(page.foreign, [Uuid::from_u128(2), twin.id]);
}
