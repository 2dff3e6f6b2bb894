//! A migrated database of each kind for one test.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::{any::Any, sync::Arc, time::Duration};

use coinlink_migration::{Migrator, MigratorTrait};
use coinlink_postgres::{ConnectSettings, Database, SqlIdentityStore};
use coinlink_testkit::{
    identity::{Audited, IdentityUnderTest},
    servers::fresh_database,
    shared::PlainSecretBox,
};
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use tempfile::TempDir;

/// A store, and a connection beside its own.
pub(crate) struct Place {
    pub(crate) it: IdentityUnderTest,
    pub(crate) sql: DatabaseConnection,
}

/// On the PostgreSQL server that tests share.
pub(crate) async fn on_postgres() -> Place {
    let place = fresh_database().await;
    let url = place.url.clone();
    under_test(&url, place).await
}

/// In a file.
pub(crate) async fn on_sqlite() -> Place {
    let place = migrated_file().await;
    under_test(&url_in(&place), place).await
}

/// A folder with a database in it.
pub(crate) async fn migrated_file() -> TempDir {
    let place = tempfile::tempdir().unwrap();
    let database = Database::connect(&ConnectSettings::new(url_in(&place))).await.unwrap();
    database.with_migration_lock(async |connection| Migrator::up(connection, None).await).await.unwrap();
    place
}

pub(crate) fn url_in(place: &TempDir) -> String {
    format!("sqlite:{}", place.path().join("coinlink.db").display())
}

/// Patient: a hundred callers at once on a busy machine are no fault.
async fn under_test(url: &str, place: impl Any + Send + Sync) -> Place {
    let (acquire_timeout, statement_timeout) = (Duration::from_secs(10), Duration::from_secs(10));
    let settings = ConnectSettings { acquire_timeout, statement_timeout, ..ConnectSettings::new(url) };
    let database = Database::connect(&settings).await.unwrap();
    let mut options = sea_orm::ConnectOptions::new(url);
    options.max_connections(1).sqlx_logging(false);
    let sql = sea_orm::Database::connect(options).await.unwrap();
    let ids_in = |table: &'static str| {
        let reader = sql.clone();
        move || -> Audited {
            let reader = reader.clone();
            Box::pin(async move {
                let all = Statement::from_string(reader.get_database_backend(), format!("SELECT id FROM {table}"));
                let rows = reader.query_all_raw(all).await.unwrap();
                rows.iter().map(|row| row.try_get("", "id").unwrap()).collect()
            })
        }
    };
    let store = Arc::new(SqlIdentityStore::new(database, Arc::new(PlainSecretBox::default())));
    let (audited, mailed) = (Arc::new(ids_in("audit_log")), Arc::new(ids_in("outbox_mails")));
    Place {
        it: IdentityUnderTest {
            keys: store.clone(),
            factors: store.clone(),
            links: store.clone(),
            wallets: store.clone(),
            store,
            audited,
            mailed,
            place: Arc::new(place),
        },
        sql,
    }
}
