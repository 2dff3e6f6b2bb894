//! Who owns the database can switch the guards off; the chain tells afterwards what was done.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::sync::Arc;

use crate::audit_support::{Audited, on_postgres, on_sqlite};
use coinlink_application::operations::{SealAudit, SealReport, VerifyAudit, VerifyReport};
use coinlink_domain::operations::{Checkpoint, CheckpointKey, Finding, Origin, RetirementKey};
use coinlink_ports::operations::AuditChain as _;
use coinlink_testkit::{
    operations::{AuditedLog, FIRST, an_entry},
    shared::StoppedClock,
};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use time::{Duration, format_description::well_known::Rfc3339};
use uuid::Uuid;

/// Entries 1 to 30, sealed under the same numbers. What was added last is signed last.
async fn thirty(audited: &Audited) {
    let clock = Arc::new(StoppedClock::at(FIRST + Duration::HOUR));
    let seal = SealAudit::new(Arc::new(audited.chain.clone()), Arc::clone(&clock) as _, CheckpointKey::new([7; 32]));
    for hundred in [1..=20, 21..=30] {
        for n in hundred {
            audited.record(&an_entry(n)).await;
        }
        clock.advance(Duration::minutes(1));
        seal.execute().await.unwrap();
    }
    assert_eq!(verified(audited, None).await.findings.listed, []);
}

async fn verified(audited: &Audited, exported: Option<Checkpoint>) -> VerifyReport {
    let clock = Arc::new(StoppedClock::at(FIRST + Duration::HOUR));
    let (key, retirements) = (CheckpointKey::new([7; 32]), RetirementKey::new([8; 32]));
    let verify = VerifyAudit::new(Arc::new(audited.chain.clone()), clock, key, retirements);
    verify.execute(exported).await.unwrap()
}

async fn guards_off(audited: &Audited) {
    let names = match audited.operator.get_database_backend() {
        DbBackend::Sqlite => "SELECT 'DROP TRIGGER ' || name FROM sqlite_master WHERE type = 'trigger'",
        _ => {
            "SELECT 'ALTER TABLE ' || oid::regclass || ' DISABLE TRIGGER ALL' FROM pg_class
             WHERE relkind IN ('r', 'p') AND relname LIKE 'audit%'"
        }
    };
    let rows =
        audited.operator.query_all_raw(Statement::from_string(audited.operator.get_database_backend(), names)).await.unwrap();
    assert!(rows.len() >= 8);
    for row in rows {
        audited.operator.execute_unprepared(&row.try_get_by_index::<String>(0).unwrap()).await.unwrap();
    }
}

/// What is found after `statements` were run.
async fn after(audited: Audited, statements: &[&str], exported: Option<Checkpoint>) -> Vec<Finding> {
    thirty(&audited).await;
    guards_off(&audited).await;
    for sql in statements {
        let changed = audited.operator.execute_unprepared(sql).await.unwrap().rows_affected();
        assert!(changed > 0, "{sql}");
    }
    let report = verified(&audited, exported).await;
    assert_eq!(report.checkpoint.is_none(), report.findings.count > 0);
    report.findings.listed
}

fn id(n: u32) -> Uuid {
    an_entry(n).id
}

/// Where entry `n` of the log is.
fn resource(n: u32) -> String {
    format!("resource_id = '{n}'")
}

/// The checkpoint of all thirty.
async fn newest(audited: &Audited) -> Option<Checkpoint> {
    thirty(audited).await;
    audited.chain.end().await.unwrap().checkpoint
}

