//! Traces of the real binary, as an OTLP collector gets them: one a request and one a tick, each of a piece.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use coinlink_end_to_end_tests::{
    Answer, Api, Collector, Manner, Node, PASSWORD, Serve, UNLIMITED, attribute, eventually, hex, somebody,
};
use coinlink_testkit::{
    servers::{RedisAddress, TestDatabase, fresh_database, shared_redis},
    upstream_stub::StubUpstream,
};
use opentelemetry_proto::tonic::trace::v1::{Span, span::SpanKind, status::StatusCode};
use reqwest::Method;
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};

const SOON: Duration = Duration::from_secs(20);
const LOGIN: &str = "/api/v2/auth/login";

/// What a node that sends traces needs.
struct Parts {
    stub: StubUpstream,
    database: TestDatabase,
    redis: RedisAddress,
    prefix: String,
}

impl Parts {
    async fn ready() -> Self {
        let redis = shared_redis().await;
        let prefix = redis.fresh_prefix();
        Self { stub: StubUpstream::start().await, database: fresh_database().await, redis, prefix }
    }

    async fn node(&self, collector: &str, more: &[(&str, &str)]) -> Node {
        let cluster = Serve { database: &self.database.url, redis: &self.redis.url(), prefix: &self.prefix };
        let settings = [&UNLIMITED[..], &[("OTEL_EXPORTER_OTLP_ENDPOINT", collector)], more].concat();
        cluster.start_with(1, &self.stub, &settings).await.remove(0)
    }
}

/// What `/readyz` says of traces, which decides nothing.
async fn traces_are(node: &Node) -> String {
    let ready = node.json("/readyz").await;
    assert_eq!(ready["status"], "healthy", "{ready}");
    ready["checks"]["observability"]["status"].as_str().unwrap().to_owned()
}

fn trace_of(answer: &Answer) -> String {
    answer.header("x-trace-id").replace('-', "")
}

/// The log line of a request by its trace.
fn line_of(node: &Node, trace: &str) -> Option<Value> {
    let lines = node.process.log();
    let mut read = lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    read.find(|line| line["message"] == "request" && line["trace_id"] == trace)
}

/// The spans of a trace once its root is there; fails where one hangs in the air.
async fn whole(collector: &Collector, trace: &str, root: &str) -> Vec<Span> {
    let there = async || collector.trace(trace).iter().any(|span| span.name == root);
    eventually(&format!("{root} of {trace}"), SOON, there).await;
    let spans = collector.trace(trace);
    let ids: HashSet<_> = spans.iter().map(|span| span.span_id.clone()).collect();
    assert_eq!(ids.len(), spans.len(), "no id twice");
    let roots: Vec<_> = spans.iter().filter(|span| !ids.contains(&span.parent_span_id)).collect();
    assert!(roots.len() == 1 && roots[0].name == root, "one root: {:?}", names(&spans));
    for span in &spans {
        assert!(span.end_time_unix_nano >= span.start_time_unix_nano, "{}", span.name);
    }
    spans
}

fn names(spans: &[Span]) -> Vec<&str> {
    spans.iter().map(|span| span.name.as_str()).collect()
}

fn named<'a>(spans: &'a [Span], name: &str) -> &'a Span {
    spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("no {name} in {:?}", names(spans)))
}

fn parent<'a>(spans: &'a [Span], span: &Span) -> &'a Span {
    spans.iter().find(|other| other.span_id == span.parent_span_id).unwrap()
}

