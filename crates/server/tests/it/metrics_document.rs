//! docs/metrics.md is made from the metrics themselves.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path, time::Duration};

use coinlink::telemetry::Metrics;

const INTRODUCTION: &str = "\
# Metrics

What `GET /metrics` tells, on a port of its own where `METRICS_ADDR` is set. Made from the metrics themselves by `UPDATE_DOCS=1 cargo test -p coinlink
--test it metrics_document`. Dashboards, recording rules and alerts are in `deploy/`; each alert has a page in [runbooks](runbooks/README.md).

No label is made from what a client sends. `route` is a template, `/api/v2/auth/login`, or `unmatched`. Prometheus gives every series a label `job` of
its own: that of `coinlink_jobs_total` is `exported_job` there. A labelled metric is there from the first time that something happens, and nobody sees
how much it was then: `coinlink_http_answers_total`, `coinlink_jobs_total` and the `ok` of `coinlink_auth_events_total` are there from the start.

Some tell of what is not everywhere: `coinlink_tls_certificate_expiry_seconds` is there only where `PUBLIC_URL` begins with `https` and has answered,
`coinlink_redis_up` only where there is a Redis to ask, `coinlink_outbox_oldest_seconds{channel=\"mail\"}` only on nodes that send mail. What the stores hold (`coinlink_outbox_*`,
`coinlink_alert_rules*`) every node that counts it tells alike: take `max`, not `sum`.

";

/// A metric that is labelled shows itself once something was counted.
fn touched() -> Metrics {
    let metrics = Metrics::new("1", "test").unwrap();
    metrics.http("GET", "/health", "200").record(Duration::from_millis(1));
    metrics.provider_request("kraken", "ok");
    metrics.provider_error("kraken", "timeout");
    metrics.price_breaker("kraken", 0);
    metrics.auth_event("sign_in", "ok");
    metrics.notification_delivered("socket", "sent");
    metrics.outbox("mail", 0, 0, Some(Duration::ZERO));
    metrics.stores.redis_answers(true);
    metrics.job("seal_audit");
    metrics.machine.disk("data", 2, 1);
    metrics.machine.certificate_runs_out_in(1.0);
    metrics.ws_messages_sent.with_label_values(&["ticker"]).inc();
    metrics.history_missing.with_label_values(&["1m"]).set(0);
    metrics.audit_rows.with_label_values(&["sign_in"]).inc();
    metrics.mail_sent.with_label_values(&["verify_email", "sent"]).inc();
    metrics
}

struct Family {
    kind: String,
    labels: Vec<String>,
    meaning: String,
}

fn families(text: &str) -> BTreeMap<String, Family> {
    let mut families = BTreeMap::new();
    let (mut name, mut meaning) = (String::new(), String::new());
    for line in text.lines() {
        if let Some((named, help)) = line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' ')) {
            (name, meaning) = (named.to_owned(), help.to_owned());
        } else if let Some((_, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            let family = Family { kind: kind.to_owned(), labels: Vec::new(), meaning: meaning.clone() };
            families.insert(name.clone(), family);
        } else if let Some((_, labels)) = line.split_once('{') {
            let family = families.get_mut(&name).unwrap();
            let labels = labels.split("\",").filter_map(|label| label.split_once("=\"")).map(|(label, _)| label.to_owned());
            family.labels = labels.filter(|label| label != "le").collect();
        }
    }
    families
}

fn markdown(families: &BTreeMap<String, Family>) -> String {
    let mut text = format!("{INTRODUCTION}| name | type | labels | meaning |\n|---|---|---|---|\n");
    for (name, Family { kind, labels, meaning }) in families {
        let labels: Vec<_> = labels.iter().map(|label| format!("`{label}`")).collect();
        writeln!(text, "| `{name}` | {kind} | {} | {} |", labels.join(", "), meaning.trim_end_matches('.')).unwrap();
    }
    text
}

/// What is written between quotation marks there and looks like a metric of ours.
fn named_in(folder: &Path) -> Vec<String> {
    let mut named = Vec::new();
    for file in fs::read_dir(folder).unwrap() {
        let source = fs::read_to_string(file.unwrap().path()).unwrap();
        let ours = |word: &&str| {
            ["coinlink_", "http_"].iter().any(|prefix| word.starts_with(prefix))
                && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        };
        named.extend(source.split('"').filter(ours).map(str::to_owned));
    }
    named
}

#[test]
fn the_document_of_metrics_is_current_and_names_every_one_that_the_code_has() {
    let text = String::from_utf8(touched().render().unwrap()).unwrap();
    let families = families(&text);
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/src/telemetry/metrics");
    let named = named_in(Path::new(source));
    assert!(named.len() > 40, "{named:?}");
    for name in named {
        assert!(families.contains_key(&name), "{name} is labelled and was not touched, or is not registered");
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/metrics.md");
    let expected = markdown(&families);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(path, &expected).unwrap();
    }
    let written = fs::read_to_string(path).unwrap_or_default();
    assert_eq!(written, expected, "run `UPDATE_DOCS=1 cargo test -p coinlink --test it metrics_document`");
}