macro_rules! on_both {
    ($($case:ident),+ $(,)?) => {
        mod postgres { $(#[tokio::test] async fn $case() { super::$case(super::on_postgres).await; })+ }
        mod sqlite { $(#[tokio::test] async fn $case() { super::$case(super::on_sqlite).await; })+ }
    };
}

on_both!(
    an_edited_entry_is_told_whichever_field_it_is,
    a_deleted_entry_is_told,
    a_cut_tail_is_told,
    a_deleted_chain_is_told,
    seals_that_changed_places_are_told,
    a_missing_seal_and_an_adapted_one_are_told,
    forged_and_deleted_checkpoints_are_told,
    writers_and_two_sealers_at_once_leave_a_chain_that_verifies,
);

async fn an_edited_entry_is_told_whichever_field_it_is(on: impl AsyncFn() -> Audited) {
    for edit in [
        "action = 'auth.sign_out'",
        "user_id = id",
        "resource_type = 'user'",
        "resource_id = NULL",
        "ip_address = '203.0.113.7'",
        "ip_address = 'nonsense'",
        "user_agent = ''",
        "details = '{\"reason\":\"none\"}'",
        "details = '{\"reason\":1}'",
        "details = '[]'",
        "status = 'failure'",
        "\"timestamp\" = '2026-11-21T12:00:07.000002Z'",
        "\"timestamp\" = '2027-01-21T12:00:07.000001Z'",
    ] {
        let found = after(on().await, &[&format!("UPDATE audit_log SET {edit} WHERE {}", resource(7))], None).await;
        assert_eq!(found[0], Finding::EntryEdited { seq: 7, id: id(7) }, "{edit}");
        // Found at another time, it is also a row without a seal of its own.
        assert!(
            found[1..].iter().all(|more| edit.contains("timestamp") && *more == Finding::ForeignRow { id: id(7) }),
            "{found:?}"
        );
    }
}

async fn a_deleted_entry_is_told(on: impl AsyncFn() -> Audited) {
    let found = after(on().await, &[&format!("DELETE FROM audit_log WHERE {}", resource(30))], None).await;
    assert_eq!(found, [Finding::EntryMissing { seq: 30, id: id(30) }]);
}

async fn a_cut_tail_is_told(on: impl AsyncFn() -> Audited) {
    let cut =
        ["DELETE FROM audit_seals WHERE seq > 25", "DELETE FROM audit_log WHERE resource_id IN ('26', '27', '28', '29', '30')"];
    let told = |origin| Finding::TailCut { last: 25, signed: 30, origin };
    assert_eq!(after(on().await, &cut, None).await, [told(Origin::Stored)]);
    let exported = newest(&on().await).await;
    let with_checkpoints = [cut[0], cut[1], "DELETE FROM audit_checkpoints WHERE seq > 25"];
    assert_eq!(after(on().await, &with_checkpoints, None).await, [], "this is what checkpoints are exported for");
    assert_eq!(after(on().await, &with_checkpoints, exported).await, [told(Origin::Exported)]);
}

async fn a_deleted_chain_is_told(on: impl AsyncFn() -> Audited) {
    let told = |origin| Finding::ChainDeleted { signed: 30, origin };
    assert_eq!(after(on().await, &["DELETE FROM audit_seals"], None).await, [told(Origin::Stored)]);
    let exported = newest(&on().await).await;
    let everything = ["DELETE FROM audit_seals", "DELETE FROM audit_checkpoints", "DELETE FROM audit_log"];
    assert_eq!(after(on().await, &everything, exported).await, [told(Origin::Exported)]);
}

async fn seals_that_changed_places_are_told(on: impl AsyncFn() -> Audited) {
    let swap = [
        "UPDATE audit_seals SET seq = 1005 WHERE seq = 5",
        "UPDATE audit_seals SET seq = 5 WHERE seq = 9",
        "UPDATE audit_seals SET seq = 9 WHERE seq = 1005",
    ];
    let found = after(on().await, &swap, None).await;
    assert_eq!(found, [Finding::SealReordered { seq: 9, made_at: 5 }, Finding::SealReordered { seq: 5, made_at: 9 }]);
}

async fn a_missing_seal_and_an_adapted_one_are_told(on: impl AsyncFn() -> Audited) {
    let found = after(on().await, &["DELETE FROM audit_seals WHERE seq IN (4, 5)"], None).await;
    assert_eq!(found, [Finding::SealsMissing { from: 4, to: 5 }]);
    let adapt = "UPDATE audit_seals SET entry_hash = chain_hash WHERE seq = 6";
    let found = after(on().await, &[adapt], None).await;
    assert_eq!(found, [Finding::EntryEdited { seq: 6, id: id(6) }, Finding::ChainBroken { seq: 6 }]);
}

async fn forged_and_deleted_checkpoints_are_told(on: impl AsyncFn() -> Audited) {
    let found = after(on().await, &["UPDATE audit_checkpoints SET seq = 21 WHERE seq = 20"], None).await;
    assert_eq!(found, [Finding::CheckpointForged { seq: 21, origin: Origin::Stored }]);
    let found = after(on().await, &["DELETE FROM audit_checkpoints"], None).await;
    assert_eq!(found, [Finding::CheckpointsMissing { from: 1, to: 30 }]);
}

/// Rows that are seen all together, later than their times say.
async fn ten_at_once(audited: &Audited, numbers: impl Iterator<Item = u32>) {
    let quote = if audited.operator.get_database_backend() == DbBackend::Sqlite { "x'" } else { "'" };
    let row = |n| {
        let (id, at) = (id(n).simple(), an_entry(n).at.format(&Rfc3339).unwrap());
        format!("({quote}{id}', '{at}', 'auth.sign_in', 'session', '{n}', '{{}}', 'success')")
    };
    let rows: Vec<_> = numbers.map(row).collect();
    let columns = "INSERT INTO audit_log (id, timestamp, action, resource_type, resource_id, details, status) VALUES ";
    audited.operator.execute_unprepared(&(columns.to_owned() + &rows.join(", "))).await.unwrap();
}

/// 19,200 rows on PostgreSQL; a tenth of it on SQLite, which has one writer at a time.
async fn writers_and_two_sealers_at_once_leave_a_chain_that_verifies(on: impl AsyncFn() -> Audited) {
    let audited = Arc::new(on().await);
    let rows_each: u32 = if audited.operator.get_database_backend() == DbBackend::Sqlite { 30 } else { 300 };
    let clock = Arc::new(StoppedClock::at(FIRST + Duration::hours(10)));
    let sealer = || SealAudit::new(Arc::new(audited.chain.clone()), Arc::clone(&clock) as _, CheckpointKey::new([7; 32]));
    let (one, other) = (sealer(), sealer());
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..64_u32 {
        let audited = Arc::clone(&audited);
        writers.spawn(async move {
            for first in (0..rows_each).step_by(10) {
                ten_at_once(&audited, (first..first + 10).map(|n| n * 64 + writer)).await;
            }
        });
    }
    let total = u64::from(64 * rows_each);
    let mut done = SealReport::default();
    while !writers.is_empty() {
        let (first, second) = tokio::join!(one.execute(), other.execute());
        for report in [first.unwrap(), second.unwrap()] {
            done.sealed += report.sealed;
            done.checkpoints += report.checkpoints;
            assert!(!report.damaged && report.foreign == 0);
        }
        clock.advance(Duration::minutes(1));
        while writers.try_join_next().is_some_and(|ended| ended.map(|()| true).unwrap()) {}
    }
    clock.advance(Duration::HOUR);
    // The rest of a sweep, and a whole one.
    for _ in 0..6 {
        done.sealed += one.execute().await.unwrap().sealed;
    }
    assert_eq!(done.sealed, total, "each once");
    let report = verified(&audited, None).await;
    assert_eq!((report.seals, report.findings.listed, report.unsealed.count), (total, vec![], 0));
}
