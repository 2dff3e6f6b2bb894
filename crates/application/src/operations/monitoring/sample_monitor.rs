use std::{collections::HashMap, sync::Arc};

use coinlink_domain::{
    identity::SessionPolicy,
    operations::monitoring::{
        AlertBook, Anomaly, Cause, METRICS, Metric, Observed, Sample, Series, Severity, Span, Value, anomaly,
    },
};
use coinlink_ports::{
    identity::AccountDirectory,
    operations::{Measurements, MonitorAlerts},
    shared::{Clock, Entropy, StoreError},
};
use time::{Duration, OffsetDateTime};

use super::{MeasuredMetric, NodeSample, NodeSamples};

/// Samples after which a node that has not looked is gone, and after which what is not measured any more is not shown.
const GONE_AFTER: i32 = 5;
/// What is gone is so for this long at least.
const GONE_AT_LEAST: Duration = Duration::seconds(10);
/// Accounts are counted at every fifth sample: that reads whole tables.
const COUNTED_EVERY: u32 = 5;
/// Alerts that are over and kept.
const ENDED_KEPT: u64 = 500;
/// How many of those that are too many go at once.
const PRUNED_AT_ONCE: u64 = 500;

/// What sampling needs.
pub struct SampleParts {
    /// What this node does.
    pub measurements: Arc<dyn Measurements>,
    /// Accounts.
    pub accounts: Arc<dyn AccountDirectory>,
    /// How long sessions live.
    pub policy: SessionPolicy,
    /// What all nodes found.
    pub alerts: Arc<dyn MonitorAlerts>,
    /// Where what is measured is shown.
    pub samples: Arc<NodeSamples>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Ids of alerts.
    pub entropy: Arc<dyn Entropy>,
    /// Between two samples.
    pub period: Duration,
}

/// Measures this node, and finds what somebody should look at.
pub struct SampleMonitor {
    parts: SampleParts,
    book: AlertBook,
    series: HashMap<&'static str, Series>,
    turn: u32,
}

impl SampleMonitor {
    /// Nothing was measured yet.
    #[must_use]
    pub fn new(parts: SampleParts) -> Self {
        let book = AlertBook::new(parts.samples.node().to_owned());
        Self { parts, book, series: HashMap::new(), turn: 0 }
    }

    /// Takes a sample. While the store is away it is taken and shown all the same; what it led to is stored once the store is back.
    #[tracing::instrument(name = "operations.sample_monitor", skip_all)]
    pub async fn execute(&mut self) -> Result<(), StoreError> {
        let mut values = self.parts.measurements.measure().await;
        let now = self.parts.clock.now();
        let counted = self.count_accounts(now).await;
        values.extend(counted.as_ref().cloned().unwrap_or_default());
        let known = self.parts.alerts.open(Some(self.parts.samples.node())).await;
        let known = known.map(|stored| self.book.adopt(stored));
        for metric in METRICS {
            let value = values.iter().find(|(id, _)| *id == metric.id).map(|(_, value)| *value);
            self.look(metric, value, now);
        }
        self.show(now);
        known?;
        self.store(now).await?;
        counted.map(drop)
    }

    /// What is told of accounts, when it is time.
    async fn count_accounts(&mut self, now: OffsetDateTime) -> Result<Vec<(&'static str, Value)>, StoreError> {
        let is_time = self.turn.is_multiple_of(COUNTED_EVERY);
        self.turn = self.turn.wrapping_add(1);
        if !is_time {
            return Ok(Vec::new());
        }
        let counts = self.parts.accounts.count(now, &self.parts.policy).await?;
        let values = [
            ("accounts", counts.total),
            ("accounts_verified", counts.verified),
            ("sign_ups_24h", counts.new_in_a_day),
            ("sign_ups_7d", counts.new_in_a_week),
            ("sessions_live", counts.live_sessions),
            ("second_factors", counts.with_second_factor),
        ];
        let number = |count: u64| Value::try_new(f64::from(u32::try_from(count).unwrap_or(u32::MAX)));
        Ok(values.into_iter().filter_map(|(id, count)| Some((id, number(count)?))).collect())
    }

    fn look(&mut self, metric: &'static Metric, value: Option<Value>, now: OffsetDateTime) {
        let series = self.series.entry(metric.id).or_default();
        let unusual = value.zip(metric.grain).and_then(|(value, grain)| anomaly(series, value, grain));
        let reached = value.and_then(|value| metric.severity(value, self.book.held(metric.id)));
        let judged = reached.map(|severity| (severity, Cause::Limit)).or_else(|| unusual.map(unusual_as));
        if let Some(value) = value {
            series.push(Sample { at: now, value });
        }
        let observed = self.book.look(metric.id, judged, value, (now, self.parts.entropy.id()));
        let (metric, severity) = (metric.id, self.book.held(metric.id).map(Severity::name));
        match observed {
            Some(Observed::Opened | Observed::Escalated) => {
                let value = value.map(Value::get);
                tracing::warn!(metric, severity, value, "the monitor found something to look at");
            }
            Some(Observed::Eased) => tracing::info!(metric, severity, "an alert of the monitor got better"),
            Some(Observed::Resolved) => tracing::info!(metric, "an alert of the monitor is over"),
            None => {}
        }
    }

    fn show(&self, now: OffsetDateTime) {
        // Accounts are counted less often than the rest.
        let shown_for = self.parts.period * GONE_AFTER.saturating_mul(i32::try_from(COUNTED_EVERY).unwrap_or(1));
        let measured = |metric: &'static Metric| {
            let series = self.series.get(metric.id)?;
            let sample = series.last().filter(|sample| now - sample.at < shown_for)?;
            let aggregates = Span::ALL.into_iter().filter_map(|span| Some((span, series.aggregate(span, now)?))).collect();
            Some(MeasuredMetric { metric, sample, severity: self.book.held(metric.id), aggregates })
        };
        self.parts.samples.put(NodeSample { at: now, metrics: METRICS.iter().filter_map(measured).collect() });
    }

    async fn store(&mut self, now: OffsetDateTime) -> Result<(), StoreError> {
        for alert in self.book.to_store() {
            let holds = match self.parts.alerts.keep(&alert).await {
                // Somebody else stores as this node: its alert stands.
                Err(StoreError::Conflict { .. }) => false,
                kept => kept?,
            };
            self.book.stored(&alert, holds);
        }
        let gone = GONE_AT_LEAST.max(self.parts.period * GONE_AFTER);
        let ended = self.parts.alerts.end_unseen(now - gone, now).await?;
        if ended > 0 {
            tracing::info!(ended, "alerts of nodes that are gone are over");
        }
        self.parts.alerts.prune(ENDED_KEPT, PRUNED_AT_ONCE).await.map(drop)
    }
}

/// What is unusual is worth a look, and not known to be bad.
const fn unusual_as(anomaly: Anomaly) -> (Severity, Cause) {
    (Severity::Info, Cause::Anomaly(anomaly))
}
