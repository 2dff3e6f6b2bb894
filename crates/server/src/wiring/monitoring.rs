//! The monitor: what this node measures, and what it finds.

use std::{fs, sync::Arc, time::Duration as StdDuration};

use coinlink_application::{
    identity::IdentityAdapters,
    operations::monitoring::{NodeSamples, SampleMonitor, SampleParts},
};
use coinlink_postgres::{Database, SqlMonitorAlerts};
use coinlink_redis::RedisNodeName;
use time::Duration;
use tokio::task::JoinSet;

use super::{Shared, Surroundings};
use crate::{
    config::Settings,
    jobs,
    telemetry::{Metrics, measurements::MeasuredMetrics},
};

/// What this node's samples are put into; it listens on `port`.
pub fn node_samples(settings: &Settings, port: u16) -> Arc<NodeSamples> {
    let set = settings.monitoring.node_name.trim();
    let name = if set.is_empty() { format!("{}:{port}", host()) } else { set.to_owned() };
    Arc::new(NodeSamples::new(name))
}

/// What the machine, or the container, is called.
fn host() -> String {
    let named = fs::read_to_string("/proc/sys/kernel/hostname").map(|name| name.trim().to_owned());
    named.ok().filter(|name| !name.is_empty()).unwrap_or_else(|| "node".to_owned())
}

/// What sampling needs of the node.
pub struct MonitorParts<'a> {
    pub settings: &'a Settings,
    pub identity: &'a IdentityAdapters,
    pub shared: &'a Shared,
    pub database: &'a Database,
    pub metrics: &'a Metrics,
    pub samples: &'a Arc<NodeSamples>,
    pub around: &'a Surroundings,
}

/// Starts sampling.
pub fn spawn_monitor(parts: &MonitorParts<'_>, jobs: &mut JoinSet<()>) {
    let period = StdDuration::from_millis(parts.settings.monitoring.period_ms);
    let sample = SampleMonitor::new(SampleParts {
        measurements: Arc::new(MeasuredMetrics::new(parts.metrics.clone(), parts.shared.redis.is_some())),
        accounts: Arc::clone(&parts.identity.accounts),
        policy: parts.identity.policy,
        alerts: Arc::new(SqlMonitorAlerts::new(parts.database.clone())),
        samples: Arc::clone(parts.samples),
        clock: Arc::clone(&parts.around.clock),
        entropy: Arc::clone(&parts.identity.entropy),
        period: Duration::try_from(period).unwrap_or(Duration::MINUTE),
    });
    jobs.spawn(jobs::sample_monitor(sample, period, parts.metrics.clone()));
    // Where nodes share nothing there is one.
    if let Some(link) = &parts.shared.redis {
        let (name, silent_for) = (parts.samples.node().to_owned(), Duration::try_from(jobs::NAMED_EVERY * 3));
        let called = RedisNodeName::new(link.clone(), &name, silent_for.unwrap_or(Duration::MINUTE));
        jobs.spawn(jobs::watch_node_name(called, name, parts.metrics.clone()));
    }
}
