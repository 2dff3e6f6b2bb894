//! The schema goes up and down on both databases, and two nodes that start at once do not get in each other's way.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::time::Duration;

use coinlink_migration::{DbErr, Migrator, MigratorTrait, is_ahead};
use coinlink_ports::operations::DependencyProbe;
use coinlink_postgres::{ConnectSettings, Database, DatabaseProbe};
use coinlink_testkit::servers::shared_postgres;
use sea_orm::ConnectionTrait;

async fn connect(url: &str) -> Database {
    Database::connect(&ConnectSettings::new(url)).await.unwrap()
}

async fn up_and_down_and_up(database: &Database) {
    let pending = async || {
        database
            .with_migration_lock(async |db| Migrator::get_pending_migrations(db).await.map(|pending| pending.len()))
            .await
            .unwrap()
    };
    let all = Migrator::migrations().len();
    assert_eq!(pending().await, all);
    database.with_migration_lock(async |db| Migrator::up(db, None).await).await.unwrap();
    assert_eq!(pending().await, 0);
    database.with_migration_lock(async |db| Migrator::down(db, None).await).await.unwrap();
    assert_eq!(pending().await, all);
    database.with_migration_lock(async |db| Migrator::up(db, None).await).await.unwrap();
}

#[tokio::test]
async fn every_step_goes_up_and_down_on_postgres() {
    let place = shared_postgres().await.empty_database().await;
    up_and_down_and_up(&connect(&place.url).await).await;
}

#[tokio::test]
async fn every_step_goes_up_and_down_on_sqlite() {
    let place = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", place.path().join("coinlink.db").display());
    up_and_down_and_up(&connect(&url).await).await;
    up_and_down_and_up(&connect("sqlite::memory:").await).await;
}

/// Three nodes, each with a pool of its own.
async fn all_at_once(url: &str) {
    let node = async || {
        let database = connect(url).await;
        database.with_migration_lock(async |db| Migrator::up(db, None).await).await
    };
    tokio::try_join!(node(), node(), node()).unwrap();
}

#[tokio::test]
async fn nodes_that_start_at_once_migrate_one_after_the_other_on_postgres() {
    let place = shared_postgres().await.empty_database().await;
    all_at_once(&place.url).await;
}

#[tokio::test]
async fn nodes_that_start_at_once_migrate_one_after_the_other_on_sqlite() {
    let place = tempfile::tempdir().unwrap();
    all_at_once(&format!("sqlite:{}", place.path().join("coinlink.db").display())).await;
}

#[tokio::test]
async fn neither_a_migration_nor_waiting_for_its_lock_meets_the_time_out_of_statements() {
    let place = shared_postgres().await.empty_database().await;
    let settings = ConnectSettings { statement_timeout: Duration::from_millis(200), ..ConnectSettings::new(&place.url) };
    let (first, second) = tokio::join!(
        async {
            let database = Database::connect(&settings).await.unwrap();
            database.with_migration_lock(async |db| db.execute_unprepared("SELECT pg_sleep(1)").await).await
        },
        async {
            let database = Database::connect(&settings).await.unwrap();
            database.with_migration_lock(async |db| db.execute_unprepared("SELECT 1").await).await
        }
    );
    first.and(second).unwrap();
}

#[tokio::test]
async fn a_failed_migration_gives_the_lock_back() {
    let place = shared_postgres().await.empty_database().await;
    let database = connect(&place.url).await;
    let failed = database.with_migration_lock(async |db| db.execute_unprepared("SELECT nonsense").await).await;
    assert!(failed.unwrap_err().to_string().contains("nonsense"));
    up_and_down_and_up(&database).await;
    assert_eq!(DatabaseProbe::new(database).check().await, Ok(()));
}

async fn ahead(database: &Database) {
    let is_ahead = async || database.with_migration_lock(async |db| Ok::<_, DbErr>(is_ahead(db).await)).await.unwrap();
    let execute =
        async |sql: &str| database.with_migration_lock(async |db| db.execute_unprepared(sql).await.map(drop)).await.unwrap();
    assert!(!is_ahead().await, "nothing is there yet");
    database.with_migration_lock(async |db| Migrator::up(db, None).await).await.unwrap();
    assert!(!is_ahead().await, "it is ours");
    execute("INSERT INTO seaql_migrations (version, applied_at) VALUES ('m29991231_000000_of_a_later_release', 0)").await;
    assert!(is_ahead().await);
    // The library's own way refuses it, so that a node of the release before could not start again.
    let refused = database.with_migration_lock(async |db| Migrator::up(db, None).await).await.unwrap_err();
    assert!(refused.to_string().contains("m29991231_000000_of_a_later_release"), "{refused}");
    let first = Migrator::migrations().remove(0);
    execute(&format!("DELETE FROM seaql_migrations WHERE version = '{}'", first.name())).await;
    assert!(!is_ahead().await, "a step of ours is missing");
}

#[tokio::test]
async fn a_schema_of_a_later_release_is_told_from_one_that_lacks_a_step_on_postgres() {
    let place = shared_postgres().await.empty_database().await;
    ahead(&connect(&place.url).await).await;
}

#[tokio::test]
async fn a_schema_of_a_later_release_is_told_from_one_that_lacks_a_step_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    ahead(&connect(&format!("sqlite://{}/coinlink.db?mode=rwc", folder.path().display())).await).await;
}
