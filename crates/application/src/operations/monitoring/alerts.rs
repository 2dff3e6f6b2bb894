use std::sync::Arc;

use coinlink_domain::{
    identity::{ClientInfo, UserId},
    operations::monitoring::{Acknowledgement, Alert, Severity},
    shared::{audit::AuditStatus, reason::Reason},
};
use coinlink_ports::{
    identity::IdentityStore,
    operations::{AlertFilter, AlertPlace, MonitorAlerts},
    shared::{Clock, Entropy, StoreError},
};
use uuid::Uuid;

use super::super::looked;

/// Lists what all nodes found.
pub struct ReadMonitorAlerts {
    /// What they found.
    pub alerts: Arc<dyn MonitorAlerts>,
}

impl ReadMonitorAlerts {
    /// At most `limit` alerts as `filter` wants them that come before `before`, newest first, and where the next ones begin, where
    /// there are more.
    #[tracing::instrument(name = "operations.read_monitor_alerts", skip_all)]
    pub async fn execute(
        &self,
        filter: &AlertFilter,
        before: Option<AlertPlace>,
        limit: u32,
    ) -> Result<(Vec<Alert>, Option<AlertPlace>), StoreError> {
        let mut page = self.alerts.page(filter, before, limit.saturating_add(1)).await?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = page.len() > limit;
        page.truncate(limit);
        let next = page.last().filter(|_| more).map(AlertPlace::of);
        Ok((page, next))
    }
}

/// Nobody looks after the alert now.
#[derive(Debug, thiserror::Error)]
pub enum AcknowledgeError {
    /// There is none with this id.
    #[error("there is no such alert")]
    NoAlert,
    /// The store is not there.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Tells all that somebody looks after an alert.
pub struct AcknowledgeAlert {
    /// What was found.
    pub alerts: Arc<dyn MonitorAlerts>,
    /// Where what changes nothing is written down.
    pub store: Arc<dyn IdentityStore>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Ids of audit entries.
    pub entropy: Arc<dyn Entropy>,
}

impl AcknowledgeAlert {
    /// From now on `admin` looks after it. Answers the alert, and whether that is new: it is not where the alert is over, or
    /// somebody looks after it already. All of it is written down.
    #[tracing::instrument(name = "operations.acknowledge_alert", skip_all)]
    pub async fn execute(
        &self,
        admin: UserId,
        id: Uuid,
        reason: &Reason,
        client: &ClientInfo,
    ) -> Result<(Alert, bool), AcknowledgeError> {
        let now = self.clock.now();
        let entry = looked::by(admin, &*self.entropy, now, (looked::ALERT_ACKNOWLEDGE, "monitor_alert"), client);
        let entry = entry.on(id.to_string()).detail("reason", reason.as_str());
        // How bad it is, is found out with it.
        let given = Acknowledgement { by: admin, at: now, severity: Severity::Info };
        match self.alerts.acknowledge(id, &given, &entry).await? {
            Some((alert, true)) => Ok((alert, true)),
            Some((alert, false)) => {
                looked::record_alone(&*self.store, &entry.detail("changed", "false")).await?;
                Ok((alert, false))
            }
            None => {
                let entry = entry.detail("refused", "no_alert").ended(AuditStatus::Denied);
                looked::record_alone(&*self.store, &entry).await?;
                Err(AcknowledgeError::NoAlert)
            }
        }
    }
}
