//! `coinlink audit retire` from outside, on PostgreSQL; and on the SQLite file of `coinlink dev`, which keeps all.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{process::Command, sync::Arc};

use coinlink::{
    config::{self, Mode, Sources},
    wiring,
};
use coinlink_application::operations::SealAudit;
use coinlink_domain::shared::audit::AuditEntry;
use coinlink_migration::{Migrator, MigratorTrait as _};
use coinlink_ports::shared::AuditLog as _;
use coinlink_postgres::{ConnectSettings, Database, SqlAuditChain, SqlAuditLog};
use coinlink_testkit::{
    servers::{TestDatabase, fresh_database},
    shared::SystemClock,
};
use time::{Duration, OffsetDateTime, macros::datetime};
use uuid::Uuid;

const PEPPER: &str = "a9s8d7f6g5h4j3k2l1q0w9e8r7t6y5u4i3o2";
const JANUARY: OffsetDateTime = datetime!(2020-01-10 12:00 UTC);

/// Three entries of January 2020, one of February, and one of now, all sealed.
async fn an_old_log() -> TestDatabase {
    let place = fresh_database().await;
    for month in ["01-01+00') TO ('2020-02-01+00')", "02-01+00') TO ('2020-03-01+00')"] {
        let name = format!("audit_log_2020_{}", &month[..2]);
        place.tamper(&format!("CREATE TABLE {name} PARTITION OF audit_log FOR VALUES FROM ('2020-{month}")).await;
    }
    let database = Database::connect(&ConnectSettings::new(&place.url)).await.unwrap();
    let mut log = SqlAuditLog::new(database.clone());
    let days = [0, 1, 2, 30].map(|days| JANUARY + Duration::days(days));
    for at in days.into_iter().chain([OffsetDateTime::now_utc()]) {
        log.record(&AuditEntry::new(Uuid::now_v7(), at, "auth.sign_in", "session")).await.unwrap();
    }
    let variables = [("PASSWORD_PEPPER".to_owned(), PEPPER.to_owned())].into();
    let settings = config::load(&Sources { mode: Mode::Dev, variables, flags: vec![] }).settings;
    let chain = Arc::new(SqlAuditChain::new(database.clone()));
    SealAudit::new(chain, Arc::new(SystemClock::default()), wiring::checkpoint_key(&settings)).execute().await.unwrap();
    database.close().await.unwrap();
    place
}

fn audit(place: &TestDatabase, arguments: &[&str], pepper: &str) -> (Option<i32>, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_coinlink"));
    command.arg("audit").args(arguments).env_clear().current_dir(folder.path());
    let output = command.env("DATABASE_URL", &place.url).env("PASSWORD_PEPPER", pepper).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[actix_web::test]
async fn months_are_retired_once_and_the_log_verifies_with_the_checkpoint_of_before() {
    let place = an_old_log().await;
    let (code, said, _) = audit(&place, &["verify"], PEPPER);
    assert!(code == Some(0) && said.contains("sound: 5 sealed entries") && !said.contains("retired"), "{said}");
    let checkpoint = said.lines().last().unwrap().to_owned();

    let (code, said, why) = audit(&place, &["retire", "--dry-run"], PEPPER);
    let would = "Would be retired: 2020-01, entries: 3, seals 1 to 3.\nWould be retired: 2020-02, entries: 1, seals 4 to 4.\n";
    assert_eq!((code, said.as_str(), why.as_str()), (Some(0), would, ""));
    assert_eq!(place.count("audit_log").await, 5);

    let (code, said, why) = audit(&place, &["retire", "--before", "2020-02", "--checkpoint", &checkpoint], PEPPER);
    assert!(code == Some(0) && said.starts_with("Retired: 2020-01, entries: 3, seals 1 to 3.\nTheir seals stay"), "{said}{why}");
    let (code, said, why) = audit(&place, &["retire"], PEPPER);
    assert!(code == Some(0) && said.starts_with("Retired: 2020-02, entries: 1, seals 4 to 4.\n"), "{said}{why}");
    assert_eq!(place.count("audit_retirements").await, 2);
    let (code, said, why) = audit(&place, &["retire"], PEPPER);
    assert!(code == Some(0) && said.starts_with("There is nothing to retire: ") && why.is_empty(), "{said}{why}");
    assert!(said.contains("the log was not verified: `coinlink audit verify` does that."), "{said}");

    let (code, said, why) = audit(&place, &["verify", "--checkpoint", &checkpoint], PEPPER);
    assert!(
        code == Some(0) && said.contains("sound: 1 sealed entries") && said.contains("\n4 older entries were retired"),
        "{said}{why}"
    );
}

#[actix_web::test]
async fn a_tampered_log_is_refused_with_1_and_what_cannot_be_done_with_2() {
    let place = an_old_log().await;
    let (code, said, why) = audit(&place, &["retire"], "another-pepper-than-the-one-that-signed");
    assert!(
        code == Some(1) && said.contains("- checkpoint forged: ") && why.contains("nothing of the audit log was retired"),
        "{said}{why}"
    );
    let young = OffsetDateTime::now_utc().date().replace_day(1).unwrap().to_string();
    let (code, said, why) = audit(&place, &["retire", "--before", &young[..7]], PEPPER);
    assert!(code == Some(2) && said.is_empty() && why.contains("entries are kept for a year"), "{said}{why}");
    let (code, _, why) = audit(&place, &["retire", "--before", "2020-13"], PEPPER);
    assert!(code == Some(2) && why.contains("a month is YYYY-MM"), "{why}");
    place.tamper("DELETE FROM audit_log WHERE \"timestamp\" = '2020-01-10 12:00+00'").await;
    let (code, said, why) = audit(&place, &["retire"], PEPPER);
    assert!(code == Some(1) && said.contains("- entry deleted: ") && why.contains("was tampered with"), "{said}{why}");
    assert_eq!(place.count("audit_log").await, 4);
    assert_eq!(place.count("audit_retirements").await, 0);
}

#[actix_web::test]
async fn the_log_of_dev_is_kept_whole_and_that_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("coinlink.db");
    let database = Database::connect(&ConnectSettings::new(format!("sqlite://{}?mode=rwc", file.display()))).await.unwrap();
    database.with_migration_lock(async |connection| Migrator::up(connection, None).await).await.unwrap();
    database.close().await.unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_coinlink"));
    command.args(["audit", "retire", "--data-dir"]).arg(folder.path()).env_clear().env("PASSWORD_PEPPER", PEPPER);
    let output = command.current_dir(folder.path()).output().unwrap();
    let why = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(2) && why.contains("`coinlink dev` keeps all of it"), "{why}");
}
