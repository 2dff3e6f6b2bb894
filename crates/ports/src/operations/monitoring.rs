use async_trait::async_trait;
use coinlink_domain::{
    operations::monitoring::{Acknowledgement, Alert, Severity, Value},
    shared::audit::AuditEntry,
};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::shared::StoreError;

/// What this node is doing at the moment.
#[async_trait]
pub trait Measurements: Send + Sync {
    /// What can be measured now, by the metric's id; rates and quantiles are of the time since the call before. What cannot be
    /// measured is left out.
    async fn measure(&self) -> Vec<(&'static str, Value)>;
}

/// A place in the list of alerts, which is read in the order of their beginning, then their id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct AlertPlace {
    /// When an alert began.
    pub at: OffsetDateTime,
    /// The alert.
    pub id: Uuid,
}

impl AlertPlace {
    /// Where this alert is.
    #[must_use]
    pub const fn of(alert: &Alert) -> Self {
        Self { at: alert.opened_at, id: alert.id }
    }
}

/// Which alerts are looked for: those for which all of it holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AlertFilter {
    /// Whether they go on.
    pub open: Option<bool>,
    /// They are so bad.
    pub severity: Option<Severity>,
    /// They are of this node.
    pub node: Option<String>,
    /// They are of this metric.
    pub metric: Option<String>,
}

impl AlertFilter {
    /// Whether an alert is one of those.
    #[must_use]
    pub fn admits(&self, alert: &Alert) -> bool {
        self.open.is_none_or(|open| open == alert.ended.is_none())
            && self.severity.is_none_or(|severity| alert.severity == severity)
            && self.node.as_deref().is_none_or(|node| alert.node == node)
            && self.metric.as_deref().is_none_or(|metric| alert.metric == metric)
    }
}

/// What all nodes have found to be looked at. Of a metric of a node there is one open alert at most. Values and moments come back
/// as they were given, to the microsecond.
#[async_trait]
pub trait MonitorAlerts: Send + Sync {
    /// What is open, of this node or of all; the newest 1,000, newest first.
    async fn open(&self, node: Option<&str>) -> Result<Vec<Alert>, StoreError>;

    /// Keeps an alert as it is, but for who acknowledged it, which is left alone. Answers `false`, and keeps nothing, where it is
    /// over already. A second open alert of a metric of a node is a [`StoreError::Conflict`].
    async fn keep(&self, alert: &Alert) -> Result<bool, StoreError>;

    /// Somebody looks after an alert: it is written down with `entry` or not at all. Answers the alert, and whether that is new: it
    /// is not where it is over or acknowledged as bad as it is. `None` where there is none. What is acknowledged is how bad it is
    /// at that moment, whatever `given` says.
    async fn acknowledge(
        &self,
        id: Uuid,
        given: &Acknowledgement,
        entry: &AuditEntry,
    ) -> Result<Option<(Alert, bool)>, StoreError>;

    /// At most `limit` alerts as `filter` wants them that come before `before` in the list's order, newest first.
    async fn page(&self, filter: &AlertFilter, before: Option<AlertPlace>, limit: u32) -> Result<Vec<Alert>, StoreError>;

    /// Ends, `at` that moment, what is open of nodes that last looked before `before`: they are gone. How many.
    async fn end_unseen(&self, before: OffsetDateTime, at: OffsetDateTime) -> Result<u64, StoreError>;

    /// Removes all that ended but the `most` that ended last, at most `limit` at once. How many.
    async fn prune(&self, most: u64, limit: u64) -> Result<u64, StoreError>;
}
