//! Evaluates alert rules while this node leads.

use std::time::{Duration as StdDuration, Instant};

use coinlink_application::notifications::{EvaluateAlerts, PruneAlerts};
use tokio::sync::{mpsc, watch};
use tracing::Instrument as _;

use super::{
    led::LedTick,
    upkeep::{Told, in_parts},
};
use crate::telemetry::Metrics;

/// A tick that could not be evaluated is tried again after it, where no newer one came.
const AGAIN_AFTER: StdDuration = StdDuration::from_secs(1);

/// Evaluates each tick of `ticks`. Those that wait are evaluated even though leadership ended meanwhile: whoever leads then knows
/// whether it was faster.
pub async fn evaluate_alerts(
    mut evaluate: EvaluateAlerts,
    mut ticks: mpsc::Receiver<LedTick>,
    mut leading: watch::Receiver<bool>,
    metrics: Metrics,
) {
    let (mut failing, mut undone): (bool, Option<LedTick>) = (false, None);
    loop {
        let tick = tokio::select! {
            biased;
            tick = ticks.recv() => match tick {
                Some(tick) => tick,
                None => return,
            },
            Ok(()) = leading.changed() => {
                if !*leading.borrow_and_update() {
                    evaluate.step_down();
                    // Whoever leads now tells of them: what this node knew would stay as it was, and so would an alert on it.
                    for gauge in [&metrics.alerts_held_up, &metrics.alert_rules, &metrics.alert_rules_unreadable] {
                        gauge.set(0);
                    }
                    undone = None;
                }
                continue;
            }
            () = tokio::time::sleep(AGAIN_AFTER), if undone.is_some() => match undone.take() {
                Some(tick) => tick,
                None => continue,
            },
        };
        let began = Instant::now();
        match evaluate.execute(&tick.tick).instrument(tick.span.clone()).await {
            Ok(evaluated) => {
                undone = None;
                metrics.alert_evaluation.observe(began.elapsed().as_secs_f64());
                metrics.alerts_fired.inc_by(evaluated.fired as u64);
                metrics.alert_rules.set(i64::try_from(evaluated.rules).unwrap_or(i64::MAX));
                metrics.alert_rules_unreadable.set(i64::try_from(evaluated.unreadable).unwrap_or(i64::MAX));
                metrics.alerts_held_up.set(i64::from(evaluated.held_up));
                if std::mem::take(&mut failing) {
                    tracing::info!("evaluating alerts works again");
                }
            }
            Err(error) => {
                undone = Some(tick);
                if !std::mem::replace(&mut failing, true) {
                    tracing::warn!(%error, "evaluating alerts fails; what was missed is evaluated later");
                }
            }
        }
    }
}

/// Forgets firings of long ago and rules that were deleted.
pub async fn prune_alerts(prune: PruneAlerts, metrics: Metrics) {
    in_parts(Told::of(&metrics, "prune_alerts", "removing old alerts"), || prune.execute()).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use coinlink_application::notifications::EvaluatorParts;
    use coinlink_embedded::{EmbeddedBus, EmbeddedLease};
    use coinlink_testkit::{
        market::MemoryCandles,
        notifications::MemoryNotifications,
        shared::{CountingEntropy, StoppedClock},
    };
    use std::sync::Arc;

    #[tokio::test]
    async fn who_leads_no_more_tells_of_no_alert_rules() {
        let store = Arc::new(MemoryNotifications::default());
        let clock = Arc::new(StoppedClock::at(time::OffsetDateTime::UNIX_EPOCH));
        let evaluate = EvaluateAlerts::new(EvaluatorParts {
            store: store.clone(),
            reads: store,
            bus: Arc::new(EmbeddedBus::new(&EmbeddedLease::new(clock.clone()), 1)),
            candles: Arc::new(MemoryCandles::default()),
            clock,
            entropy: Arc::new(CountingEntropy::default()),
        });
        let metrics = Metrics::new("0", "test").unwrap();
        let gauges = [&metrics.alerts_held_up, &metrics.alert_rules, &metrics.alert_rules_unreadable];
        for gauge in &gauges {
            gauge.set(3);
        }
        let ((_ticks, ticks), (leads, leading)) = (mpsc::channel(1), watch::channel(true));
        let job = tokio::spawn(evaluate_alerts(evaluate, ticks, leading, metrics.clone()));
        leads.send_replace(false);
        let told = async {
            while gauges.iter().any(|gauge| gauge.get() != 0) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(StdDuration::from_secs(10), told).await.unwrap();
        job.abort();
    }
}
