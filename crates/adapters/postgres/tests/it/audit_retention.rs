//! Months of the audit log that are over a year old are dropped, and what is left verifies: unless somebody helped.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::{
    process::Command,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration as StdDuration,
};

use coinlink_application::operations::{
    RetireAudit, RetireError, RetireOrder, RetireReport, SealAudit, SealReport, VerifyAudit, VerifyReport,
};
use coinlink_domain::{
    operations::{Checkpoint, CheckpointKey, Finding, LogMonth, RetirementKey, Stretch, entry_hash},
    shared::audit::AuditEntry,
};
use coinlink_migration::{Migrator, MigratorTrait as _};
use coinlink_ports::{
    operations::{AuditChain, AuditFilter, AuditReader as _, AuditRetention as _, LogPlace, RetentionError},
    shared::{AuditLog as _, Clock},
};
use coinlink_postgres::{ConnectSettings, Database, SqlAuditChain, SqlAuditLog, SqlAuditReader, SqlAuditRetention, audit_rights};
use coinlink_testkit::{
    operations::{AuditedLog as _, MemoryAuditChain, an_entry},
    servers::{PrivatePostgres, postgres_folder, shared_postgres},
    shared::{CountingEntropy, StoppedClock},
};
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement, TransactionTrait as _};
use time::{Duration, OffsetDateTime, macros::datetime};
use uuid::Uuid;

use crate::audit_support::{Audited, on_postgres, on_sqlite};

/// Twelve months and a half after July 2020, of which nothing goes.
const NOW: OffsetDateTime = datetime!(2021-07-15 12:00 UTC);
/// That have a partition of their own.
const MONTHS: [&str; 4] = ["2020-01", "2020-02", "2020-07", "2020-08"];
/// No two acts of a test are one.
static IDS: LazyLock<Arc<CountingEntropy>> = LazyLock::new(Arc::default);

fn month(text: &str) -> LogMonth {
    text.parse().unwrap()
}

/// Entry `n`, on the day of that number.
fn old(month: &str, n: u32) -> AuditEntry {
    AuditEntry { at: self::month(month).start() + Duration::days(n.into()), ..an_entry(n) }
}

fn id(n: u32) -> Uuid {
    an_entry(n).id
}

/// As the log made it when that month began.
async fn make(operator: &DatabaseConnection, text: &str) {
    let (from, to, name) = (month(text), month(text).next(), format!("audit_log_{}", text.replace('-', "_")));
    let sql = format!(
        "CREATE TABLE {name} PARTITION OF audit_log FOR VALUES FROM ('{from}-01+00') TO ('{to}-01+00');
         CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON {name} EXECUTE FUNCTION audit_refuse_change()"
    );
    operator.execute_unprepared(&sql).await.unwrap();
}

/// The seals 1 to 5 are January's, 6 to 10 February's, 11 is of January again, as of one who was late; 12 to 14 are of July, 15 and 16
/// of August. 17 is of a month that never had a partition.
async fn a_year_and_a_half() -> Audited {
    let audited = on_postgres().await;
    for month in MONTHS {
        make(&audited.operator, month).await;
    }
    for rounds in [
        vec![("2020-01", 1..=5), ("2020-02", 6..=10)],
        vec![("2020-01", 11..=11)],
        vec![("2020-07", 12..=14), ("2020-08", 15..=16)],
        vec![("2019-05", 17..=17)],
    ] {
        for (month, numbers) in rounds {
            for n in numbers {
                audited.record(&old(month, n)).await;
            }
        }
        seal(&audited).await;
    }
    assert_eq!(verified(&audited, None).await.findings.listed, []);
    audited
}

async fn seal(audited: &Audited) -> SealReport {
    let (chain, clock) = (Arc::new(audited.chain.clone()), Arc::new(StoppedClock::at(NOW)));
    SealAudit::new(chain, clock, CheckpointKey::new([7; 32])).execute().await.unwrap()
}

fn retirement_key() -> RetirementKey {
    RetirementKey::new([8; 32])
}

fn verify(chain: impl AuditChain + 'static) -> VerifyAudit {
    VerifyAudit::new(Arc::new(chain), Arc::new(StoppedClock::at(NOW)), CheckpointKey::new([7; 32]), retirement_key())
}

