//! Every metric, by the name operators know it under. Cardinality is bounded: no label is made from what a client sends.

mod accounts;
mod machine;
mod stores;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use coinlink_domain::shared::rate_limit::RateClass;
use prometheus::{
    Encoder as _, Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec,
    Opts, Registry, TextEncoder, core::Collector, process_collector::ProcessCollector,
};

pub use machine::Machine;
pub use stores::Stores;

/// Seconds; from 1 ms to 10 s.
const REQUEST_BUCKETS: [f64; 14] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.4, 0.5, 1.0, 2.5, 10.0];
/// Seconds; the promise is 0.25 at the 95th percentile and 0.4 at the 99th.
const LAG_BUCKETS: [f64; 12] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.4, 1.0, 2.5, 5.0];

/// What looks after a node asks them every few seconds for ever.
const PROBES: [&str; 5] = ["/health", "/livez", "/readyz", "/readyz/node", "/metrics"];

/// Whether nobody asks for it but what looks after a node.
pub(crate) fn is_probe(route: &str) -> bool {
    PROBES.contains(&route)
}

/// Seconds; bcrypt at cost 12 takes about 0.25, and each step of the cost doubles it.
const HASH_BUCKETS: [f64; 8] = [0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 4.0];

/// Handles to every metric. Cheap to clone; handles of labelled ones are best made once and kept.
#[derive(Clone)]
pub struct Metrics(Arc<Handles>);

impl std::ops::Deref for Metrics {
    type Target = Handles;

    fn deref(&self) -> &Handles {
        &self.0
    }
}

/// The metrics.
pub struct Handles {
    registry: Registry,
    started: Instant,
    /// The database and Redis.
    pub stores: Stores,
    /// What this node runs on.
    pub machine: Machine,
    /// `coinlink_jobs_total{job,outcome}`
    jobs: IntCounterVec,
    /// `http_requests_total{method,route,status}`
    http_requests: IntCounterVec,
    /// `coinlink_http_answers_total{outcome}`, `ok` and `error`
    http_answers: [IntCounter; 2],
    /// `http_request_duration_seconds{method,route}`
    http_duration: HistogramVec,
    /// `http_requests_in_flight`
    pub http_in_flight: IntGauge,
    /// `coinlink_ws_connections{auth="anonymous"}`
    pub ws_connections_anonymous: IntGauge,
    /// `coinlink_ws_connections{auth="user"}`
    pub ws_connections_user: IntGauge,
    /// `coinlink_ws_messages_sent_total{type}`
    pub ws_messages_sent: IntCounterVec,
    /// `coinlink_ws_send_lag_seconds`: from a body received to the last socket written.
    pub ws_send_lag: Histogram,
    /// `coinlink_ws_slow_closed_total`
    pub ws_slow_closed: IntCounter,
    /// `coinlink_ticker_broadcasts_total{stale}`
    ticker_broadcasts: [IntCounter; 2],
    /// `coinlink_ticker_age_seconds`
    pub ticker_age: Gauge,
    /// `coinlink_ticker_gaps_total`
    pub ticker_gaps: IntCounter,
    /// `coinlink_provider_requests_total{provider,outcome}`
    provider_requests: IntCounterVec,
    /// `coinlink_provider_errors_total{provider,class}`
    provider_errors: IntCounterVec,
    /// `coinlink_breaker_state{of,provider}`: 0 closed, 1 probing, 2 open.
    breaker_state: IntGaugeVec,
    /// `coinlink_leader`: 1 on the node that polls.
    pub leader: IntGauge,
    /// `coinlink_bus_receivers`: nodes the last tick reached.
    pub bus_receivers: IntGauge,
    /// `coinlink_live_feed_connected`
    pub live_feed_connected: IntGauge,
    /// `coinlink_rate_limit_hits_total{class}`
    rate_limit_hits: [IntCounter; RateClass::ALL.len()],
    /// `coinlink_rate_limiter_fallback`: 1 while this node counts requests alone.
    pub rate_limiter_fallback: IntGauge,
    /// `coinlink_auth_events_total{event,outcome}`
    auth_events: IntCounterVec,
    /// `coinlink_password_hash_queue`: passwords that wait for a thread.
    pub password_hash_queue: IntGauge,
    /// `coinlink_password_hash_seconds`
    pub password_hash: Histogram,
    /// `coinlink_history_missing_candles`: what no provider has, by interval.
    pub history_missing: IntGaugeVec,
    /// `coinlink_candles_left_out_total`: the store was away for longer than there is room for.
    pub candles_left_out: IntCounter,
    /// `coinlink_unknown_key_reads_total`: how often a token that named an unknown key made this node read its keys.
    pub unknown_key_reads: IntCounter,
    /// `coinlink_signing_keys_stale`: 1 while the folder of keys cannot be used.
    pub signing_keys_stale: IntGauge,
    /// `coinlink_audit_rows_total`: audit entries this node sealed.
    pub audit_rows: IntCounterVec,
    /// `coinlink_alerts_fired_total`: alert rules that came true, by this node.
    pub alerts_fired: IntCounter,
    /// `coinlink_alert_rules`: active alert rules that this node evaluates.
    pub alert_rules: IntGauge,
    /// `coinlink_alert_rules_unreadable`: active alert rules that cannot be read and are left out.
    pub alert_rules_unreadable: IntGauge,
    /// `coinlink_alerts_held_up`: 1 while it is not certain that a later leader is gone which evaluated before.
    pub alerts_held_up: IntGauge,
    /// `coinlink_alert_evaluation_seconds`: a tick, from its publication to the last firing stored.
    pub alert_evaluation: Histogram,
    /// `coinlink_mail_sent_total{template,outcome}`: attempts to deliver a letter, by this node.
    pub mail_sent: IntCounterVec,
    /// `coinlink_notifications_delivered_total{channel,outcome}`: attempts by this node to tell sockets or a webhook.
    pub notifications_delivered: IntCounterVec,
    /// `coinlink_outbox_pending{channel}` and `coinlink_outbox_dead{channel}`
    outbox: [IntGaugeVec; 2],
    /// `coinlink_outbox_oldest_seconds{channel}`
    outbox_oldest: GaugeVec,
}

