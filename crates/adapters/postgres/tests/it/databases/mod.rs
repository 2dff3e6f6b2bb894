//! A migrated database of each kind for one test.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::{any::Any, ops::Deref, time::Duration};

use coinlink_migration::{Migrator, MigratorTrait};
use coinlink_postgres::{ConnectSettings, Database};
use coinlink_testkit::servers::fresh_database;
use sea_orm::{ConnectOptions, DatabaseConnection};

/// A database, there as long as this is.
pub(crate) struct Place {
    pub(crate) url: String,
    _held: Box<dyn Any + Send + Sync>,
}

/// A store, and what has to stay as long as it is used.
pub(crate) struct Held<Store> {
    store: Store,
    pub(crate) place: Place,
}

impl<Store> Deref for Held<Store> {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}

/// On the PostgreSQL server that tests share.
pub(crate) async fn on_postgres() -> Place {
    let held = fresh_database().await;
    Place { url: held.url.clone(), _held: Box::new(held) }
}

/// In a file.
pub(crate) async fn on_sqlite() -> Place {
    let held = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", held.path().join("coinlink.db").display());
    let place = Place { url, _held: Box::new(held) };
    place.database().await.with_migration_lock(async |connection| Migrator::up(connection, None).await).await.unwrap();
    place
}

impl Place {
    pub(crate) async fn database(&self) -> Database {
        Database::connect(&ConnectSettings::new(&self.url)).await.unwrap()
    }

    /// Patient: many callers at once on a busy machine are no fault.
    pub(crate) async fn patient_database(&self) -> Database {
        let (acquire_timeout, statement_timeout) = (Duration::from_secs(10), Duration::from_secs(10));
        let settings = ConnectSettings { acquire_timeout, statement_timeout, ..ConnectSettings::new(&self.url) };
        Database::connect(&settings).await.unwrap()
    }

    /// Connections beside those of the stores, which may do anything.
    pub(crate) async fn operator(&self) -> DatabaseConnection {
        let mut options = ConnectOptions::new(&self.url);
        options.max_connections(8).sqlx_logging(false);
        sea_orm::Database::connect(options).await.unwrap()
    }

    pub(crate) async fn with<Store>(self, store: impl FnOnce(Database) -> Store) -> Held<Store> {
        Held { store: store(self.database().await), place: self }
    }
}

/// Runs a contract of `coinlink_testkit` on each database.
macro_rules! on_each_database {
    ($contract:ident, $place:ident => $it:expr) => {
        mod postgres {
            use super::*;

            coinlink_testkit::$contract!({
                let $place = crate::databases::on_postgres().await;
                $it
            });
        }

        mod sqlite {
            use super::*;

            coinlink_testkit::$contract!({
                let $place = crate::databases::on_sqlite().await;
                $it
            });
        }
    };
}

pub(crate) use on_each_database;
