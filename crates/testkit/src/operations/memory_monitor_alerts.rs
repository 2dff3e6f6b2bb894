use std::{collections::BTreeMap, sync::Mutex};

use async_trait::async_trait;
use coinlink_domain::{
    operations::monitoring::{Acknowledgement, Alert, Ended, Resolution},
    shared::audit::AuditEntry,
};
use coinlink_ports::{
    operations::{AlertFilter, AlertPlace, MonitorAlerts},
    shared::StoreError,
};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::shared::lock;

#[derive(Debug, Default)]
struct Stored {
    alerts: BTreeMap<Uuid, Alert>,
    entries: Vec<AuditEntry>,
    is_away: bool,
}

/// Alerts in memory.
#[derive(Debug, Default)]
pub struct MemoryMonitorAlerts(Mutex<Stored>);

impl MemoryMonitorAlerts {
    /// The audit entries that were written with acknowledgements.
    pub fn entries(&self) -> Vec<AuditEntry> {
        lock(&self.0).entries.clone()
    }

    /// From now on nothing is answered, or is again.
    pub fn be_away(&self, is_away: bool) {
        lock(&self.0).is_away = is_away;
    }

    fn with<T>(&self, act: impl FnOnce(&mut Stored) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let mut stored = lock(&self.0);
        if stored.is_away { Err(StoreError::Unavailable("away, as asked".into())) } else { act(&mut stored) }
    }

    fn newest(stored: &Stored, limit: usize, admits: impl Fn(&Alert) -> bool) -> Vec<Alert> {
        let mut found: Vec<_> = stored.alerts.values().filter(|alert| admits(alert)).cloned().collect();
        found.sort_by_key(|alert| std::cmp::Reverse(AlertPlace::of(alert)));
        found.truncate(limit);
        found
    }
}

#[async_trait]
impl MonitorAlerts for MemoryMonitorAlerts {
    async fn open(&self, node: Option<&str>) -> Result<Vec<Alert>, StoreError> {
        let admits = |alert: &Alert| alert.ended.is_none() && node.is_none_or(|node| alert.node == node);
        self.with(|stored| Ok(Self::newest(stored, 1_000, admits)))
    }

    async fn keep(&self, alert: &Alert) -> Result<bool, StoreError> {
        self.with(|stored| {
            let same = |other: &Alert| other.node == alert.node && other.metric == alert.metric && other.ended.is_none();
            let known = stored.alerts.get(&alert.id);
            if known.is_some_and(|known| known.ended.is_some()) {
                return Ok(false);
            }
            if known.is_none() && alert.ended.is_none() && stored.alerts.values().any(same) {
                return Err(StoreError::Conflict { constraint: "monitor_alerts_open".to_owned() });
            }
            let acknowledged = known.and_then(|known| known.acknowledged);
            stored.alerts.insert(alert.id, Alert { acknowledged, ..alert.clone() });
            Ok(true)
        })
    }

    async fn acknowledge(
        &self,
        id: Uuid,
        given: &Acknowledgement,
        entry: &AuditEntry,
    ) -> Result<Option<(Alert, bool)>, StoreError> {
        self.with(|stored| {
            let Some(alert) = stored.alerts.get_mut(&id) else { return Ok(None) };
            if alert.ended.is_some() || alert.is_acknowledged() {
                return Ok(Some((alert.clone(), false)));
            }
            if stored.entries.iter().any(|known| known.id == entry.id) {
                return Err(StoreError::Conflict { constraint: "audit_log_pkey".to_owned() });
            }
            alert.acknowledged = Some(Acknowledgement { severity: alert.severity, ..*given });
            let alert = alert.clone();
            stored.entries.push(entry.clone());
            Ok(Some((alert, true)))
        })
    }

    async fn page(&self, filter: &AlertFilter, before: Option<AlertPlace>, limit: u32) -> Result<Vec<Alert>, StoreError> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let admits = |alert: &Alert| filter.admits(alert) && before.is_none_or(|before| AlertPlace::of(alert) < before);
        self.with(|stored| Ok(Self::newest(stored, limit, admits)))
    }

    async fn end_unseen(&self, before: OffsetDateTime, at: OffsetDateTime) -> Result<u64, StoreError> {
        self.with(|stored| {
            let unseen = stored.alerts.values_mut().filter(|alert| alert.ended.is_none() && alert.seen_at < before);
            let ended = unseen.map(|alert| alert.ended = Some(Ended { at, why: Resolution::NodeGone }));
            Ok(ended.count() as u64)
        })
    }

    async fn prune(&self, most: u64, limit: u64) -> Result<u64, StoreError> {
        let size = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        self.with(|stored| {
            let ended = stored.alerts.values().filter_map(|alert| Some((alert.ended?.at, alert.id)));
            let mut ended: Vec<_> = ended.collect();
            ended.sort_unstable_by(|a, b| b.cmp(a));
            let gone: Vec<_> = ended.into_iter().skip(size(most)).take(size(limit)).collect();
            for (_, id) in &gone {
                stored.alerts.remove(id);
            }
            Ok(gone.len() as u64)
        })
    }
}
