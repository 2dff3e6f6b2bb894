use super::{Limits, Severity, Value, Worse};

/// What kind of thing a metric tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// How fast.
    Performance,
    /// Whether it does what it should.
    Reliability,
    /// What it takes.
    SystemHealth,
    /// What people get of it.
    UserExperience,
    /// How much it is used.
    Productivity,
}

impl Kind {
    /// As told.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Performance => "performance",
            Self::Reliability => "reliability",
            Self::SystemHealth => "system_health",
            Self::UserExperience => "user_experience",
            Self::Productivity => "productivity",
        }
    }
}

/// Something that is measured.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// Its id.
    pub id: &'static str,
    /// For people.
    pub name: &'static str,
    /// What kind of thing it tells of.
    pub kind: Kind,
    /// What it is counted in.
    pub unit: &'static str,
    /// The context whose it is.
    pub department: &'static str,
    /// When it is too much or too little; `None` for what is neither good nor bad.
    pub limits: Option<Limits>,
    /// The least difference that can be unusual; `None` for what is never judged so.
    pub grain: Option<f64>,
}

impl Metric {
    /// How bad a value is by the limits; what is `held` already counts until it is well over.
    #[must_use]
    pub fn severity(&self, value: Value, held: Option<Severity>) -> Option<Severity> {
        self.limits.and_then(|limits| limits.severity(value, held))
    }

    const fn of(id: &'static str, name: &'static str, unit: &'static str, (kind, department): (Kind, &'static str)) -> Self {
        Self { id, name, kind, unit, department, limits: None, grain: None }
    }

    const fn limited(self, limits: Limits) -> Self {
        Self { limits: Some(limits), ..self }
    }

    const fn watched(self, grain: f64) -> Self {
        Self { grain: Some(grain), ..self }
    }
}

/// It must be there.
const THERE: Limits = Limits { worse: Worse::Lower, warning: None, error: None, critical: Some(0.0) };
/// Any of it is worth a look.
const ANY: Limits = Limits { worse: Worse::Higher, warning: Some(1.0), error: None, critical: None };

const SPEED: (Kind, &str) = (Kind::Performance, "operations");
const MACHINE: (Kind, &str) = (Kind::SystemHealth, "operations");
const WORKS: (Kind, &str) = (Kind::Reliability, "operations");
const PRICES: (Kind, &str) = (Kind::Reliability, "market");
const SOCKETS: (Kind, &str) = (Kind::UserExperience, "market");
const TOLD: (Kind, &str) = (Kind::Reliability, "notifications");
const RULES: (Kind, &str) = (Kind::Productivity, "notifications");
const PEOPLE: (Kind, &str) = (Kind::Productivity, "identity");
const ASKED: (Kind, &str) = (Kind::Productivity, "assistant");

