//! What the monitor found, on each database.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::any::Any;

use async_trait::async_trait;
use coinlink_migration::{Migrator, MigratorTrait};
use coinlink_ports::operations::{AuditFilter, AuditReader as _, MonitorAlerts};
use coinlink_postgres::{ConnectSettings, Database, SqlAuditReader, SqlMonitorAlerts};
use coinlink_testkit::{
    operations::{Monitored, MonitoredAlerts},
    servers::fresh_database,
};
use uuid::Uuid;

mod postgres {
    coinlink_testkit::monitor_alerts_contract!(crate::monitor_alerts::on_postgres().await);
}

mod sqlite {
    coinlink_testkit::monitor_alerts_contract!(crate::monitor_alerts::on_sqlite().await);
}

struct Sql {
    alerts: SqlMonitorAlerts,
    log: SqlAuditReader,
}

#[async_trait]
impl MonitoredAlerts for Sql {
    fn alerts(&self) -> &dyn MonitorAlerts {
        &self.alerts
    }

    async fn written(&self) -> Vec<Uuid> {
        let mut entries = self.log.page(&AuditFilter::default(), None, 100).await.unwrap().entries;
        entries.sort_by_key(|entry| entry.id);
        entries.into_iter().map(|entry| entry.id).collect()
    }
}

async fn at(url: &str, place: Box<dyn Any + Send + Sync>) -> Monitored<Sql> {
    let database = Database::connect(&ConnectSettings::new(url)).await.unwrap();
    database.with_migration_lock(async |connection| Migrator::up(connection, None).await).await.unwrap();
    Monitored { store: Sql { alerts: SqlMonitorAlerts::new(database.clone()), log: SqlAuditReader::new(database) }, place }
}

async fn on_postgres() -> Monitored<Sql> {
    let place = fresh_database().await;
    at(&place.url.clone(), Box::new(place)).await
}

async fn on_sqlite() -> Monitored<Sql> {
    let place = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", place.path().join("coinlink.db").display());
    at(&url, Box::new(place)).await
}