async fn verified(audited: &Audited, exported: Option<Checkpoint>) -> VerifyReport {
    verify(audited.chain.clone()).execute(exported).await.unwrap()
}

async fn retention(audited: &Audited) -> SqlAuditRetention {
    SqlAuditRetention::new(audited.place.patient_database().await)
}

async fn retire_at(audited: &Audited, clock: OffsetDateTime, order: RetireOrder) -> Result<RetireReport, RetireError> {
    let patient = audited.place.patient_database().await;
    let verify = verify(SqlAuditChain::new(patient.clone()));
    retire_with(SqlAuditRetention::new(patient), verify, clock).execute(order).await
}

fn retire_with(retention: SqlAuditRetention, verify: VerifyAudit, clock: OffsetDateTime) -> RetireAudit {
    let clock: Arc<dyn Clock> = Arc::new(StoppedClock::at(clock));
    RetireAudit { verify, retention: Arc::new(retention), clock, entropy: IDS.clone(), key: retirement_key() }
}

async fn retire(audited: &Audited) -> RetireReport {
    retire_at(audited, NOW, RetireOrder::default()).await.unwrap()
}

/// Each month with its stretches of seals.
fn told(report: &RetireReport) -> Vec<(String, Vec<(i64, i64)>)> {
    let stretches = |it: &coinlink_application::operations::RetiredMonth| it.seals.iter().map(|it| (it.first, it.last)).collect();
    report.retired.iter().map(|it| (it.month.to_string(), stretches(it))).collect()
}

fn january_and_february() -> Vec<(String, Vec<(i64, i64)>)> {
    vec![("2020-01".to_owned(), vec![(1, 5), (11, 11)]), ("2020-02".to_owned(), vec![(6, 10)])]
}

async fn texts(connection: &DatabaseConnection, sql: &str) -> Vec<String> {
    let rows = connection.query_all_raw(Statement::from_string(connection.get_database_backend(), sql)).await.unwrap();
    rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}

/// The months that have a partition, and how many rows there are in the log and of retirements.
async fn state(audited: &Audited) -> (Vec<String>, Vec<String>) {
    let months = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'audit_log'::regclass ORDER BY 1";
    let rows = "SELECT count(*)::text FROM audit_log UNION ALL SELECT count(*)::text FROM audit_retirements";
    (texts(&audited.operator, months).await, texts(&audited.operator, rows).await)
}

async fn tamper(audited: &Audited, sql: &str) {
    let unhindered = format!("SET session_replication_role = replica; {sql}; SET session_replication_role = origin");
    audited.operator.execute_unprepared(&unhindered).await.unwrap();
}

