use std::time::Duration as StdDuration;

use coinlink_application::operations::monitoring::SampleMonitor;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::upkeep::Told;
use crate::telemetry::Metrics;

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
