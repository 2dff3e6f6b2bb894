//! An audit log of each kind for one test.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::any::Any;

use async_trait::async_trait;
use coinlink_domain::shared::audit::AuditEntry;
use coinlink_migration::{Migrator, MigratorTrait};
use coinlink_ports::{operations::AuditChain, shared::AuditLog};
use coinlink_postgres::{ConnectSettings, Database, SqlAuditChain, SqlAuditLog};
use coinlink_testkit::{operations::AuditedLog, servers::fresh_database};
use sea_orm::{ConnectOptions, DatabaseConnection};

/// A log with its chain, connections that may do anything, and what has to stay as long as they are used.
pub(crate) struct Audited {
    pub(crate) chain: SqlAuditChain,
    pub(crate) log: SqlAuditLog,
    pub(crate) operator: DatabaseConnection,
    _place: Box<dyn Any + Send + Sync>,
}

#[async_trait]
impl AuditedLog for Audited {
    fn chain(&self) -> &dyn AuditChain {
        &self.chain
    }

    async fn record(&self, entry: &AuditEntry) {
        self.log.clone().record(entry).await.unwrap();
    }
}

/// On the PostgreSQL server that tests share.
pub(crate) async fn on_postgres() -> Audited {
    let place = fresh_database().await;
    let database = Database::connect(&ConnectSettings::new(&place.url)).await.unwrap();
    audited(database, &place.url.clone(), Box::new(place)).await
}

/// In a file.
pub(crate) async fn on_sqlite() -> Audited {
    let place = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", place.path().join("coinlink.db").display());
    let database = Database::connect(&ConnectSettings::new(&url)).await.unwrap();
    database.with_migration_lock(async |connection| Migrator::up(connection, None).await).await.unwrap();
    audited(database, &url, Box::new(place)).await
}

async fn audited(database: Database, url: &str, place: Box<dyn Any + Send + Sync>) -> Audited {
    let mut options = ConnectOptions::new(url);
    options.max_connections(8).sqlx_logging(false);
    let operator = sea_orm::Database::connect(options).await.unwrap();
    Audited { chain: SqlAuditChain::new(database.clone()), log: SqlAuditLog::new(database), operator, _place: place }
}