#[tokio::test]
async fn a_request_is_one_trace_from_http_to_sql_and_redis_with_the_ids_of_its_answer_and_its_line() {
    let (parts, collector) = (Parts::ready().await, Collector::start().await);
    let node = parts.node(&collector.url(), &[]).await;
    let api = Api::at(node.url(""));
    let email = somebody();
    let _ = api.sign_up(&email).await;
    let answer = api.post(LOGIN, &json!({"email": email, "password": PASSWORD})).await.expect(200);
    let trace = trace_of(&answer);
    let spans = whole(&collector, &trace, "POST /api/v2/auth/login").await;

    let root = named(&spans, "POST /api/v2/auth/login");
    assert!(root.parent_span_id.is_empty() && root.kind == SpanKind::Server as i32);
    assert_eq!(attribute(&root.attributes, "http.route"), "/api/v2/auth/login");
    assert_eq!(attribute(&root.attributes, "http.response.status_code"), "200");
    eventually("the line is written", SOON, async || line_of(&node, &trace).is_some()).await;
    assert_eq!(line_of(&node, &trace).unwrap()["span_id"], hex(&root.span_id));

    // It is told of after they arrived.
    eventually("/readyz tells of it", SOON, async || traces_are(&node).await == "up").await;

    let use_case = named(&spans, "identity.sign_in");
    assert_eq!(parent(&spans, use_case).name, root.name);
    let insert = named(&spans, "SQL INSERT");
    assert_eq!(attribute(&insert.attributes, "db.system.name"), "postgresql");
    assert!(attribute(&insert.attributes, "db.query.text").contains("$1"));
    assert_eq!(parent(&spans, insert).name, use_case.name);
    assert_eq!(parent(&spans, named(&spans, "SQL COMMIT")).name, use_case.name);
    let admit = named(&spans, "Redis admit");
    assert_eq!((attribute(&admit.attributes, "db.system.name"), admit.kind), ("redis".to_owned(), SpanKind::Client as i32));
    assert_eq!(parent(&spans, admit).name, "admit_request");
}

#[tokio::test]
async fn who_calls_says_whether_its_trace_is_sent_and_of_new_ones_a_share_is() {
    let (parts, collector) = (Parts::ready().await, Collector::start().await);
    let node = parts.node(&collector.url(), &[("OTEL_TRACES_SAMPLER_ARG", "0")]).await;
    let api = Api::at(node.url(""));
    let (wanted, unwanted) = ("4bf92f3577b34da6a3ce929d0e0e4736", "5bf92f3577b34da6a3ce929d0e0e4737");
    let ask = async |trace: &str, flags: &str| {
        let traceparent = format!("00-{trace}-00f067aa0ba902b7-{flags}");
        let answer = api.send(api.request(Method::GET, "/api/crypto/ticker").header("traceparent", traceparent)).await;
        assert_eq!(trace_of(&answer), trace);
    };
    ask(unwanted, "00").await;
    let _ = api.get("/api/crypto/ticker").await;
    ask(wanted, "01").await;
    let spans = whole(&collector, wanted, "GET /api/crypto/ticker").await;
    assert_eq!(hex(&named(&spans, "GET /api/crypto/ticker").parent_span_id), "00f067aa0ba902b7");
    let others: Vec<_> = collector.spans().into_iter().filter(|span| hex(&span.trace_id) != wanted).collect();
    assert!(others.is_empty(), "{:?}", names(&others));
}

#[tokio::test]
async fn a_tick_is_one_trace_from_the_lease_to_the_provider_redis_and_the_store() {
    let (parts, collector) = (Parts::ready().await, Collector::start().await);
    let _node = parts.node(&collector.url(), &[]).await;
    // The provider is asked at its own pace, and so not in every tick.
    let ticks = || {
        let spans = collector.spans();
        let asked = spans.iter().filter(|span| attribute(&span.attributes, "coinlink.provider") == "coingecko");
        let of_ticks: Vec<_> = spans.iter().filter(|span| span.name == "tick").map(|span| span.trace_id.clone()).collect();
        asked
            .map(|span| span.trace_id.clone())
            .filter(|trace| of_ticks.contains(trace))
            .map(|trace| hex(&trace))
            .collect::<Vec<_>>()
    };
    eventually("a tick with a provider's call", SOON, async || !ticks().is_empty()).await;
    let trace = ticks().remove(0);
    // What is done about a tick ends after it.
    eventually("alerts are evaluated", SOON, async || names(&collector.trace(&trace)).contains(&"evaluate_alerts")).await;
    let spans = whole(&collector, &trace, "tick").await;
    let call = spans.iter().find(|span| span.name == "coingecko GET").unwrap();
    assert_eq!(attribute(&call.attributes, "coinlink.outcome"), "ok");
    assert_eq!(parent(&spans, named(&spans, "lead_ticker")).name, "tick");
    assert_eq!(parent(&spans, named(&spans, "Redis publish")).name, "lead_ticker");
    assert_eq!(parent(&spans, named(&spans, "evaluate_alerts")).name, "tick");
    for span in collector.spans().iter().filter(|span| span.parent_span_id.is_empty()) {
        assert_ne!(span.kind, SpanKind::Client as i32, "{} belongs to nothing", span.name);
    }
    for request in parts.stub.requests() {
        assert!(request.header("traceparent").is_none(), "a provider is told no id of ours");
    }
}

