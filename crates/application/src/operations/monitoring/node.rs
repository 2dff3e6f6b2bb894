use std::sync::{Arc, PoisonError, RwLock};

use coinlink_domain::operations::monitoring::{Aggregate, Metric, Sample, Severity, Span};
use time::OffsetDateTime;

/// A metric as this node last measured it.
#[derive(Debug, Clone)]
pub struct MeasuredMetric {
    /// What it is.
    pub metric: &'static Metric,
    /// What it came to, last.
    pub sample: Sample,
    /// How bad this node's alert of it is, where there is one.
    pub severity: Option<Severity>,
    /// What its samples came to, in spans with any.
    pub aggregates: Vec<(Span, Aggregate)>,
}

/// What this node measured.
#[derive(Debug, Clone)]
pub struct NodeSample {
    /// When.
    pub at: OffsetDateTime,
    /// What could be measured lately.
    pub metrics: Vec<MeasuredMetric>,
}

/// What this node measured last, between the one that samples and those that read. Nobody waits for a sample: it is put here whole.
pub struct NodeSamples {
    node: String,
    last: RwLock<Option<Arc<NodeSample>>>,
}

impl NodeSamples {
    /// Of the node with this name; nothing was measured.
    #[must_use]
    pub const fn new(node: String) -> Self {
        Self { node, last: RwLock::new(None) }
    }

    /// The node.
    #[must_use]
    pub fn node(&self) -> &str {
        &self.node
    }

    /// What was measured last; `None` before the first time.
    #[must_use]
    pub fn last(&self) -> Option<Arc<NodeSample>> {
        self.last.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn put(&self, sample: NodeSample) {
        *self.last.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(sample));
    }
}
