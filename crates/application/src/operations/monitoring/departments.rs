use std::collections::BTreeMap;

use coinlink_domain::operations::monitoring::{Alert, Health, Severity, health, metric};

use super::NodeSample;

/// How one context is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Department {
    /// The context.
    pub name: &'static str,
    /// How many of its metrics this node measures.
    pub metrics: usize,
    /// Its open alerts, of all nodes.
    pub alerts: usize,
    /// The worst of them.
    pub worst: Option<Severity>,
    /// Its own score and what that means.
    pub health: (u8, Health),
}

/// The contexts that this node measures something of, by name.
#[must_use]
pub fn departments(sample: &NodeSample, open: &[Alert]) -> Vec<Department> {
    let mut measured: BTreeMap<&'static str, usize> = BTreeMap::new();
    for of in &sample.metrics {
        *measured.entry(of.metric.department).or_default() += 1;
    }
    let department = |(name, metrics): (&'static str, usize)| {
        let own = |alert: &&Alert| metric(&alert.metric).is_some_and(|metric| metric.department == name);
        let severities: Vec<_> = open.iter().filter(own).map(|alert| alert.severity).collect();
        let worst = severities.iter().max().copied();
        Department { name, metrics, alerts: severities.len(), worst, health: health(severities) }
    };
    measured.into_iter().map(department).collect()
}
