//! `coinlink audit verify` from outside, on the SQLite file of `coinlink dev`.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    path::Path,
    process::{Command, Output},
    sync::Arc,
};

use coinlink::{
    config::{self, Mode, Settings, Sources},
    wiring,
};
use coinlink_application::operations::SealAudit;
use coinlink_domain::shared::audit::AuditEntry;
use coinlink_migration::{Migrator, MigratorTrait as _};
use coinlink_ports::shared::AuditLog as _;
use coinlink_postgres::{ConnectSettings, Database, SqlAuditChain, SqlAuditLog};
use coinlink_testkit::shared::SystemClock;
use tempfile::TempDir;
use time::OffsetDateTime;
use uuid::Uuid;

/// What `coinlink dev` would have made, with so many entries, all sealed.
async fn a_log_of(entries: u32) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings_in(folder.path()).with_dev_secrets().unwrap();
    let url = format!("sqlite://{}?mode=rwc", folder.path().join("data/coinlink.db").display());
    let database = Database::connect(&ConnectSettings::new(url)).await.unwrap();
    database.with_migration_lock(async |connection| Migrator::up(connection, None).await).await.unwrap();
    let mut log = SqlAuditLog::new(database.clone());
    for _ in 0..entries {
        let entry = AuditEntry::new(Uuid::now_v7(), OffsetDateTime::now_utc(), "auth.sign_in", "session");
        log.record(&entry).await.unwrap();
    }
    let chain = Arc::new(SqlAuditChain::new(database.clone()));
    SealAudit::new(chain, Arc::new(SystemClock::default()), wiring::checkpoint_key(&settings)).execute().await.unwrap();
    database.close().await.unwrap();
    folder
}

fn settings_in(folder: &Path) -> Settings {
    let flags = vec![("server.data_dir", folder.join("data").display().to_string())];
    config::load(&Sources { mode: Mode::Dev, flags, ..Sources::default() }).into_settings().unwrap()
}

fn verify(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_coinlink"));
    command.args(["audit", "verify"]).args(arguments).env_clear().envs(variables.iter().copied()).current_dir(folder);
    let Output { status, stdout, stderr } = command.output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

#[actix_web::test]
async fn a_sound_log_exits_with_0_and_its_checkpoint_tells_later_that_it_was_replaced() {
    let (log, other) = (a_log_of(3).await, a_log_of(0).await);
    let (code, said, _) = verify(log.path(), &[], &[]);
    assert!(code == Some(0) && said.starts_with("The audit log is sound: 3 sealed entries"), "{said}");
    let checkpoint = said.lines().last().unwrap().to_owned();
    assert!(checkpoint.starts_with("3:"), "{said}");
    let (code, said, _) = verify(log.path(), &["--checkpoint", &checkpoint], &[]);
    assert!(code == Some(0) && !said.contains("not compared"), "{said}");

    // An empty log in its place, which is sound for who has no checkpoint.
    assert_eq!(verify(other.path(), &[], &[]).0, Some(0));
    fs::copy(log.path().join("data/secrets/password_pepper"), other.path().join("data/secrets/password_pepper")).unwrap();
    let (code, said, _) = verify(other.path(), &["--checkpoint", &checkpoint], &[]);
    assert!(code == Some(1) && said.contains("- chain deleted: there are no seals, but the given checkpoint"), "{said}");
}

#[actix_web::test]
async fn checkpoints_that_another_secret_signed_are_forged() {
    let log = a_log_of(1).await;
    let (code, said, _) = verify(log.path(), &[], &[("PASSWORD_PEPPER", "a9s8d7f6g5h4j3k2l1q0w9e8r7t6y5u4i3o2")]);
    assert!(code == Some(1) && said.contains("- checkpoint forged: "), "{said}");
    assert!(!said.contains("a9s8"));
}

#[actix_web::test]
async fn what_cannot_be_verified_is_not_called_sound_and_leaves_no_trace() {
    let empty = tempfile::tempdir().unwrap();
    let (code, said, why) = verify(empty.path(), &[], &[]);
    assert!(code == Some(2) && said.is_empty() && why.contains("there is no database at"), "{why}");
    assert_eq!(fs::read_dir(empty.path()).unwrap().count(), 0);

    let log = a_log_of(1).await;
    fs::remove_dir_all(log.path().join("data/secrets")).unwrap();
    let (code, _, why) = verify(log.path(), &[], &[]);
    assert!(code == Some(2) && why.contains("PASSWORD_PEPPER is missing"), "{why}");

    let (code, _, why) = verify(log.path(), &["--checkpoint", "1:2:3:4"], &[]);
    assert!(code == Some(2) && why.contains("HASH cannot be read"), "{why}");
}
