use std::time::Duration as StdDuration;

use coinlink_application::operations::monitoring::SampleMonitor;
use coinlink_redis::RedisNodeName;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::upkeep::{Told, beats};
use crate::telemetry::Metrics;

/// How often each node says what it is called.
pub const NAMED_EVERY: StdDuration = StdDuration::from_secs(5);

/// Warns while another node has this one's name: in the monitor both are one, and each ends the alerts that the other one finds.
pub async fn watch_node_name(called: RedisNodeName, name: String, metrics: Metrics) {
    let mut told = Told::of(&metrics, "watch_node_name", "looking for nodes of the same name");
    let mut beats = beats(NAMED_EVERY);
    let mut was_shared = false;
    loop {
        beats.tick().await;
        let Some(is_shared) = told.tell(called.is_shared().await) else { continue };
        match (std::mem::replace(&mut was_shared, is_shared), is_shared) {
            (false, true) => tracing::warn!(
                name,
                "another node has this node's name: in the monitor their figures mix, and each takes the other's alerts for its own; \
                 give each a NODE_NAME of its own"
            ),
            (true, false) => tracing::info!(name, "no other node has this node's name any more"),
            _ => {}
        }
    }
}

/// Measures this node, the first time after a whole period: of less nothing can be said.
pub async fn sample_monitor(mut sample: SampleMonitor, period: StdDuration, metrics: Metrics) {
    let mut told = Told::of(&metrics, "sample_monitor", "keeping what the monitor found");
    let mut beats = interval_at(Instant::now() + period, period);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        beats.tick().await;
        told.tell(sample.execute().await);
    }
}