#[tokio::test]
async fn whole_months_go_and_what_is_left_verifies_with_and_without_an_older_checkpoint() {
    let audited = a_year_and_a_half().await;
    let exported = audited.chain.end().await.unwrap().checkpoint;
    let (before, _) = state(&audited).await;
    let report = retire(&audited).await;
    assert_eq!(told(&report), january_and_february());
    assert!(report.stopped.is_none(), "{report:?}");
    assert_eq!((report.before, report.left_over), (month("2020-07"), vec![(month("2019-05"), 1)]));
    let (after, rows) = state(&audited).await;
    let gone: Vec<_> = before.into_iter().filter(|name| !after.contains(name)).collect();
    assert_eq!(gone, ["audit_log_2020_01", "audit_log_2020_02"]);
    assert_eq!(rows, ["8", "3"], "six entries that stay and one of each month, and a retirement of each stretch");

    for exported in [None, exported] {
        let report = verified(&audited, exported).await;
        assert_eq!((report.seals, report.retired, report.findings.listed), (17, 11, vec![]));
        assert!(report.checkpoint.is_some());
    }
    let acts =
        texts(&audited.operator, "SELECT resource_id || details FROM audit_log WHERE action = 'audit.retire' ORDER BY 1").await;
    assert_eq!(acts, [r#"2020-01{"entries": "6"}"#, r#"2020-02{"entries": "5"}"#]);
    // The job goes on, with these two, and makes nothing anew.
    let sealed = seal(&audited).await;
    assert_eq!((sealed.sealed, sealed.damaged, sealed.foreign), (2, false, 0));
    audited.chain.prepare().await.unwrap();
    assert_eq!(state(&audited).await.0, after);
    assert_eq!(verified(&audited, exported).await.findings.listed, []);

    let again = retire(&audited).await;
    assert!(again.retired.is_empty() && again.stopped.is_none(), "{again:?}");
    assert_eq!(state(&audited).await.1, ["8", "3"]);
}

#[tokio::test]
async fn the_log_is_read_on_where_a_month_is_gone() {
    let audited = a_year_and_a_half().await;
    let reader = SqlAuditReader::new(audited.place.database().await);
    let filter = AuditFilter { action: Some("auth.sign_in".to_owned()), ..AuditFilter::default() };
    let in_february = LogPlace { at: old("2020-02", 8).at, id: id(8) };
    assert_eq!(reader.page(&filter, Some(in_february), 100).await.unwrap().entries.len(), 9);
    retire(&audited).await;
    let all = reader.page(&filter, None, 100).await.unwrap();
    assert_eq!((all.entries.len(), all.next), (6, None));
    let left = reader.page(&filter, Some(in_february), 100).await.unwrap();
    assert_eq!(left.entries, [old("2019-05", 17)]);
}

#[tokio::test]
async fn a_retirement_that_was_deleted_changed_or_made_up_is_told() {
    let audited = a_year_and_a_half().await;
    retire(&audited).await;
    tamper(&audited, "CREATE TABLE kept AS SELECT * FROM audit_retirements").await;
    let missing = |numbers: std::ops::RangeInclusive<u32>| numbers.map(|n| Finding::EntryMissing { seq: n.into(), id: id(n) });
    let february: Vec<Finding> = missing(6..=10).collect();
    let forged = |from, to| Finding::RetirementForged { from, to };
    for (sql, more) in [
        ("DELETE FROM audit_retirements WHERE first_seal = 6", vec![]),
        ("UPDATE audit_retirements SET month = '2020-03' WHERE first_seal = 6", vec![forged(6, 10)]),
        ("UPDATE audit_retirements SET month = 'nonsense' WHERE first_seal = 6", vec![forged(6, 10)]),
        ("UPDATE audit_retirements SET last_seal = 14 WHERE first_seal = 6", vec![forged(6, 14)]),
        ("UPDATE audit_retirements SET at = at - interval '1 day' WHERE first_seal = 6", vec![forged(6, 10)]),
        ("UPDATE audit_retirements SET mac = chain_hash WHERE first_seal = 6", vec![forged(6, 10)]),
        ("UPDATE audit_retirements SET chain_hash = mac WHERE first_seal = 6", vec![forged(6, 10)]),
    ] {
        tamper(&audited, sql).await;
        assert_eq!(verified(&audited, None).await.findings.listed, [february.clone(), more].concat(), "{sql}");
        let refused = retire(&audited);
        assert!(refused.await.retired.is_empty(), "there is nothing left to do, whatever is said of it");
        tamper(&audited, "DELETE FROM audit_retirements; INSERT INTO audit_retirements SELECT * FROM kept").await;
        assert_eq!(verified(&audited, None).await.findings.listed, [], "{sql}");
    }

    // Somebody without the secret takes a month away and says that it was retired.
    let made_up = "DROP TABLE audit_log_2020_07; INSERT INTO audit_retirements
        SELECT 12, 14, '2020-07', chain_hash, sha256('guess'), sealed_at FROM audit_seals WHERE seq = 14";
    tamper(&audited, made_up).await;
    let found = verified(&audited, None).await.findings.listed;
    assert_eq!(found, missing(12..=14).chain([forged(12, 14)]).collect::<Vec<_>>());
}

#[tokio::test]
async fn an_entry_that_is_put_back_is_told() {
    let audited = a_year_and_a_half().await;
    retire(&audited).await;
    audited.record(&old("2020-01", 3)).await;
    assert_eq!(verified(&audited, None).await.findings.listed, [Finding::EntryReturned { seq: 3, id: id(3) }]);
}

#[tokio::test]
async fn a_log_that_was_tampered_with_keeps_all_of_it() {
    let audited = a_year_and_a_half().await;
    let untouched = state(&audited).await;
    // In a month that would go, and in one that would stay.
    for n in [2, 13] {
        tamper(&audited, &format!("UPDATE audit_log SET action = 'auth.sign_out' WHERE resource_id = '{n}'")).await;
        let Err(RetireError::Tampered(found)) = retire_at(&audited, NOW, RetireOrder::default()).await else { panic!("{n}") };
        assert_eq!(found.findings.listed, [Finding::EntryEdited { seq: n.into(), id: id(n) }]);
        assert_eq!(state(&audited).await, untouched);
        tamper(&audited, &format!("UPDATE audit_log SET action = 'auth.sign_in' WHERE resource_id = '{n}'")).await;
    }
    // A checkpoint from elsewhere tells that this is not the log that it was.
    let exported = CheckpointKey::new([7; 32]).sign(coinlink_domain::operations::Head { seq: 99, chain_hash: [0; 32] }, NOW);
    let order = RetireOrder { exported: Some(exported), ..RetireOrder::default() };
    assert!(matches!(retire_at(&audited, NOW, order).await, Err(RetireError::Tampered(_))));
    assert_eq!(state(&audited).await, untouched);
}

/// It is edited between the verification and the moment from which on nothing in the month can be changed.
#[tokio::test]
async fn what_changes_after_the_verification_does_not_go() {
    let audited = a_year_and_a_half().await;
    let untouched = state(&audited).await;
    tamper(&audited, "UPDATE audit_log SET action = 'auth.sign_out' WHERE resource_id = '7'").await;
    let sound = verify(MemoryAuditChain::default());
    let report = retire_with(retention(&audited).await, sound, NOW).execute(RetireOrder::default()).await.unwrap();
    assert_eq!(told(&report), january_and_february()[..1], "January was as it was sealed");
    let (stopped, why) = report.stopped.unwrap();
    assert_eq!(stopped, month("2020-02"));
    assert!(matches!(why, RetireError::Changed(changed) if changed == id(7)), "{why}");
    assert_eq!(state(&audited).await.0.len(), untouched.0.len() - 1);
}

/// Who has the database alone moves a young entry into an old month, and makes its seal fit, once the log was found to be sound.
#[tokio::test]
async fn an_entry_that_was_moved_into_the_month_with_its_seal_does_not_go() {
    let audited = a_year_and_a_half().await;
    let there = state(&audited).await.0;
    let moved = AuditEntry { at: month("2020-01").start() + Duration::days(13), ..old("2020-07", 13) };
    let hash = entry_hash(&moved).map(|byte| format!("{byte:02x}")).concat();
    let sql = format!(
        "UPDATE audit_log SET timestamp = '2020-01-14T00:00:00Z' WHERE resource_id = '13';
         UPDATE audit_seals SET entry_hash = decode('{hash}', 'hex') WHERE seq = 13"
    );
    tamper(&audited, &sql).await;
    let sound = verify(MemoryAuditChain::default());
    let report = retire_with(retention(&audited).await, sound, NOW).execute(RetireOrder::default()).await.unwrap();
    let (stopped, why) = report.stopped.unwrap();
    assert!(stopped == month("2020-01") && matches!(why, RetireError::Unlinked(13)), "{why}");
    assert_eq!(state(&audited).await.0, there, "no partition went");
}

#[tokio::test]
async fn a_month_with_entries_that_have_no_seal_stays_until_they_have_one() {
    let audited = a_year_and_a_half().await;
    for n in [21, 22] {
        audited.record(&old("2020-01", n)).await;
    }
    let (stopped, why) = retire(&audited).await.stopped.unwrap();
    assert!(stopped == month("2020-01") && matches!(why, RetireError::Unsealed(2)), "{why}");
    seal(&audited).await;
    let all = vec![("2020-01".to_owned(), vec![(1, 5), (11, 11), (18, 19)]), ("2020-02".to_owned(), vec![(6, 10)])];
    assert_eq!(told(&retire(&audited).await), all);
    assert_eq!(verified(&audited, None).await.findings.listed, []);
}

#[tokio::test]
async fn nothing_younger_than_a_year_goes_whatever_is_asked_and_whatever_a_clock_says() {
    let audited = a_year_and_a_half().await;
    let untouched = state(&audited).await;
    let before = |text: &str| RetireOrder { before: Some(month(text)), ..RetireOrder::default() };
    let refused = retire_at(&audited, NOW, before("2020-08")).await.unwrap_err().to_string();
    assert_eq!(
        refused,
        "entries are kept for a year: 2020-07 and what is after it stay, so that nothing before 2020-08 can be asked for"
    );
    assert_eq!(state(&audited).await, untouched);
    let last_moment = datetime!(2021-06-30 23:59:59.999999 UTC);
    assert!(matches!(retire_at(&audited, last_moment, before("2020-07")).await, Err(RetireError::TooYoung { .. })));
    assert_eq!(told(&retire_at(&audited, NOW, before("2020-02")).await.unwrap()), january_and_february()[..1]);
    assert_eq!(told(&retire_at(&audited, NOW, before("2020-07")).await.unwrap()), january_and_february()[1..]);

    // The database's clock is not ahead; the months that it made for today and later are empty, and would go by the other one.
    retire_at(&audited, datetime!(2199-01-01 0:00 UTC), RetireOrder::default()).await.unwrap();
    let made = texts(&audited.operator, "SELECT 'audit_log_' || to_char(now() AT TIME ZONE 'UTC', 'YYYY_MM')").await;
    assert!(state(&audited).await.0.contains(&made[0]));
}

#[tokio::test]
async fn a_dry_run_says_the_same_and_changes_nothing() {
    let audited = a_year_and_a_half().await;
    let untouched = state(&audited).await;
    let dry = RetireOrder { dry_run: true, ..RetireOrder::default() };
    for _ in 0..2 {
        let report = retire_at(&audited, NOW, dry).await.unwrap();
        assert_eq!(told(&report), january_and_february());
        assert!(report.stopped.is_none());
        assert_eq!(state(&audited).await, untouched);
    }
    assert_eq!(told(&retire(&audited).await), january_and_february());
}

/// A backup, or somebody who forgot a transaction.
#[tokio::test]
async fn a_log_that_others_do_not_let_go_is_left_as_it_is() {
    let audited = a_year_and_a_half().await;
    let untouched = state(&audited).await;
    let reader = audited.operator.begin().await.unwrap();
    reader.execute_unprepared("SELECT count(*) FROM audit_log").await.unwrap();
    let impatient = retention(&audited).await.with_patience(StdDuration::ZERO);
    let report = retire_with(impatient, verify(audited.chain.clone()), NOW).execute(RetireOrder::default()).await.unwrap();
    let (stopped, why) = report.stopped.unwrap();
    assert!(stopped == month("2020-01") && matches!(why, RetireError::Retention(RetentionError::Busy)), "{why}");
    assert_eq!(state(&audited).await, untouched);
    reader.rollback().await.unwrap();
    assert_eq!(told(&retire(&audited).await), january_and_february());
}

#[tokio::test]
async fn of_two_at_once_each_month_is_one_s() {
    let audited = a_year_and_a_half().await;
    let (one, other) = (retention(&audited).await, retention(&audited).await);
    let held = one.hold(month("2020-01")).await.unwrap().unwrap();
    assert!(matches!(other.hold(month("2020-02")).await, Err(RetentionError::UnderWay)));
    held.let_go().await.unwrap();
    assert!(other.hold(month("2020-03")).await.unwrap().is_none());

    let (first, second) = tokio::join!(retire(&audited), retire(&audited));
    let mut all = [told(&first), told(&second)].concat();
    all.sort();
    // Where both stopped at the other one, the rest is the next run's.
    all.extend(told(&retire(&audited).await));
    assert_eq!(all, january_and_february());
    assert_eq!(verified(&audited, None).await.findings.listed, []);
}

/// Somebody made a partition by hand.
#[tokio::test]
async fn a_partition_that_holds_more_than_its_month_stays() {
    let audited = on_postgres().await;
    let sql = "CREATE TABLE audit_log_2020_01 PARTITION OF audit_log FOR VALUES FROM ('2020-01-01+00') TO ('2020-09-01+00')";
    audited.operator.execute_unprepared(sql).await.unwrap();
    for entry in [old("2020-01", 1), old("2020-08", 2)] {
        audited.record(&entry).await;
    }
    seal(&audited).await;
    let untouched = state(&audited).await;
    let (_, why) = retire(&audited).await.stopped.unwrap();
    assert!(matches!(why, RetireError::Retention(RetentionError::Mixed(_))), "{why}");
    assert_eq!(state(&audited).await, untouched);
}

/// As many rows as it should have, of a month that has to stay.
#[tokio::test]
async fn a_partition_that_has_the_name_of_another_stays() {
    let audited = on_postgres().await;
    for (n, name) in [(1, "2020-01"), (2, "2020-08")] {
        make(&audited.operator, name).await;
        audited.record(&old(name, n)).await;
    }
    seal(&audited).await;
    let exchange = "ALTER TABLE audit_log_2020_01 RENAME TO x; ALTER TABLE audit_log_2020_08 RENAME TO audit_log_2020_01;
        ALTER TABLE x RENAME TO audit_log_2020_08";
    audited.operator.execute_unprepared(exchange).await.unwrap();
    let untouched = state(&audited).await;
    let (_, why) = retire(&audited).await.stopped.unwrap();
    assert!(matches!(why, RetireError::Retention(RetentionError::Mixed(_))), "{why}");
    assert_eq!(state(&audited).await, untouched);
}

/// Writers, the job that seals and verifications go on meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn no_acknowledged_entry_is_lost_and_nothing_cries_while_months_go() {
    let audited = Arc::new(a_year_and_a_half().await);
    let (done, database) = (Arc::new(AtomicBool::new(false)), audited.place.patient_database().await);
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..4_u32 {
        let (done, mut log) = (Arc::clone(&done), SqlAuditLog::new(database.clone()));
        writers.spawn(async move {
            let mut written: u32 = 0;
            while !done.load(Ordering::Relaxed) || written < 20 {
                let entry = AuditEntry { at: NOW, ..an_entry(1_000 + writer * 100_000 + written) };
                log.record(&entry).await.unwrap();
                written += 1;
            }
            written
        });
    }
    let retiring = {
        let (audited, done) = (Arc::clone(&audited), Arc::clone(&done));
        tokio::spawn(async move {
            let report = retire(&audited).await;
            done.store(true, Ordering::Relaxed);
            report
        })
    };
    let patient = Arc::new(SqlAuditChain::new(database.clone()));
    let sealer = SealAudit::new(patient.clone(), Arc::new(StoppedClock::at(NOW)), CheckpointKey::new([7; 32]));
    loop {
        let last_round = done.load(Ordering::Relaxed);
        let report = sealer.execute().await.unwrap();
        assert!(!report.damaged && report.foreign == 0, "{report:?}");
        assert_eq!(verify((*patient).clone()).execute(None).await.unwrap().findings.listed, []);
        if last_round {
            break;
        }
    }
    assert_eq!(told(&retiring.await.unwrap()), january_and_february());
    let mut written = 0;
    while let Some(ended) = writers.join_next().await {
        written += ended.unwrap();
    }
    let kept = texts(
        &audited.operator,
        "SELECT count(*)::text FROM audit_log WHERE resource_id::int >= 1000 AND action = 'auth.sign_in'",
    )
    .await;
    assert_eq!(kept, [written.to_string()]);
    sealer.execute().await.unwrap();
    let report = verify((*patient).clone()).execute(None).await.unwrap();
    assert_eq!((report.retired, report.findings.listed), (11, vec![]));
}

#[tokio::test]
async fn the_role_of_the_app_cannot_retire_and_cannot_say_that_something_was() {
    let server = PrivatePostgres::start().await;
    let owner = sea_orm::Database::connect(&server.url()).await.unwrap();
    owner.execute_unprepared("CREATE ROLE coinlink_app LOGIN").await.unwrap();
    let generous = "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON TABLES TO coinlink_app";
    owner.execute_unprepared(generous).await.unwrap();
    Migrator::up(&owner, None).await.unwrap();
    make(&owner, "2020-01").await;
    owner.execute_unprepared("REVOKE ALL ON audit_log_2020_01 FROM coinlink_app").await.unwrap();
    let url = server.url().replace("coinlink@", "coinlink_app@");
    let database = Database::connect(&ConnectSettings::new(&url)).await.unwrap();
    let chain = SqlAuditChain::new(database.clone());
    let retire = retire_with(SqlAuditRetention::new(database.clone()), verify(chain.clone()), NOW);
    let refused = retire.execute(RetireOrder::default()).await.unwrap_err();
    assert!(matches!(&refused, RetireError::Retention(RetentionError::NotOwner(role)) if role == "coinlink_app"), "{refused}");
    assert!(SqlAuditRetention::new(database.clone()).hold(month("2020-01")).await.is_err());
    assert_eq!(chain.retirements().await.unwrap(), [], "it reads them, to verify");

    let app = sea_orm::Database::connect(&url).await.unwrap();
    for (sql, why) in [
        ("INSERT INTO audit_retirements SELECT 1, 1, '2020-01', sha256(''), sha256(''), now()", "permission denied"),
        ("UPDATE audit_retirements SET month = ''", "permission denied"),
        ("DELETE FROM audit_retirements", "permission denied"),
        ("TRUNCATE audit_retirements", "permission denied"),
        ("DROP TABLE audit_retirements", "must be owner"),
        ("DROP TABLE audit_log_2020_01", "must be owner"),
        ("ALTER TABLE audit_log DETACH PARTITION audit_log_2020_01", "must be owner"),
    ] {
        let error = app.execute_unprepared(sql).await.unwrap_err().to_string();
        assert!(error.contains(why), "{sql}: {error}");
    }
    assert_eq!(audit_rights(&database).await.unwrap(), Some(vec![]));
    owner.execute_unprepared("GRANT INSERT ON audit_retirements TO coinlink_app").await.unwrap();
    assert_eq!(audit_rights(&database).await.unwrap(), Some(vec!["may INSERT on audit_retirements".to_owned()]));
}

#[tokio::test]
async fn what_was_retired_is_neither_changed_nor_taken_back_even_by_the_owner() {
    for audited in [on_postgres().await, on_sqlite().await] {
        let bytes = if audited.place.url.starts_with("sqlite") { "zeroblob(32)" } else { "sha256('')" };
        let row = format!("VALUES (1, 9, '2020-01', {bytes}, {bytes}, '2021-07-15T12:00:00.000000Z')");
        audited.operator.execute_unprepared(&format!("INSERT INTO audit_retirements {row}")).await.unwrap();
        let mut refused = vec![
            ("UPDATE audit_retirements SET month = 'x'".to_owned(), "UPDATE"),
            ("DELETE FROM audit_retirements".to_owned(), "DELETE"),
        ];
        refused.push(match bytes {
            "zeroblob(32)" => (format!("REPLACE INTO audit_retirements {row}"), "REPLACE"),
            _ => ("TRUNCATE audit_retirements".to_owned(), "TRUNCATE"),
        });
        for (sql, what) in refused {
            let error = audited.operator.execute_unprepared(&sql).await.unwrap_err().to_string();
            assert!(error.contains(&format!("audit_retirements is append-only: {what} is refused")), "{sql}: {error}");
        }
        let stretch = audited.chain.retirements().await.unwrap()[0].seals;
        assert!(matches!(stretch, Stretch { first: 1, last: 9, .. }));
    }
}

#[tokio::test]
async fn sqlite_keeps_all_of_it_and_says_so() {
    let audited = on_sqlite().await;
    audited.record(&old("2020-01", 1)).await;
    seal(&audited).await;
    let refused = retire_at(&audited, NOW, RetireOrder::default()).await.unwrap_err();
    assert!(matches!(refused, RetireError::Retention(RetentionError::Undivided)), "{refused}");
    assert!(refused.to_string().contains("`coinlink dev` keeps all of it"));
    assert_eq!(verified(&audited, None).await.findings.listed, []);
}

#[tokio::test]
async fn a_copy_of_a_retired_log_verifies_where_it_was_restored() {
    let audited = a_year_and_a_half().await;
    retire(&audited).await;
    let (file, copy) = (tempfile::NamedTempFile::new().unwrap(), shared_postgres().await.empty_database().await);
    let done = |program: &str, arguments: &[&str]| {
        let mut command = Command::new(postgres_folder().join(program));
        let output = command.args(arguments).arg("--no-password").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    let file = file.path().to_str().unwrap();
    done("pg_dump", &["--format=custom", "--file", file, "--dbname", &audited.place.url]);
    done("pg_restore", &["--no-owner", "--single-transaction", "--exit-on-error", "--dbname", &copy.url, file]);
    let restored = Database::connect(&ConnectSettings::new(&copy.url)).await.unwrap();
    let report = verify(SqlAuditChain::new(restored.clone())).execute(None).await.unwrap();
    assert_eq!((report.seals, report.retired, report.findings.listed), (17, 11, vec![]));
    let again = retire_with(SqlAuditRetention::new(restored), verify(audited.chain.clone()), NOW);
    assert!(again.execute(RetireOrder::default()).await.unwrap().retired.is_empty());
}