/// All that is measured. Rates and quantiles are of the time since the sample before.
pub const METRICS: &[Metric] = &[
    Metric::of("request_rate", "Requests a second", "1/s", SPEED).watched(5.0),
    Metric::of("error_rate", "Requests answered 5xx", "%", WORKS).limited(Limits::higher(1.0, 5.0, 10.0)).watched(0.5),
    Metric::of("response_time_p50", "Time to answer, median", "ms", SPEED).watched(20.0),
    Metric::of("response_time_p95", "Time to answer, 95 %", "ms", SPEED)
        .limited(Limits::higher(500.0, 1000.0, 2000.0))
        .watched(50.0),
    Metric::of("response_time_p99", "Time to answer, 99 %", "ms", SPEED).watched(100.0),
    Metric::of("requests_in_flight", "Requests being answered", "", SPEED).watched(50.0),
    Metric::of("rate_limited", "Requests refused as too many", "1/s", WORKS)
        .limited(Limits::higher(100.0, 500.0, 2000.0))
        .watched(5.0),
    Metric::of("cpu", "Processor in use", "%", MACHINE).limited(Limits::higher(70.0, 85.0, 95.0)).watched(10.0),
    Metric::of("memory", "Memory in use", "%", MACHINE).limited(Limits::higher(75.0, 85.0, 95.0)).watched(5.0),
    Metric::of("disk", "Disk in use", "%", MACHINE).limited(Limits::higher(85.0, 90.0, 95.0)).watched(5.0),
    Metric::of("process_memory", "Memory of this process", "MiB", MACHINE).watched(50.0),
    Metric::of("open_files", "Open files of this process", "", MACHINE).watched(500.0),
    Metric::of("uptime", "Since this process started", "s", MACHINE),
    Metric::of("database_up", "The database answers", "", WORKS).limited(THERE),
    Metric::of("database_pool_use", "Connections to the database in use", "%", WORKS)
        .limited(Limits::higher(80.0, 90.0, 98.0))
        .watched(20.0),
    Metric::of("database_query_p95", "Time of a statement, 95 %", "ms", SPEED)
        .limited(Limits::higher(250.0, 500.0, 1000.0))
        .watched(20.0),
    Metric::of("redis_up", "Redis answers", "", WORKS).limited(THERE),
    Metric::of("redis_pool_use", "Connections to Redis in use", "%", WORKS)
        .limited(Limits::higher(80.0, 90.0, 98.0))
        .watched(20.0),
    Metric::of("limiter_alone", "This node counts requests alone", "", WORKS).limited(ANY),
    Metric::of("jobs_failed", "Runs of jobs that failed", "1/min", WORKS).watched(5.0),
    Metric::of("certificate_days", "Until the certificate runs out", "d", WORKS).limited(Limits::lower(14.0, 7.0, 2.0)),
    Metric::of("sockets", "Open sockets", "", SOCKETS).watched(50.0),
    Metric::of("sockets_of_users", "Open sockets of users", "", SOCKETS).watched(50.0),
    Metric::of("slow_sockets", "Sockets closed because they did not read", "1/min", SOCKETS).watched(10.0),
    Metric::of("ticker_age", "Age of the prices by their source", "s", PRICES)
        .limited(Limits::higher(150.0, 300.0, 600.0))
        .watched(30.0),
    Metric::of("ticker_gaps", "Ticks missed on the bus", "1/min", PRICES).watched(3.0),
    Metric::of("provider_errors", "Calls to providers that failed", "1/min", PRICES)
        .limited(Limits::higher(6.0, 30.0, 120.0))
        .watched(3.0),
    Metric::of("breakers_open", "Providers that are left alone", "", PRICES).limited(ANY),
    Metric::of("outbox_pending", "Deliveries and letters that wait", "", TOLD).watched(100.0),
    Metric::of("outbox_age", "Age of the oldest that waits", "s", TOLD).limited(Limits::higher(600.0, 1800.0, 3600.0)),
    Metric::of("mail_dead", "Letters that were given up", "", TOLD).watched(5.0),
    Metric::of("alert_rules", "Active alert rules, where they are evaluated", "", RULES),
    Metric::of("alerts_fired", "Alert rules that came true", "1/min", RULES).watched(20.0),
    Metric::of("sign_ups", "Accounts opened", "1/min", PEOPLE).watched(10.0),
    Metric::of("sign_ins", "Sign-ins", "1/min", PEOPLE).watched(20.0),
    Metric::of("sign_ins_failed", "Sign-ins that were refused", "1/min", PEOPLE).watched(20.0),
    Metric::of("accounts", "Accounts", "", PEOPLE),
    Metric::of("accounts_verified", "Accounts with a verified address", "", PEOPLE),
    Metric::of("sign_ups_24h", "Accounts opened in 24 hours", "", PEOPLE),
    Metric::of("sign_ups_7d", "Accounts opened in seven days", "", PEOPLE),
    Metric::of("sessions_live", "Sessions that go on", "", PEOPLE),
    Metric::of("second_factors", "Accounts with a second factor", "", PEOPLE),
    Metric::of("questions", "Questions asked", "1/min", ASKED).watched(20.0),
];

/// The metric with this id.
#[must_use]
pub fn metric(id: &str) -> Option<&'static Metric> {
    METRICS.iter().find(|metric| metric.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_two_metrics_have_one_id_and_what_is_limited_gets_worse_step_by_step() {
        let ids: BTreeSet<_> = METRICS.iter().map(|metric| metric.id).collect();
        assert_eq!(ids.len(), METRICS.len());
        for metric in METRICS {
            assert_eq!(super::metric(metric.id).map(|found| found.name), Some(metric.name));
            if let Some(Limits { worse, warning: Some(warning), error: Some(error), critical: Some(critical) }) = metric.limits {
                let rising = warning < error && error < critical;
                assert_eq!(rising, worse == Worse::Higher, "{}", metric.id);
            }
        }
    }

    #[test]
    fn the_limits_of_the_old_monitor_hold() {
        let of = |id: &str| metric(id).and_then(|metric| metric.limits);
        assert_eq!(of("response_time_p95"), Some(Limits::higher(500.0, 1000.0, 2000.0)));
        assert_eq!(of("error_rate"), Some(Limits::higher(1.0, 5.0, 10.0)));
        assert_eq!(of("cpu"), Some(Limits::higher(70.0, 85.0, 95.0)));
        assert_eq!(of("memory"), Some(Limits::higher(75.0, 85.0, 95.0)));
    }
}
