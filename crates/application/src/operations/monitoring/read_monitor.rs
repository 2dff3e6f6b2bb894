use std::sync::Arc;

use coinlink_domain::operations::monitoring::{Alert, Health, health};
use coinlink_ports::{
    operations::MonitorAlerts,
    shared::{Clock, StoreError},
};
use time::OffsetDateTime;

use super::{Department, NodeSample, NodeSamples, departments};

/// How the system is, as one node sees it.
#[derive(Debug, Clone)]
pub struct MonitorView {
    /// When it was looked at.
    pub at: OffsetDateTime,
    /// The node that measured.
    pub node: String,
    /// What it measured; `None` before the first time.
    pub sample: Option<Arc<NodeSample>>,
    /// What is open, of all nodes, newest first.
    pub open: Vec<Alert>,
}

impl MonitorView {
    /// The score of the whole and what that means; `None` while this node has measured nothing: nothing found is not all well.
    #[must_use]
    pub fn health(&self) -> Option<(u8, Health)> {
        self.sample.as_ref().map(|_| health(self.open.iter().map(|alert| alert.severity)))
    }

    /// The contexts that are measured.
    #[must_use]
    pub fn departments(&self) -> Vec<Department> {
        self.sample.as_ref().map(|sample| departments(sample, &self.open)).unwrap_or_default()
    }
}

/// Shows what this node measured, and what all found.
pub struct ReadMonitor {
    /// What this node measured.
    pub samples: Arc<NodeSamples>,
    /// What all found.
    pub alerts: Arc<dyn MonitorAlerts>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

impl ReadMonitor {
    /// How it is now.
    #[tracing::instrument(name = "operations.read_monitor", skip_all)]
    pub async fn execute(&self) -> Result<MonitorView, StoreError> {
        let open = self.alerts.open(None).await?;
        Ok(MonitorView { at: self.clock.now(), node: self.samples.node().to_owned(), sample: self.samples.last(), open })
    }
}
