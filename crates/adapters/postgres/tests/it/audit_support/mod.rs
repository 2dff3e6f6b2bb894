//! An audit log of each kind for one test.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use async_trait::async_trait;
use coinlink_domain::shared::audit::AuditEntry;
use coinlink_ports::{operations::AuditChain, shared::AuditLog};
use coinlink_postgres::{SqlAuditChain, SqlAuditLog};
use coinlink_testkit::operations::AuditedLog;
use sea_orm::DatabaseConnection;

use crate::databases::{self, Place};

/// A log with its chain, connections that may do anything, and what has to stay as long as they are used.
pub(crate) struct Audited {
    pub(crate) chain: SqlAuditChain,
    pub(crate) log: SqlAuditLog,
    pub(crate) operator: DatabaseConnection,
    pub(crate) place: Place,
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
    audited(databases::on_postgres().await).await
}

/// In a file.
pub(crate) async fn on_sqlite() -> Audited {
    audited(databases::on_sqlite().await).await
}

async fn audited(place: Place) -> Audited {
    let (database, operator) = (place.database().await, place.operator().await);
    Audited { chain: SqlAuditChain::new(database.clone()), log: SqlAuditLog::new(database), operator, place }
}