#[tokio::test]
async fn no_span_holds_a_password_a_token_an_address_or_a_value_of_a_statement() {
    let (parts, collector) = (Parts::ready().await, Collector::start().await);
    let node = parts.node(&collector.url(), &[("LOG_LEVEL", "trace")]).await;
    let api = Api::at(node.url(""));
    let (email, wrong) = (somebody(), "Wrong-Horse-7-Battery");
    let held = api.sign_up(&email).await;
    let _ = api.post(LOGIN, &json!({"email": email, "password": wrong})).await.expect(401);
    let next = api.refresh(&held.refresh).await.expect(200);
    let profile = json!({"first_name": "Lovelace-Byron"});
    let access = next.json["access_token"].as_str().unwrap();
    let change = api.with_json(Method::PUT, "/api/v2/user/profile", &profile).bearer_auth(access);
    let last = api.send(change).await;
    whole(&collector, &trace_of(&last), "PUT /api/v2/user/profile").await;
    let secrets = [&email, PASSWORD, wrong, &held.access, &held.refresh, &held.device, access, &held.user, "Lovelace"];
    let sent = collector.posted();
    assert!(collector.spans().len() > 50);
    for secret in secrets {
        let found = sent.iter().any(|posted| String::from_utf8_lossy(&posted.body).contains(secret));
        assert!(!found, "{secret}");
    }
}

#[tokio::test]
async fn a_failure_of_the_server_has_one_trace_id_in_body_header_line_and_span() {
    let (parts, collector) = (Parts::ready().await, Collector::start().await);
    let node = parts.node(&collector.url(), &[]).await;
    let api = Api::at(node.url(""));
    let connection = sea_orm::Database::connect(&parts.database.url).await.unwrap();
    connection.execute_unprepared("ALTER TABLE users RENAME TO elsewhere").await.unwrap();
    let answer = api.post(LOGIN, &json!({"email": somebody(), "password": PASSWORD})).await;
    assert!(answer.status >= 500, "{}", answer.text);
    let trace = trace_of(&answer);
    assert_eq!(answer.json["error"]["trace_id"].as_str().unwrap().replace('-', ""), trace);
    let spans = whole(&collector, &trace, "POST /api/v2/auth/login").await;
    let status = named(&spans, "POST /api/v2/auth/login").status.clone().unwrap();
    assert_eq!(status.code, StatusCode::Error as i32);
    eventually("the line is written", SOON, async || line_of(&node, &trace).is_some()).await;
    let log = node.process.log();
    let told = log.lines().any(|line| line.contains("request failed") && line.contains(&trace));
    assert!(told, "the cause is told with the same id");
}

#[tokio::test]
async fn a_collector_that_goes_away_or_hangs_is_noticed_by_no_request_and_delays_no_end() {
    let parts = Parts::ready().await;
    let collector = Collector::start().await;
    let hanging = Collector::that(Manner::Hangs).await;
    for (endpoint, goes) in [(collector.url(), Some(collector)), (hanging.url(), None)] {
        let mut node = parts.node(&endpoint, &[]).await;
        let api = Api::at(node.url(""));
        drop(goes);
        let mut slowest = Duration::ZERO;
        for _ in 0..300 {
            let began = Instant::now();
            let _ = api.get("/api/crypto/ticker").await.expect(200);
            slowest = slowest.max(began.elapsed());
        }
        assert!(slowest < Duration::from_secs(2), "{slowest:?}");
        eventually("it is told", SOON, async || node.process.log().contains("traces cannot be sent")).await;
        let told = node.process.log().matches("traces cannot be sent").count();
        assert_eq!(told, 1, "once");
        assert_eq!(traces_are(&node).await, "down");
        let began = Instant::now();
        node.process.terminate();
        assert!(node.process.wait().await.success());
        assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    }
}