impl Metrics {
    /// All metrics, at zero, and those of the process.
    #[expect(clippy::too_many_lines, reason = "a list: a line or two a metric")]
    pub fn new(version: &str, environment: &str) -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let r = &registry;
        r.register(Box::new(ProcessCollector::for_self()))?;
        tell_app(r, version, environment)?;
        let connections =
            register(r, IntGaugeVec::new(Opts::new("coinlink_ws_connections", "Open sockets on this node"), &["auth"])?)?;
        let rate_limit_hits = counters(r, "coinlink_rate_limit_hits_total", "Requests refused as too many", &["class"])?;
        let answers = counters(
            r,
            "coinlink_http_answers_total",
            "Requests answered, without probes and scrapes; error is 5xx",
            &["outcome"],
        )?;
        let broadcasts = counters(r, "coinlink_ticker_broadcasts_total", "Ticks shown to this node's clients", &["stale"])?;
        let handles = Handles {
            http_requests: counters(r, "http_requests_total", "Requests answered", &["method", "route", "status"])?,
            http_answers: ["ok", "error"].map(|outcome| answers.with_label_values(&[outcome])),
            http_duration: register(
                r,
                HistogramVec::new(
                    HistogramOpts::new("http_request_duration_seconds", "Time to the head of the answer")
                        .buckets(REQUEST_BUCKETS.into()),
                    &["method", "route"],
                )?,
            )?,
            http_in_flight: gauge(r, "http_requests_in_flight", "Requests being answered")?,
            ws_connections_anonymous: connections.with_label_values(&["anonymous"]),
            ws_connections_user: connections.with_label_values(&["user"]),
            ws_messages_sent: counters(r, "coinlink_ws_messages_sent_total", "Messages written to sockets", &["type"])?,
            ws_send_lag: register(
                r,
                Histogram::with_opts(
                    HistogramOpts::new(
                        "coinlink_ws_send_lag_seconds",
                        "From a provider's answer to the last socket written, of ticks with a new one",
                    )
                    .buckets(LAG_BUCKETS.into()),
                )?,
            )?,
            ws_slow_closed: counter(r, "coinlink_ws_slow_closed_total", "Sockets closed because they did not read")?,
            ticker_broadcasts: ["false", "true"].map(|stale| broadcasts.with_label_values(&[stale])),
            ticker_age: register(r, Gauge::new("coinlink_ticker_age_seconds", "Age of the shown prices by their source")?)?,
            ticker_gaps: counter(r, "coinlink_ticker_gaps_total", "Ticks this node missed on the bus")?,
            provider_requests: counters(r, "coinlink_provider_requests_total", "Calls to providers", &["provider", "outcome"])?,
            provider_errors: counters(r, "coinlink_provider_errors_total", "Failed calls to providers", &["provider", "class"])?,
            breaker_state: register(
                r,
                IntGaugeVec::new(
                    Opts::new("coinlink_breaker_state", "0 closed, 1 probing, 2 open; of prices or of bulletins"),
                    &["of", "provider"],
                )?,
            )?,
            leader: gauge(r, "coinlink_leader", "1 on the node that polls providers")?,
            history_missing: register(
                r,
                IntGaugeVec::new(Opts::new("coinlink_history_missing_candles", "Candles that no provider has"), &["interval"])?,
            )?,
            candles_left_out: counter(r, "coinlink_candles_left_out_total", "Minutes of an asset that were never stored")?,
            unknown_key_reads: counter(
                r,
                "coinlink_unknown_key_reads_total",
                "Times a token with an unknown key made this node read its keys",
            )?,
            signing_keys_stale: gauge(r, "coinlink_signing_keys_stale", "1 while the folder of signing keys cannot be used")?,
            bus_receivers: gauge(r, "coinlink_bus_receivers", "Nodes that the last published tick reached")?,
            live_feed_connected: gauge(r, "coinlink_live_feed_connected", "1 while the live overlay is connected")?,
            rate_limit_hits: RateClass::ALL.map(|class| rate_limit_hits.with_label_values(&[class.name()])),
            rate_limiter_fallback: gauge(r, "coinlink_rate_limiter_fallback", "1 while this node counts requests alone")?,
            auth_events: accounts::auth_events(r)?,
            password_hash_queue: gauge(r, "coinlink_password_hash_queue", "Passwords that wait to be hashed or checked")?,
            password_hash: register(
                r,
                Histogram::with_opts(
                    HistogramOpts::new("coinlink_password_hash_seconds", "Time one password takes to be hashed or checked")
                        .buckets(HASH_BUCKETS.into()),
                )?,
            )?,
            alerts_fired: counter(r, "coinlink_alerts_fired_total", "Alert rules that came true")?,
            alert_rules: gauge(r, "coinlink_alert_rules", "Active alert rules that this node evaluates")?,
            alert_rules_unreadable: gauge(r, "coinlink_alert_rules_unreadable", "Alert rules that cannot be read")?,
            alerts_held_up: gauge(r, "coinlink_alerts_held_up", "1 while alerts wait for a leader that may be gone")?,
            alert_evaluation: register(
                r,
                Histogram::with_opts(
                    HistogramOpts::new("coinlink_alert_evaluation_seconds", "Evaluating alert rules on a tick")
                        .buckets(vec![0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0]),
                )?,
            )?,
            mail_sent: counters(r, "coinlink_mail_sent_total", "Attempts to deliver a letter", &["template", "outcome"])?,
            notifications_delivered: counters(
                r,
                "coinlink_notifications_delivered_total",
                "Attempts to tell sockets or a webhook of a notification",
                &["channel", "outcome"],
            )?,
            outbox: [
                register(r, IntGaugeVec::new(Opts::new("coinlink_outbox_pending", "Deliveries that wait"), &["channel"])?)?,
                register(r, IntGaugeVec::new(Opts::new("coinlink_outbox_dead", "Deliveries that were given up"), &["channel"])?)?,
            ],
            outbox_oldest: register(
                r,
                GaugeVec::new(
                    Opts::new("coinlink_outbox_oldest_seconds", "How long the first delivery that is due waits"),
                    &["channel"],
                )?,
            )?,
            audit_rows: counters(r, "coinlink_audit_rows_total", "Audit entries this node sealed", &["action"])?,
            jobs: counters(r, "coinlink_jobs_total", "Turns of what runs beside requests", &["job", "outcome"])?,
            stores: Stores::new(r)?,
            machine: Machine::new(r)?,
            started: Instant::now(),
            registry,
        };
        Ok(Self(Arc::new(handles)))
    }

    /// All of them as they are now.
    pub fn gather(&self) -> Vec<prometheus::proto::MetricFamily> {
        self.registry.gather()
    }

    /// All of them in Prometheus's text format.
    pub fn render(&self) -> Result<Vec<u8>, prometheus::Error> {
        let mut text = Vec::with_capacity(16 * 1024);
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        Ok(text)
    }

    /// A tick was shown to this node's clients.
    pub fn ticker_broadcast(&self, stale: bool) {
        self.ticker_broadcasts[usize::from(stale)].inc();
    }

    /// A provider was called.
    pub fn provider_request(&self, provider: &str, outcome: &str) {
        self.provider_requests.with_label_values(&[provider, outcome]).inc();
    }

    /// A call to a provider failed.
    pub fn provider_error(&self, provider: &str, class: &str) {
        self.provider_errors.with_label_values(&[provider, class]).inc();
    }

    /// The state of a price provider's breaker: 0 closed, 1 probing, 2 open.
    pub fn price_breaker(&self, provider: &str, state: i64) {
        self.breaker_state.with_label_values(&["prices", provider]).set(state);
    }

    /// The same of a provider of bulletins: whether prices come in has to be told without them.
    pub fn bulletin_breaker(&self, provider: &str, state: i64) {
        self.breaker_state.with_label_values(&["bulletins", provider]).set(state);
    }

    /// A request was refused because its class was used up.
    pub fn rate_limited(&self, class: RateClass) {
        self.rate_limit_hits[class as usize].inc();
    }

    /// Somebody signed up, in or out, or tried to; `outcome` is `ok` or the code of the error.
    pub fn auth_event(&self, event: &'static str, outcome: &'static str) {
        self.auth_events.with_label_values(&[event, outcome]).inc();
    }

    /// Somebody was to be told of a notification.
    pub fn notification_delivered(&self, channel: &str, outcome: &str) {
        self.notifications_delivered.with_label_values(&[channel, outcome]).inc();
    }

    /// So many deliveries wait, so many were given up, and the first that is due waits for so long: `None` where this node delivers
    /// none, so that waiting is no delay.
    pub fn outbox(&self, channel: &str, pending: u64, dead: u64, oldest: Option<Duration>) {
        for (gauge, count) in self.outbox.iter().zip([pending, dead]) {
            gauge.with_label_values(&[channel]).set(i64::try_from(count).unwrap_or(i64::MAX));
        }
        if let Some(oldest) = oldest {
            self.outbox_oldest.with_label_values(&[channel]).set(oldest.as_secs_f64());
        }
    }

    /// The handles of a job's turns that went well and of those that did not, for keeping.
    pub fn job(&self, job: &str) -> [IntCounter; 2] {
        ["ok", "error"].map(|outcome| self.jobs.with_label_values(&[job, outcome]))
    }

    /// How long this node runs.
    pub fn uptime(&self) -> Duration {
        self.started.elapsed()
    }

    /// The handles of one kind of request, for keeping.
    pub fn http(&self, method: &str, route: &str, status: &str) -> HttpHandles {
        let answers = (!is_probe(route)).then(|| self.http_answers[usize::from(status.starts_with('5'))].clone());
        HttpHandles {
            requests: self.http_requests.with_label_values(&[method, route, status]),
            answers,
            duration: self.http_duration.with_label_values(&[method, route]),
        }
    }
}

