use coinlink_application::assistant::PruneFeedback;

use super::upkeep::{BREATH, PRUNE_EVERY, Told, beats};
use crate::telemetry::Metrics;

/// Removes feedback that is old or too much.
pub async fn prune_feedback(prune: PruneFeedback, metrics: Metrics) {
    let mut told = Told::of(&metrics, "prune_feedback", "removing old feedback");
    let mut beats = beats(PRUNE_EVERY);
    loop {
        beats.tick().await;
        while told.tell(prune.execute().await) == Some(true) {
            tokio::time::sleep(BREATH).await;
        }
    }
}
