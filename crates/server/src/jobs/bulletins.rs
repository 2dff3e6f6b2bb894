//! Fetches bulletins while this node leads, and follows them on every node.

use std::time::Duration as StdDuration;

use coinlink_application::market::{FollowBulletins, ProviderCall, RefreshBulletins};
use coinlink_ports::shared::BusError;
use tokio::sync::watch;

use crate::telemetry::Metrics;

/// Between two looks at what is due.
const LOOK_EVERY: StdDuration = StdDuration::from_secs(5);

/// Fetches what is due whenever this node leads. What is under way when it no longer does is dropped.
pub async fn refresh_bulletins(mut refresh: RefreshBulletins, mut leading: watch::Receiver<bool>, metrics: Metrics) {
    let mut reachable = true;
    loop {
        if leading.wait_for(|leads| *leads).await.is_err() {
            // The node is about to end, and its jobs with it.
            return std::future::pending().await;
        }
        let outcome = tokio::select! {
            outcome = refresh.execute() => outcome,
            _ = leading.wait_for(|leads| !*leads) => continue,
        };
        record(outcome, &mut reachable, &metrics);
        for (provider, state) in refresh.breakers() {
            metrics.bulletin_breaker(provider, i64::from(state));
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            _ = leading.wait_for(|leads| !*leads) => {}
        }
    }
}

fn record(outcome: Result<Vec<ProviderCall>, BusError>, reachable: &mut bool, metrics: &Metrics) {
    let calls = match outcome {
        Ok(calls) => {
            *reachable = true;
            calls
        }
        Err(error) => {
            if std::mem::replace(reachable, false) {
                tracing::warn!(%error, "nothing is fetched for the nodes: the board cannot be reached");
            }
            return;
        }
    };
    for ProviderCall { provider, kind, result, took } in calls {
        let took_ms = took.whole_milliseconds();
        match result {
            Ok(()) => {
                metrics.provider_request(provider, "ok");
                tracing::info!(provider, kind = kind.name(), took_ms, "fetched");
            }
            Err(failure) => {
                metrics.provider_request(provider, "error");
                metrics.provider_error(provider, failure.class.label());
                let class = failure.class.label();
                tracing::warn!(provider, kind = kind.name(), class, took_ms, error = %failure, "a provider failed");
            }
        }
    }
}

/// Reads what was fetched.
pub async fn follow_bulletins(follow: FollowBulletins) {
    follow.execute().await;
}