/// Handles for requests of one method, route and status.
#[derive(Debug, Clone)]
pub struct HttpHandles {
    requests: IntCounter,
    /// None of a probe.
    answers: Option<IntCounter>,
    duration: Histogram,
}

impl HttpHandles {
    /// One more, that took `latency`.
    pub fn record(&self, latency: Duration) {
        self.requests.inc();
        if let Some(answers) = &self.answers {
            answers.inc();
        }
        self.duration.observe(latency.as_secs_f64());
    }
}

fn tell_app(r: &Registry, version: &str, environment: &str) -> Result<(), prometheus::Error> {
    let info = register(r, GaugeVec::new(Opts::new("coinlink_app_info", "Always 1"), &["version", "environment"])?)?;
    info.with_label_values(&[version, environment]).set(1.0);
    Ok(())
}

fn register<C: Collector + Clone + 'static>(registry: &Registry, collector: C) -> Result<C, prometheus::Error> {
    registry.register(Box::new(collector.clone()))?;
    Ok(collector)
}

fn counter(registry: &Registry, name: &str, help: &str) -> Result<IntCounter, prometheus::Error> {
    register(registry, IntCounter::new(name, help)?)
}

fn gauge(registry: &Registry, name: &str, help: &str) -> Result<IntGauge, prometheus::Error> {
    register(registry, IntGauge::new(name, help)?)
}

