//! What the monitor samples, read off this node's own metrics: no counter is kept twice, and no request waits for it.

use std::{
    sync::{Mutex, PoisonError},
    time::Instant,
};

use async_trait::async_trait;
use coinlink_domain::operations::monitoring::{Buckets, Value};
use coinlink_ports::operations::Measurements;
use prometheus::proto::{Bucket, LabelPair, Metric, MetricFamily};

use super::Metrics;

/// A share or a quantile of fewer says more about chance than about the node.
const FEWEST: u64 = 10;
const PER_SECOND: f64 = 1.0;
const PER_MINUTE: f64 = 60.0;
const MEBIBYTE: f64 = 1024.0 * 1024.0;
const MILLISECONDS: f64 = 1000.0;
const DAY_SECS: f64 = 86_400.0;
/// `coinlink_breaker_state` of a provider that is left alone.
const OPEN: f64 = 2.0;

/// Those with all of these labels.
type Labels = &'static [(&'static str, &'static str)];

/// Counters that are told as rates.
const RATES: &[(&str, &str, Labels, f64)] = &[
    ("request_rate", "http_requests_total", &[], PER_SECOND),
    ("rate_limited", "coinlink_rate_limit_hits_total", &[], PER_SECOND),
    ("jobs_failed", "coinlink_jobs_total", &[("outcome", "error")], PER_MINUTE),
    ("slow_sockets", "coinlink_ws_slow_closed_total", &[], PER_MINUTE),
    ("ticker_gaps", "coinlink_ticker_gaps_total", &[], PER_MINUTE),
    ("provider_errors", "coinlink_provider_errors_total", &[], PER_MINUTE),
    ("alerts_fired", "coinlink_alerts_fired_total", &[], PER_MINUTE),
    ("sign_ups", "coinlink_auth_events_total", &[("event", "sign_up"), ("outcome", "ok")], PER_MINUTE),
    ("sign_ins", "coinlink_auth_events_total", &[("event", "sign_in"), ("outcome", "ok")], PER_MINUTE),
    ("questions", "http_requests_total", &[("route", "/api/chat"), ("method", "POST"), ("status", "200")], PER_MINUTE),
];
const SIGN_INS: Labels = &[("event", "sign_in")];
const FAMILY_SIGN_INS: &str = "coinlink_auth_events_total";

/// The counters as they were at some moment.
struct Counted {
    at: Instant,
    rates: Vec<f64>,
    requests: f64,
    errors: f64,
    sign_ins: f64,
    latency: Buckets,
    queries: Buckets,
}

/// This node's metrics as the monitor wants them.
pub struct MeasuredMetrics {
    metrics: Metrics,
    /// Without Redis nothing is told of it.
    has_redis: bool,
    before: Mutex<Counted>,
}

impl MeasuredMetrics {
    /// Rates are of the time since now, at first.
    pub fn new(metrics: Metrics, has_redis: bool) -> Self {
        let before = Mutex::new(Counted::of(&metrics.gather()));
        Self { metrics, has_redis, before }
    }
}

#[async_trait]
impl Measurements for MeasuredMetrics {
    async fn measure(&self) -> Vec<(&'static str, Value)> {
        let families = self.metrics.gather();
        let now = Counted::of(&families);
        let mut before = self.before.lock().unwrap_or_else(PoisonError::into_inner);
        let mut values = now.since(&before);
        *before = now;
        drop(before);
        values.extend(levels(&families, self.has_redis));
        values.push(("uptime", self.metrics.uptime().as_secs_f64()));
        values.into_iter().filter_map(|(id, value)| Some((id, Value::try_new(value)?))).collect()
    }
}

impl Counted {
    fn of(families: &[MetricFamily]) -> Self {
        let count = |name: &str, labels: Labels| sum(families, name, labels).unwrap_or(0.0);
        let is_error = |metric: &&Metric| label(metric, "status").is_some_and(|status| status.starts_with('5'));
        let errors = series(families, "http_requests_total").filter(is_error);
        Self {
            at: Instant::now(),
            rates: RATES.iter().map(|(_, name, labels, _)| count(name, labels)).collect(),
            requests: count("http_requests_total", &[]),
            errors: errors.map(level).sum(),
            sign_ins: count(FAMILY_SIGN_INS, SIGN_INS),
            latency: histogram(families, "http_request_duration_seconds"),
            queries: histogram(families, "coinlink_db_query_duration_seconds"),
        }
    }

