//! What runs beside requests: leading the ticker, following it, measuring, and upkeep.

mod alerts;
mod bulletins;
mod candles;
mod certificate;
mod feedback;
mod history;
mod led;
mod machine;
mod mail;
mod monitoring;
mod notices;
mod resealing;
mod sample;
mod signing_keys;
mod sockets;
mod upkeep;

use std::{sync::Arc, time::Duration as StdDuration};

use coinlink_application::market::{FollowerReport, LeadTicker, TickOutcome};
use coinlink_domain::market::Tick;
use coinlink_ports::{market::TickAudience, shared::Clock};
use time::{Duration, OffsetDateTime};
use tokio::{
    sync::watch,
    task::{JoinError, JoinSet},
};
use tracing::Instrument as _;

use crate::{broadcast::Broadcaster, telemetry::Metrics};

pub use alerts::{evaluate_alerts, prune_alerts};
pub use bulletins::{follow_bulletins, refresh_bulletins};
pub use candles::{prune_candles, record_candles};
pub use certificate::watch_certificate;
pub use feedback::prune_feedback;
pub use history::fill_history;
pub use led::Led;
pub use machine::measure_machine;
pub use mail::{MailJob, deliver_mail, prune_mail};
pub use monitoring::{NAMED_EVERY, sample_monitor, watch_node_name};
pub use notices::{count_deliveries, deliver_to_sockets, deliver_to_webhooks, prune_notifications};
pub use resealing::{Resealing, reseal_secrets};
pub use sample::{Sampled, sample};
pub use signing_keys::{NODES_KNOW_AFTER_SECS, follow_signing_keys};
pub use sockets::{show_prompts, tell_live_events, tell_news};
pub use upkeep::{follow_revocations, note_key_uses, prune, seal_audit, settle_guesses};

/// A node that does not lead looks this often whether it may.
const ACQUIRE_EVERY: StdDuration = StdDuration::from_secs(1);

/// How long until the wall clock shows a multiple of `interval`, so that ticks come at the same moments whoever leads.
fn until_next(now: OffsetDateTime, interval: Duration) -> StdDuration {
    let interval = interval.whole_nanoseconds().max(1);
    let left = interval - now.unix_timestamp_nanos().rem_euclid(interval);
    StdDuration::from_nanos(u64::try_from(left).unwrap_or(0))
}

/// Leads whenever this node may, until `stop`; then gives leadership up.
pub async fn lead(
    mut ticker: LeadTicker,
    interval: Duration,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
    led: Led,
    mut stop: watch::Receiver<bool>,
) {
    let turns = metrics.job("lead_ticker");
    let mut follows = false;
    loop {
        // A stop does not wait for providers: what was asked is dropped.
        let span = tick_span(follows);
        let outcome = tokio::select! {
            outcome = ticker.execute().instrument(span.clone()) => outcome,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        follows = matches!(outcome, TickOutcome::Following);
        record(&outcome, &ticker, &metrics);
        match outcome {
            TickOutcome::Following => {}
            TickOutcome::Published { .. } => turns[0].inc(),
            TickOutcome::Fenced { .. } | TickOutcome::Unavailable { .. } => turns[1].inc(),
        }
        led.leads(ticker.is_leading());
        if let TickOutcome::Published { tick, .. } = &outcome {
            span.in_scope(|| led.published(tick));
        }
        let aligned = until_next(clock.now(), interval);
        let wait = if ticker.is_leading() { aligned } else { aligned.min(ACQUIRE_EVERY) };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            _ = stop.wait_for(|stop| *stop) => break,
        }
    }
    tell_leadership(&metrics, false);
    led.leads(false);
    if let Err(error) = ticker.release().await {
        tracing::warn!(%error, "leadership could not be given up; it lapses by itself");
    }
}

/// The root of a tick's trace. A node that follows and asks each second whether it may lead makes none: see the sampler.
fn tick_span(follows: bool) -> tracing::Span {
    let kind = if follows { "consumer" } else { "internal" };
    tracing::debug_span!("tick", otel.kind = kind, job = "lead_ticker")
}

/// Whom a tick reached is known to the leader alone: what it was grows old when leadership ends.
fn tell_leadership(metrics: &Metrics, leads: bool) {
    metrics.leader.set(i64::from(leads));
    if !leads {
        metrics.bus_receivers.set(0);
    }
}

fn record(outcome: &TickOutcome, ticker: &LeadTicker, metrics: &Metrics) {
    tell_leadership(metrics, ticker.is_leading());
    let calls = match outcome {
        TickOutcome::Following => return,
        TickOutcome::Published { receivers, calls, .. } => {
            metrics.bus_receivers.set(i64::try_from(*receivers).unwrap_or(i64::MAX));
            calls
        }
        TickOutcome::Fenced { calls } => calls,
        TickOutcome::Unavailable { error, calls } => {
            tracing::warn!(%error, "the tick could not be published");
            calls
        }
    };
    for call in calls {
        match &call.result {
            Ok(()) => metrics.provider_request(call.source.name(), "ok"),
            Err(failure) => {
                metrics.provider_request(call.source.name(), "error");
                metrics.provider_error(call.source.name(), failure.class.label());
                tracing::warn!(provider = call.source.name(), class = failure.class.label(), error = %failure, "a price provider failed");
            }
        }
    }
    for (source, state) in ticker.breakers() {
        metrics.price_breaker(source.name(), i64::from(state));
    }
}

/// Counts what the follower reports and what this node's clients are shown.
pub struct Counted {
    pub broadcaster: Broadcaster,
    pub metrics: Metrics,
}

impl FollowerReport for Counted {
    fn gap(&self) {
        self.metrics.ticker_gaps.inc();
    }
}

impl TickAudience for Counted {
    fn deliver(&self, tick: Arc<Tick>) {
        self.metrics.ticker_broadcast(tick.stale);
        self.broadcaster.deliver(tick);
    }

    fn replay_stale(&self) {
        self.metrics.ticker_broadcast(true);
        self.broadcaster.replay_stale();
    }
}

/// Runs jobs until one ends, which none should: a node without one of them only seems to work.
pub async fn watch_over(mut jobs: JoinSet<()>) -> String {
    why_ended(jobs.join_next().await.unwrap_or(Ok(())))
}

/// What to say of a job that ended before it was asked to.
pub fn why_ended(job: Result<(), JoinError>) -> String {
    match job {
        Err(error) if error.is_panic() => format!("a job panicked: {error}"),
        _ => "a job ended".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn who_leads_no_more_tells_of_no_receivers() {
        let metrics = Metrics::new("0", "test").unwrap();
        tell_leadership(&metrics, true);
        metrics.bus_receivers.set(2);
        tell_leadership(&metrics, true);
        assert_eq!((metrics.leader.get(), metrics.bus_receivers.get()), (1, 2));
        tell_leadership(&metrics, false);
        assert_eq!((metrics.leader.get(), metrics.bus_receivers.get()), (0, 0));
    }

    #[test]
    fn ticks_fall_on_multiples_of_the_interval_by_the_wall_clock() {
        let five = Duration::seconds(5);
        assert_eq!(until_next(datetime!(2026-01-01 0:00:01.5 UTC), five), StdDuration::from_millis(3_500));
        assert_eq!(until_next(datetime!(2026-01-01 0:00:05 UTC), five), StdDuration::from_secs(5), "not the same moment again");
    }
}