fn counters(registry: &Registry, name: &str, help: &str, labels: &[&str]) -> Result<IntCounterVec, prometheus::Error> {
    register(registry, IntCounterVec::new(Opts::new(name, help), labels)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_has_every_unlabelled_metric_from_the_start_and_the_process() {
        let metrics = Metrics::new("1.2.3", "test").unwrap();
        let text = String::from_utf8(metrics.render().unwrap()).unwrap();
        for line in [
            "coinlink_app_info{environment=\"test\",version=\"1.2.3\"} 1",
            "coinlink_ws_connections{auth=\"anonymous\"} 0",
            "coinlink_ticker_broadcasts_total{stale=\"true\"} 0",
            "http_requests_in_flight 0",
            "coinlink_leader 0",
            "coinlink_http_answers_total{outcome=\"error\"} 0",
            "coinlink_auth_events_total{event=\"sign_up\",outcome=\"ok\"} 0",
            "coinlink_db_up 0",
            "coinlink_db_pool_size 0",
            "coinlink_redis_pool_active 0",
            "coinlink_db_query_duration_seconds_count{operation=\"select\"} 0",
            "coinlink_system_cpu_ratio 0",
            "coinlink_rate_limiter_fallback 0",
            "coinlink_rate_limit_hits_total{class=\"credentials\"} 0",
            "coinlink_ws_send_lag_seconds_bucket{le=\"0.25\"} 0",
            "process_resident_memory_bytes",
        ] {
            assert!(text.contains(line), "{line}");
        }
    }

    #[test]
    fn a_refused_request_is_counted_under_its_own_class() {
        for class in RateClass::ALL {
            let metrics = Metrics::new("1", "test").unwrap();
            metrics.rate_limited(class);
            let text = String::from_utf8(metrics.render().unwrap()).unwrap();
            let line = format!("coinlink_rate_limit_hits_total{{class=\"{}\"}} 1\n", class.name());
            assert!(text.contains(&line), "{line}");
        }
    }

    #[test]
    fn answers_are_those_that_users_get_and_an_error_is_the_servers_fault() {
        let metrics = Metrics::new("1", "test").unwrap();
        for (route, status) in [("/a", "200"), ("/a", "404"), ("/a", "500"), ("/b", "503"), ("/b", "429")] {
            metrics.http("GET", route, status).record(Duration::ZERO);
        }
        for probe in PROBES {
            metrics.http("GET", probe, "503").record(Duration::ZERO);
        }
        let text = String::from_utf8(metrics.render().unwrap()).unwrap();
        assert!(text.contains("coinlink_http_answers_total{outcome=\"ok\"} 3\n"), "{text}");
        assert!(text.contains("coinlink_http_answers_total{outcome=\"error\"} 2\n"), "{text}");
    }

    #[test]
    fn a_request_is_counted_under_its_route() {
        let metrics = Metrics::new("1", "test").unwrap();
        metrics.http("GET", "/health", "200").record(Duration::from_millis(3));
        let text = String::from_utf8(metrics.render().unwrap()).unwrap();
        assert!(text.contains("http_requests_total{method=\"GET\",route=\"/health\",status=\"200\"} 1"));
        assert!(text.contains("http_request_duration_seconds_bucket{method=\"GET\",route=\"/health\",le=\"0.0025\"} 0"));
        assert!(text.contains("http_request_duration_seconds_bucket{method=\"GET\",route=\"/health\",le=\"0.005\"} 1"));
    }
}
