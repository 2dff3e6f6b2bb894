//! A migrated database of each kind for one test.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::ops::Deref;

use coinlink_migration::{Migrator, MigratorTrait};
use coinlink_postgres::{ConnectSettings, Database, SqlLastKnownPrices};
use coinlink_testkit::servers::{TestDatabase, fresh_database};
use tempfile::TempDir;

/// A store, and what has to stay as long as it is used.
pub(crate) struct Held<Place> {
    store: SqlLastKnownPrices,
    _place: Place,
}

impl<Place> Deref for Held<Place> {
    type Target = SqlLastKnownPrices;

    fn deref(&self) -> &Self::Target {
        &self.store
    }
}

/// On the PostgreSQL server that tests share.
pub(crate) async fn on_postgres() -> Held<TestDatabase> {
    let place = fresh_database().await;
    let database = Database::connect(&ConnectSettings::new(&place.url)).await.unwrap();
    Held { store: SqlLastKnownPrices::new(database), _place: place }
}

/// In a file.
pub(crate) async fn on_sqlite() -> Held<TempDir> {
    let place = tempfile::tempdir().unwrap();
    let database = sqlite_in(&place).await;
    database.with_migration_lock(async |connection| Migrator::up(connection, None).await).await.unwrap();
    Held { store: SqlLastKnownPrices::new(database), _place: place }
}

async fn sqlite_in(place: &TempDir) -> Database {
    let url = format!("sqlite:{}", place.path().join("coinlink.db").display());
    Database::connect(&ConnectSettings::new(url)).await.unwrap()
}
