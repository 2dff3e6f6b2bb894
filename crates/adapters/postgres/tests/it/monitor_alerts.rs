//! What the monitor found, on each database.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use async_trait::async_trait;
use coinlink_ports::operations::{AuditFilter, AuditReader as _, MonitorAlerts};
use coinlink_postgres::{SqlAuditReader, SqlMonitorAlerts};
use coinlink_testkit::operations::{Monitored, MonitoredAlerts};
use uuid::Uuid;

use crate::databases::{Place, on_each_database};

on_each_database!(monitor_alerts_contract, place => under_test(place).await);

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

async fn under_test(place: Place) -> Monitored<Sql> {
    let database = place.database().await;
    let store = Sql { alerts: SqlMonitorAlerts::new(database.clone()), log: SqlAuditReader::new(database) };
    Monitored { store, place: Box::new(place) }
}
