//! Filling price history, while this node leads.

use std::{collections::HashSet, time::Duration as StdDuration};

use coinlink_application::market::{FillHistory, FillStep};
use coinlink_domain::shared::upstream_failure::FailureClass;
use tokio::sync::watch;

use super::upkeep::Told;
use crate::telemetry::Metrics;

/// Once all is there that providers have, this long until the next look.
const LOOK_EVERY: StdDuration = StdDuration::from_mins(10);

/// The log tells of the first of so many calls.
const TELL_EVERY: u64 = 100;

/// One call at a time, `pace` apart.
pub async fn fill_history(mut fill: FillHistory, mut leading: watch::Receiver<bool>, pace: StdDuration, metrics: Metrics) {
    let mut told = Told::of(&metrics, "fill_history", "filling history");
    let mut said = None;
    let mut calls = 0_u64;
    let mut failing = HashSet::new();
    loop {
        if leading.wait_for(|leads| *leads).await.is_err() {
            // Nobody leads any more: the node ends.
            return std::future::pending().await;
        }
        let wait = match told.tell(fill.execute().await) {
            Some(FillStep::Asked { source, result }) => {
                let outcome = if result.is_ok() { "ok" } else { "error" };
                metrics.provider_request(source.name(), outcome);
                match result {
                    Ok(_) if failing.remove(&source) => tracing::info!(provider = source.name(), "gives history again"),
                    Ok(_) => {}
                    Err(failure) => {
                        metrics.provider_error(source.name(), failure.class.label());
                        // That an asset is not listed is no failure of anybody's.
                        if failure.class != FailureClass::Data && failing.insert(source) {
                            tracing::warn!(provider = source.name(), error = %failure, "gives no history");
                        }
                    }
                }
                if calls.is_multiple_of(TELL_EVERY) {
                    tracing::info!(calls, "filling history from providers");
                }
                calls += 1;
                pace
            }
            Some(FillStep::Resting(rest)) => pace.max(rest.unsigned_abs().min(LOOK_EVERY)),
            Some(FillStep::Done(missing)) => {
                for (interval, candles) in &missing {
                    let candles = i64::try_from(*candles).unwrap_or(i64::MAX);
                    metrics.history_missing.with_label_values(&[interval.name()]).set(candles);
                }
                if said.as_ref() != Some(&missing) {
                    let total: u64 = missing.values().sum();
                    tracing::info!(missing_candles = total, ?missing, "history is as full as its providers make it");
                    said = Some(missing);
                }
                told.tell(fill.forget().await);
                calls = 0;
                LOOK_EVERY
            }
            None => LOOK_EVERY.min(pace * 30),
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            // Whoever lost the lead waits above, not here.
            _ = leading.changed() => {}
        }
    }
}
