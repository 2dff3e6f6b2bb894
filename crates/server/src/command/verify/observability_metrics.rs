//! The metrics: where they are, whether those are there that dashboards and alerts are made of, and what some of them say.

use reqwest::Url;

use super::{
    Visit,
    client::{Answer, Ask},
};

const THERE: &str = "metrics";
const PUBLIC: &str = "metrics are not public";
/// Of each part of the system one: without them a dashboard is empty.
const NAMES: [&str; 14] = [
    "http_requests_total",
    "http_request_duration_seconds_bucket",
    "http_requests_in_flight",
    "coinlink_app_info",
    "coinlink_ws_connections",
    "coinlink_ticker_broadcasts_total",
    "coinlink_ticker_age_seconds",
    "coinlink_leader",
    "coinlink_redis_up",
    "coinlink_rate_limit_hits_total",
    "coinlink_rate_limiter_fallback",
    "coinlink_password_hash_queue",
    "coinlink_outbox_pending",
    "process_resident_memory_bytes",
];
const OWN_PORT: &str =
    "set METRICS_ADDR, or refuse /metrics at the proxy: it tells strangers how busy the server is and what fails";
/// The alert's bound.
const OLDEST_TICK: f64 = 60.0;

pub(super) async fn check(visit: &mut Visit<'_>) {
    let Some(public) = visit.ask(PUBLIC, Ask::get("/metrics")).await else { return };
    let is_public = public.status == 200 && value(&text(&public), "coinlink_leader").is_some();
    let Some(url) = visit.options.metrics_url.clone() else {
        if is_public {
            visit.report.warn(PUBLIC, "anybody reads them at /metrics", OWN_PORT);
            look(visit, &public);
        } else {
            visit.report.ok(PUBLIC, format!("/metrics is answered {}", public.status));
            visit.report.skip(THERE, "not at --url: name the place with --metrics-url");
        }
        return;
    };
    let seen = if is_public {
        "anybody reads them at /metrics, too".to_owned()
    } else {
        format!("/metrics is answered {}", public.status)
    };
    visit.report.must(!is_public, PUBLIC, seen, OWN_PORT);
    match visit.client.send_to(metrics_of(url), &Ask::get("/metrics")).await {
        Ok(answer) => look(visit, &answer),
        Err(trouble) => visit.report.trouble(THERE, &trouble),
    }
}

/// With the path, where the URL names none.
fn metrics_of(mut url: Url) -> Url {
    if url.path() == "/" {
        url.set_path("/metrics");
    }
    url
}

fn text(answer: &Answer) -> String {
    String::from_utf8_lossy(&answer.body).into_owned()
}

/// The largest value of a metric, whatever its labels; `None` where there is none.
fn value(text: &str, name: &str) -> Option<f64> {
    let values = text.lines().filter_map(|line| {
        let rest = line.strip_prefix(name).filter(|rest| rest.starts_with(['{', ' ']))?;
        rest.rsplit(' ').next()?.parse::<f64>().ok()
    });
    values.reduce(f64::max)
}

fn look(visit: &mut Visit<'_>, answer: &Answer) {
    if answer.status != 200 {
        let advice = "set PROMETHEUS_ENABLED to true, and --metrics-url to METRICS_ADDR: without metrics no alert fires";
        return visit.report.fail(THERE, format!("answered {}", answer.status), advice);
    }
    let text = text(answer);
    // Those of which every node has a line from its start.
    let missing: Vec<_> = NAMES.iter().filter(|name| value(&text, name).is_none()).copied().collect();
    let seen =
        if missing.is_empty() { format!("{} lines", text.lines().count()) } else { format!("without {}", missing.join(", ")) };
    visit.report.must(missing.is_empty(), THERE, seen, "dashboards and alerts are made of them: is it this server's /metrics?");
    if let Some(fallback) = value(&text, "coinlink_rate_limiter_fallback") {
        let seen = if fallback > 0.0 {
            "each node counts by itself: Redis does not answer the limiter"
        } else {
            "all nodes count together"
        };
        visit.report.must(fallback <= 0.0, "the limiter", seen, "bring Redis back");
    }
    if let Some(age) = value(&text, "coinlink_ticker_age_seconds") {
        let advice = "the ticker is stale: see whether the providers can be reached";
        visit.report.must(age <= OLDEST_TICK, "the ticker's age", format!("{age:.0} s"), advice);
    }
    if value(&text, "coinlink_signing_keys_stale").is_some_and(|stale| stale > 0.0) {
        visit.report.fail("signing keys", "the folder of keys cannot be read", "see JWT_KEYS_DIR: docs/signing-keys.md");
    }
    let version = visit.version().to_owned();
    let told =
        text.lines().any(|line| line.starts_with("coinlink_app_info{") && line.contains(&format!("version=\"{version}\"")));
    let seen = if told { format!("of {version}, as the server") } else { "of another release than the server".to_owned() };
    visit.report.must(told, "the metrics' release", seen, "--metrics-url names another server");
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_metric_is_found_with_labels_and_without_and_no_other_of_a_longer_name() {
        let text = "# TYPE a gauge\na_b 5\na{x=\"1\"} 2\na{x=\"2\"} 3.5\nb 1e3\n";
        assert_eq!((value(text, "a"), value(text, "b"), value(text, "c")), (Some(3.5), Some(1000.0), None));
    }

    #[test]
    fn the_path_is_added_where_there_is_none() {
        let url = |text: &str| metrics_of(Url::parse(text).unwrap()).to_string();
        assert_eq!(url("http://127.0.0.1:9100"), "http://127.0.0.1:9100/metrics");
        assert_eq!(url("http://127.0.0.1:9100/own"), "http://127.0.0.1:9100/own");
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(a|\\PC|\n| |\\{){0,80}") {
            let _ = value(&text, "a");
        }
    }
}