    /// What came to pass since `before`.
    fn since(&self, before: &Self) -> Vec<(&'static str, f64)> {
        let seconds = self.at.duration_since(before.at).as_secs_f64();
        let mut values = Vec::new();
        if seconds <= 0.0 {
            return values;
        }
        let grown = |now: f64, then: f64| (now - then).max(0.0);
        for ((id, .., per), (now, then)) in RATES.iter().zip(self.rates.iter().zip(&before.rates)) {
            values.push((*id, grown(*now, *then) / seconds * per));
        }
        let ok = values.iter().find(|(id, _)| *id == "sign_ins").map_or(0.0, |(_, rate)| *rate);
        let tried = grown(self.sign_ins, before.sign_ins) / seconds * PER_MINUTE;
        values.push(("sign_ins_failed", (tried - ok).max(0.0)));
        let (latency, queries) = (self.latency.since(&before.latency), self.queries.since(&before.queries));
        let requests = grown(self.requests, before.requests);
        if latency.count() >= FEWEST && requests > 0.0 {
            values.push(("error_rate", grown(self.errors, before.errors) / requests * 100.0));
        }
        let quantiles = [
            ("response_time_p50", &latency, 0.5),
            ("response_time_p95", &latency, 0.95),
            ("response_time_p99", &latency, 0.99),
            ("database_query_p95", &queries, 0.95),
        ];
        for (id, of, quantile) in quantiles {
            if of.count() >= FEWEST {
                values.extend(of.quantile(quantile).map(|value| (id, value.get() * MILLISECONDS)));
            }
        }
        values
    }
}

/// What is at a level, where it was measured at all.
fn levels(families: &[MetricFamily], has_redis: bool) -> Vec<(&'static str, f64)> {
    let of = |name: &str, labels: Labels| sum(families, name, labels);
    let plain = |name: &str| of(name, &[]);
    // What is zero until it was measured for the first time, and never after.
    let known = |name: &str| plain(name).filter(|value| *value > 0.0);
    let used = |total: Option<f64>, free: Option<f64>| Some((1.0 - free? / total?.max(1.0)) * 100.0);
    let open = series(families, "coinlink_breaker_state").filter(|metric| level(metric) >= OPEN).count();
    let oldest = series(families, "coinlink_outbox_oldest_seconds").map(level).reduce(f64::max);
    let mut values = vec![
        ("requests_in_flight", plain("http_requests_in_flight")),
        (
            "cpu",
            plain("coinlink_system_cpu_ratio")
                .filter(|_| known("coinlink_system_memory_total_bytes").is_some())
                .map(|ratio| ratio * 100.0),
        ),
        ("memory", used(known("coinlink_system_memory_total_bytes"), plain("coinlink_system_memory_available_bytes"))),
        ("disk", used(known("coinlink_disk_total_bytes"), plain("coinlink_disk_free_bytes"))),
        ("process_memory", known("process_resident_memory_bytes").map(|bytes| bytes / MEBIBYTE)),
        ("open_files", known("process_open_fds")),
        ("database_up", plain("coinlink_db_up")),
        ("database_pool_use", used(known("coinlink_db_pool_size"), plain("coinlink_db_pool_free"))),
        ("limiter_alone", plain("coinlink_rate_limiter_fallback")),
        ("certificate_days", plain("coinlink_tls_certificate_expiry_seconds").map(|seconds| seconds / DAY_SECS)),
        ("sockets", plain("coinlink_ws_connections")),
        ("sockets_of_users", of("coinlink_ws_connections", &[("auth", "user")])),
        ("ticker_age", known("coinlink_ticker_age_seconds")),
        ("breakers_open", u32::try_from(open).ok().map(f64::from).filter(|_| plain("coinlink_breaker_state").is_some())),
        ("outbox_pending", plain("coinlink_outbox_pending")),
        ("outbox_age", oldest),
        ("mail_dead", of("coinlink_outbox_dead", &[("channel", "mail")])),
        // Only the leader evaluates them.
        ("alert_rules", plain("coinlink_alert_rules").filter(|_| known("coinlink_leader").is_some())),
    ];
    if has_redis {
        values.push(("redis_up", plain("coinlink_redis_up")));
    }
    values.into_iter().filter_map(|(id, value)| Some((id, value?))).collect()
}

fn series<'a>(families: &'a [MetricFamily], name: &str) -> impl Iterator<Item = &'a Metric> {
    let family = families.iter().find(|family| family.name() == name);
    family.into_iter().flat_map(MetricFamily::get_metric)
}

fn label<'a>(metric: &'a Metric, name: &str) -> Option<&'a str> {
    metric.get_label().iter().find(|pair| pair.name() == name).map(LabelPair::value)
}

