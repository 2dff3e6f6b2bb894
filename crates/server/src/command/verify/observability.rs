//! Whether an operator sees what goes on: probes, the ids that lead from an answer to a log line, metrics.

use serde_json::Value;
use uuid::Uuid;

use super::{
    Visit,
    client::{Answer, Ask},
    observability_metrics,
    shape::{self, Field, Kind},
};

const PROBES: [(&str, &[Field], &str, &str); 4] = [
    (
        "/livez",
        &[("/status", Kind::Words), ("/response_time_ms", Kind::Number), ("/event_loop_responsive", Kind::Bool)],
        "alive",
        "restart it",
    ),
    (
        "/readyz",
        &[("/status", Kind::Words), ("/checks/database/status", Kind::Words), ("/checks/websocket", Kind::Object)],
        "healthy",
        "see which of its checks is down",
    ),
    ("/readyz/node", &[("/status", Kind::Words), ("/checks/websocket", Kind::Object)], "healthy", "the node is going away"),
    (
        "/health",
        &[("/status", Kind::Words), ("/version", Kind::Words), ("/checks", Kind::Object), ("/routes_loaded", Kind::Object)],
        "healthy",
        "see which of its checks is down",
    ),
];
/// What `/api/metrics` holds.
const OWN_FIGURES: &[Field] = &[
    ("/timestamp", Kind::Words),
    ("/service", Kind::Words),
    ("/version", Kind::Words),
    ("/metrics/websocket/total_connections", Kind::Number),
    ("/metrics/websocket/authenticated_connections", Kind::Number),
    ("/metrics/websocket/channels", Kind::Number),
    ("/metrics/database/active_connections", Kind::Number),
    ("/metrics/database/pool_size", Kind::Number),
    ("/metrics/database/overflow", Kind::Number),
    ("/metrics/system/uptime_seconds", Kind::Number),
    ("/metrics/system/routes_loaded", Kind::Number),
];
const IDS: &str = "every answer has its ids";
const ECHO: &str = "a request's own id is answered";
const MADE: &str = "an id that is unfit for a log is replaced";
const TRACE: &str = "a trace goes on from its caller";
const PROXY: &str = "a proxy must let X-Request-Id, X-Trace-Id and traceparent through, both ways";
const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

pub(super) async fn check(visit: &mut Visit<'_>) {
    for (path, fields, healthy, advice) in PROBES {
        probe(visit, path, fields, healthy, advice).await;
    }
    feed(visit).await;
    ids(visit).await;
    figures(visit).await;
    observability_metrics::check(visit).await;
}

async fn probe(visit: &mut Visit<'_>, path: &str, fields: &[Field], healthy: &str, advice: &str) {
    let Some(answer) = visit.ask(path, Ask::get(path)).await else { return };
    let faults = shape::faults(&answer.json, fields);
    let status = answer.json["status"].as_str().unwrap_or("nothing");
    let down = |checks: &Value| -> Vec<String> {
        let checks = checks.as_object().into_iter().flatten();
        checks.filter(|(_, check)| check["status"] == "down").map(|(name, _)| format!("{name} is down")).collect()
    };
    if answer.status != 200 || status != healthy {
        let mut seen = vec![format!("{}, {status}", answer.status)];
        seen.extend(down(&answer.json["checks"]));
        visit.report.fail(path, seen.join("; "), advice);
    } else {
        let seen = if faults.is_empty() { format!("{status}, {} ms", answer.took.as_millis()) } else { faults.join("; ") };
        visit.report.must(faults.is_empty(), path, seen, "something answers in the server's place");
    }
}

async fn feed(visit: &mut Visit<'_>) {
    const CHECK: &str = "the feed";
    let Some(answer) = visit.ask(CHECK, Ask::get("/health")).await else { return };
    match answer.json["checks"]["feed"]["status"].as_str() {
        Some("up") => visit.report.ok(CHECK, "prices are fresh"),
        other => visit.report.warn(CHECK, other.unwrap_or("not told"), "see the checks of sockets"),
    }
}

/// The node in a few numbers, which pages read.
async fn figures(visit: &mut Visit<'_>) {
    const CHECK: &str = "/api/metrics";
    let Some(answer) = visit.ask(CHECK, Ask::get(CHECK)).await else { return };
    if answer.status != 200 {
        return visit.report.fail(CHECK, answer.told(), "see the server's log by its X-Trace-Id");
    }
    let faults = shape::faults(&answer.json, OWN_FIGURES);
    let seen = if faults.is_empty() {
        format!("{} connections to the database", answer.json["metrics"]["database"]["pool_size"])
    } else {
        faults.join("; ")
    };
    visit.report.must(
        faults.is_empty() && answer.json["service"] == "coinlink",
        CHECK,
        seen,
        "something answers in the server's place",
    );
}

fn trace(answer: &Answer) -> Option<Uuid> {
    Uuid::try_parse(&answer.header("x-trace-id")).ok()
}

async fn ids(visit: &mut Visit<'_>) {
    let Some(first) = visit.ask(IDS, Ask::get("/livez")).await else { return };
    let Some(second) = visit.ask(IDS, Ask::get("/livez")).await else { return };
    let missing: Vec<_> = ["x-request-id", "x-trace-id"].into_iter().filter(|name| first.header(name).is_empty()).collect();
    if !missing.is_empty() {
        return visit.report.fail(IDS, format!("{} is missing", missing.join(" and ")), PROXY);
    }
    let seen = if trace(&first) == trace(&second) {
        "two answers have the same trace id"
    } else {
        "X-Request-Id and X-Trace-Id, each its own"
    };
    visit.report.must(
        trace(&first).is_some() && trace(&first) != trace(&second),
        IDS,
        seen,
        "a cache repeats answers, or a proxy writes ids of its own",
    );

    for name in ["x-request-id", "x-correlation-id"] {
        let own = format!("verify.{}", Uuid::now_v7().simple());
        let Some(answer) = visit.ask(ECHO, Ask::get("/livez").with(name, &own)).await else { return };
        let seen = format!("by {name}: {}", if answer.header("x-request-id") == own { "the same" } else { "another one" });
        visit.report.must(answer.header("x-request-id") == own, ECHO, seen, PROXY);
    }
    let unfit = format!("{} {}", "a".repeat(200), "b");
    let Some(answer) = visit.ask(MADE, Ask::get("/livez").with("x-request-id", &unfit)).await else { return };
    let made = answer.header("x-request-id");
    visit.report.must(!made.is_empty() && made != unfit, MADE, format!("{} characters are not taken", unfit.len()), PROXY);
    let Some(answer) = visit.ask(TRACE, Ask::get("/livez").with("traceparent", TRACEPARENT)).await else { return };
    let seen = trace(&answer).map_or("no trace id".to_owned(), |id| id.simple().to_string());
    visit.report.must(TRACEPARENT.contains(&seen), TRACE, seen, PROXY);
}
