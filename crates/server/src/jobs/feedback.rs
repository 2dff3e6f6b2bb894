use coinlink_application::assistant::PruneFeedback;

use super::upkeep::{Told, in_parts};
use crate::telemetry::Metrics;

/// Removes feedback that is old or too much.
pub async fn prune_feedback(prune: PruneFeedback, metrics: Metrics) {
    in_parts(Told::of(&metrics, "prune_feedback", "removing old feedback"), || prune.execute()).await;
}