/// A counter's or a gauge's; it is one of the two.
fn level(metric: &Metric) -> f64 {
    metric.get_counter().get_value() + metric.get_gauge().get_value()
}

/// Of all series with these labels together; `None` where there is none.
fn sum(families: &[MetricFamily], name: &str, labels: Labels) -> Option<f64> {
    let wanted = |metric: &&Metric| labels.iter().all(|(name, value)| label(metric, name) == Some(value));
    series(families, name).filter(wanted).map(level).reduce(|sum, value| sum + value)
}

/// Of all series together.
fn histogram(families: &[MetricFamily], name: &str) -> Buckets {
    let mut all = Buckets::default();
    for metric in series(families, name) {
        let of = metric.get_histogram();
        let cumulative = of.get_bucket().iter().map(|bucket| (bucket.upper_bound(), bucket.cumulative_count()));
        // Read while requests are counted, a bucket may be ahead of the whole: the next sample has it.
        let highest = of.get_bucket().iter().map(Bucket::cumulative_count).max().unwrap_or(0);
        if let Ok(one) = Buckets::try_new(cumulative, of.get_sample_count().max(highest)) {
            all.add(&one);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use coinlink_domain::operations::monitoring::metric;
    use std::time::Duration;

    async fn measured(of: &MeasuredMetrics) -> Vec<(&'static str, f64)> {
        of.measure().await.into_iter().map(|(id, value)| (id, value.get())).collect()
    }

    fn value(of: &[(&'static str, f64)], id: &str) -> Option<f64> {
        of.iter().find(|(known, _)| *known == id).map(|(_, value)| *value)
    }

    #[tokio::test]
    async fn what_was_never_measured_is_left_out_and_all_else_is_in_the_catalogue() {
        let metrics = Metrics::new("1", "test").unwrap();
        let values = measured(&MeasuredMetrics::new(metrics, true)).await;
        for absent in
            ["memory", "cpu", "disk", "ticker_age", "error_rate", "response_time_p95", "certificate_days", "alert_rules"]
        {
            assert_eq!(value(&values, absent), None, "{absent}");
        }
        for (id, _) in &values {
            assert!(metric(id).is_some(), "{id} is not in the catalogue");
        }
        assert_eq!(value(&values, "redis_up"), None, "not asked yet");
        let asked = Metrics::new("1", "test").unwrap();
        asked.stores.redis_answers(false);
        assert_eq!(value(&measured(&MeasuredMetrics::new(asked, true)).await, "redis_up"), Some(0.0));
        assert_eq!(value(&measured(&MeasuredMetrics::new(Metrics::new("1", "test").unwrap(), false)).await, "redis_up"), None);
    }

    #[tokio::test]
    async fn shares_and_quantiles_are_of_what_came_since_the_sample_before() {
        let metrics = Metrics::new("1", "test").unwrap();
        for _ in 0..1_000 {
            metrics.http("GET", "/health", "500").record(Duration::from_secs(5));
        }
        let of = MeasuredMetrics::new(metrics.clone(), false);
        for n in 0..20 {
            let status = if n < 5 { "503" } else { "200" };
            metrics.http("GET", "/health", status).record(Duration::from_millis(3));
        }
        let values = measured(&of).await;
        assert_eq!(value(&values, "error_rate"), Some(25.0));
        let p95 = value(&values, "response_time_p95").unwrap();
        assert!((2.5..=5.0).contains(&p95), "{p95}");
        assert!(value(&values, "request_rate").unwrap() > 0.0);
        for _ in 0..9 {
            metrics.http("GET", "/health", "500").record(Duration::from_secs(5));
        }
        let values = measured(&of).await;
        assert_eq!((value(&values, "error_rate"), value(&values, "response_time_p95")), (None, None), "of nine nothing is said");
    }

    #[tokio::test]
    async fn refused_sign_ins_are_those_that_did_not_end_well() {
        let metrics = Metrics::new("1", "test").unwrap();
        let of = MeasuredMetrics::new(metrics.clone(), false);
        metrics.auth_event("sign_in", "ok");
        for outcome in ["invalid_credentials", "rate_limited"] {
            metrics.auth_event("sign_in", outcome);
        }
        metrics.price_breaker("kraken", 2);
        metrics.price_breaker("coinbase", 1);
        let values = measured(&of).await;
        let (ok, failed) = (value(&values, "sign_ins").unwrap(), value(&values, "sign_ins_failed").unwrap());
        assert!((failed / ok - 2.0).abs() < 1e-6, "{ok} {failed}");
        assert_eq!(value(&values, "breakers_open"), Some(1.0));
    }
}
