//! The metrics: where they are, whether those are there that dashboards and alerts are made of, and what some of them say.

use std::time::Duration;

use reqwest::Url;

use super::{
    Visit,
    client::{Answer, Ask},
};

const THERE: &str = "metrics";
const PUBLIC: &str = "metrics are not public";
/// What alerts and dashboards are made of (deploy/prometheus, deploy/grafana) and every node has from its first requests on. What is there only once
/// something happened, such as a call to a provider, is not among them.
const NAMES: [&str; 46] = [
    "http_requests_total",
    "http_request_duration_seconds_bucket",
    "http_requests_in_flight",
    "coinlink_app_info",
    "coinlink_ws_connections",
    "coinlink_ws_send_lag_seconds_bucket",
    "coinlink_ws_slow_closed_total",
    "coinlink_ticker_broadcasts_total",
    "coinlink_ticker_age_seconds",
    "coinlink_ticker_gaps_total",
    "coinlink_leader",
    "coinlink_bus_receivers",
    "coinlink_live_feed_connected",
    "coinlink_candles_left_out_total",
    "coinlink_db_up",
    "coinlink_db_pool_size",
    "coinlink_db_pool_free",
    "coinlink_db_query_duration_seconds_bucket",
    "coinlink_http_answers_total",
    "coinlink_redis_pool_size",
    "coinlink_redis_pool_active",
    "coinlink_rate_limit_hits_total",
    "coinlink_rate_limiter_fallback",
    "coinlink_unknown_key_reads_total",
    "coinlink_signing_keys_stale",
    "coinlink_password_hash_queue",
    "coinlink_password_hash_seconds_bucket",
    "coinlink_alert_rules",
    "coinlink_alert_rules_unreadable",
    "coinlink_alerts_fired_total",
    "coinlink_alerts_held_up",
    "coinlink_alert_evaluation_seconds_bucket",
    "coinlink_outbox_pending",
    "coinlink_outbox_dead",
    "coinlink_outbox_oldest_seconds",
    "coinlink_jobs_total",
    "coinlink_system_cpu_ratio",
    "coinlink_system_memory_total_bytes",
    "coinlink_system_memory_available_bytes",
    "coinlink_disk_total_bytes",
    "coinlink_disk_free_bytes",
    "process_resident_memory_bytes",
    "process_cpu_seconds_total",
    "process_open_fds",
    "process_max_fds",
    "process_start_time_seconds",
];
const OWN_PORT: &str =
    "set METRICS_ADDR, or refuse /metrics at the proxy: it tells strangers how busy the server is and what fails";
/// The alert's bound.
const OLDEST_TICK: f64 = 60.0;
/// A node that has just started counts some things for the first time: it is asked so often again, and so long after.
const TRIES: u32 = 10;
const NEXT_TRY: Duration = Duration::from_secs(1);

pub(super) async fn check(visit: &mut Visit<'_>) {
    let Some(public) = visit.ask(PUBLIC, Ask::get("/metrics")).await else { return };
    let is_public = public.status == 200 && value(&text(&public), "coinlink_leader").is_some();
    let Some(url) = visit.options.metrics_url.clone() else {
        if is_public {
            visit.report.warn(PUBLIC, "anybody reads them at /metrics", OWN_PORT);
            let mut counted = public;
            for _ in 0..TRIES {
                if !is_counting(&counted) {
                    break;
                }
                tokio::time::sleep(NEXT_TRY).await;
                let Some(again) = visit.ask(PUBLIC, Ask::get("/metrics")).await else { return };
                counted = again;
            }
            look(visit, &counted);
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
    let (url, ask) = (metrics_of(url), Ask::get("/metrics"));
    let mut answer = visit.client.send_to(url.clone(), &ask).await;
    for _ in 0..TRIES {
        if !answer.as_ref().is_ok_and(is_counting) {
            break;
        }
        tokio::time::sleep(NEXT_TRY).await;
        answer = visit.client.send_to(url.clone(), &ask).await;
    }
    match answer {
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

/// Of which a node has no line yet.
fn missing(text: &str) -> Vec<&'static str> {
    NAMES.iter().filter(|name| value(text, name).is_none()).copied().collect()
}

/// Whether a node answered that has not counted everything yet.
fn is_counting(answer: &Answer) -> bool {
    let text = text(answer);
    answer.status == 200 && value(&text, "coinlink_app_info").is_some() && !missing(&text).is_empty()
}

fn look(visit: &mut Visit<'_>, answer: &Answer) {
    if answer.status != 200 {
        let advice = "set PROMETHEUS_ENABLED to true, and --metrics-url to METRICS_ADDR: without metrics no alert fires";
        return visit.report.fail(THERE, format!("answered {}", answer.status), advice);
    }
    let text = text(answer);
    let missing = missing(&text);
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
        let (check, seen) = ("the ticker's age", format!("{age:.0} s"));
        if age <= OLDEST_TICK {
            visit.report.ok(check, seen);
        } else {
            visit.report.others(check, seen, advice);
        }
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
    use std::{fs, path::Path};

    use super::*;
    use proptest::prelude::*;

    /// There only once something happened, or where there is a Redis; or left by the scripts of backups, not by a node.
    const LATER: [&str; 13] = [
        "coinlink_audit_rows_total",
        "coinlink_auth_events_total",
        "coinlink_backup_last_success_timestamp_seconds",
        "coinlink_backup_schedule_began_timestamp_seconds",
        "coinlink_breaker_state",
        "coinlink_history_missing_candles",
        "coinlink_mail_sent_total",
        "coinlink_notifications_delivered_total",
        "coinlink_provider_errors_total",
        "coinlink_provider_requests_total",
        "coinlink_redis_up",
        "coinlink_tls_certificate_expiry_seconds",
        "coinlink_ws_messages_sent_total",
    ];

    #[test]
    fn every_metric_of_an_alert_or_a_dashboard_is_looked_for_or_comes_later() {
        let deploy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy");
        let mut seen = 0;
        for folder in ["prometheus/rules", "grafana/dashboards"] {
            for file in fs::read_dir(deploy.join(folder)).unwrap() {
                let text = fs::read_to_string(file.unwrap().path()).unwrap();
                let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
                for name in words.filter(|word| word.starts_with("coinlink_")) {
                    // A histogram has its lines under longer names.
                    let bucket = format!("{}_bucket", name.strip_suffix("_count").unwrap_or(name));
                    let looked_for = NAMES.iter().any(|known| *known == name || *known == bucket);
                    assert!(looked_for || LATER.contains(&name), "{name}");
                    seen += 1;
                }
            }
        }
        assert!(seen > 100, "{seen}");
    }

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
