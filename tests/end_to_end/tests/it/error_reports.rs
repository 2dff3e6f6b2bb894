//! What Sentry gets from the real binary: failures of the server, and nothing that is not for others.

use std::time::Duration;

use coinlink_end_to_end_tests::{Api, Collector, Manner, PASSWORD, Serve, UNLIMITED, eventually, somebody};
use coinlink_testkit::{
    servers::{PrivateRedis, fresh_database, shared_redis},
    upstream_stub::StubUpstream,
};
use reqwest::Method;
use sea_orm::{ConnectionTrait as _, Database};
use serde_json::{Value, json};

const SOON: Duration = Duration::from_secs(20);
const LOGIN: &str = "/api/v2/auth/login";

/// Events of all envelopes: in each a line of the envelope, one of the item, and the item.
fn events(sentry: &Collector) -> Vec<Value> {
    let of = |body: &[u8]| {
        let lines: Vec<Value> =
            String::from_utf8_lossy(body).lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        lines.into_iter().filter(|line| line.get("exception").is_some()).collect::<Vec<_>>()
    };
    sentry.posted().iter().flat_map(|posted| of(&posted.body)).collect()
}

#[tokio::test]
async fn a_failure_is_reported_once_with_its_trace_and_without_secrets_and_a_mistake_of_a_client_is_not() {
    let (stub, database, redis) = (StubUpstream::start().await, fresh_database().await, shared_redis().await);
    let sentry = Collector::start().await;
    let (dsn, url) = (sentry.dsn(), redis.url());
    let cluster = Serve { database: &database.url, redis: &url, prefix: &redis.fresh_prefix() };
    let mut node = cluster.start_with(1, &stub, &[&UNLIMITED[..], &[("SENTRY_DSN", &dsn)]].concat()).await.remove(0);
    let api = Api::at(node.url(""));
    let email = somebody();
    let held = api.sign_up(&email).await;
    let _ = api.post(LOGIN, &json!({"email": email, "password": "Wrong-Horse-7-Battery"})).await.expect(401);
    let _ = api.post(LOGIN, &json!({"email": 7})).await.expect(400);
    let _ = api.get("/api/nowhere").await.expect(404);

    let connection = Database::connect(&database.url).await.unwrap();
    connection.execute_unprepared("ALTER TABLE users RENAME TO elsewhere").await.unwrap();
    let request =
        api.with_json(Method::POST, &format!("{LOGIN}?token={}", held.access), &json!({"email": email, "password": PASSWORD}));
    let request =
        request.header("Cookie", format!("x={}", held.refresh)).header("Authorization", format!("Bearer {}", held.access));
    let answer = api.send(request).await;
    assert!(answer.status >= 500, "{}", answer.text);
    eventually("it is reported", SOON, async || !events(&sentry).is_empty()).await;
    node.process.terminate();
    assert!(node.process.wait().await.success(), "it ends, and sends what is left");

    let told = events(&sentry);
    assert_eq!(told.len(), 1, "{told:?}");
    let event = &told[0];
    assert_eq!(event["tags"]["trace_id"], answer.header("x-trace-id").replace('-', ""));
    assert_eq!(event["tags"]["status"], answer.status.to_string());
    assert_eq!(event["transaction"], "POST /api/v2/auth/login");
    assert_eq!(event["exception"]["values"][0]["type"], answer.code());
    assert_eq!((&event["release"], &event["environment"]), (&"coinlink@0.1.0".into(), &"production".into()));
    assert!(event.get("request").is_none() && event.get("user").is_none() && event.get("server_name").is_none(), "{event}");
    for secret in [&email, PASSWORD, &held.access, &held.refresh, "Wrong-Horse"] {
        let found = sentry.posted().iter().any(|posted| String::from_utf8_lossy(&posted.body).contains(secret));
        assert!(!found, "{secret}");
    }
}

#[tokio::test]
async fn an_outage_is_told_of_a_few_times_and_a_sentry_that_hangs_holds_up_nobody() {
    let (stub, database, redis) = (StubUpstream::start().await, fresh_database().await, shared_redis().await);
    let (sentry, hanging) = (Collector::start().await, Collector::that(Manner::Hangs).await);
    let (dsn, hanging_dsn, url, prefix) = (sentry.dsn(), hanging.dsn(), redis.url(), redis.fresh_prefix());
    let cluster = Serve { database: &database.url, redis: &url, prefix: &prefix };
    let mut nodes = Vec::new();
    for dsn in [&dsn, &hanging_dsn] {
        nodes.push(cluster.start_with(1, &stub, &[&UNLIMITED[..], &[("SENTRY_DSN", dsn)]].concat()).await.remove(0));
    }
    let connection = Database::connect(&database.url).await.unwrap();
    connection.execute_unprepared("ALTER TABLE users RENAME TO elsewhere").await.unwrap();
    for node in &mut nodes {
        let api = Api::at(node.url(""));
        for _ in 0..60 {
            let answer = api.post(LOGIN, &json!({"email": somebody(), "password": PASSWORD})).await;
            assert!(answer.status >= 500, "{}", answer.text);
        }
        node.process.terminate();
        assert!(node.process.wait().await.success());
    }
    let told = events(&sentry).len();
    assert!((1..=20).contains(&told), "{told} events");
}

#[tokio::test]
async fn what_probes_are_told_in_an_outage_is_no_report_fault() {
    let (stub, database, mut redis) = (StubUpstream::start().await, fresh_database().await, PrivateRedis::start().await);
    let sentry = Collector::start().await;
    let (dsn, url) = (sentry.dsn(), redis.url());
    let cluster = Serve { database: &database.url, redis: &url, prefix: "reports:" };
    let mut node = cluster.start_with(1, &stub, &[&UNLIMITED[..], &[("SENTRY_DSN", &dsn)]].concat()).await.remove(0);
    redis.stop().await;
    for probe in ["/readyz", "/health"] {
        eventually("a probe tells", SOON, async || node.get(probe).await.0 == 503).await;
    }
    // What somebody asked for is another matter.
    let connection = Database::connect(&database.url).await.unwrap();
    connection.execute_unprepared("ALTER TABLE users RENAME TO elsewhere").await.unwrap();
    let answer = Api::at(node.url("")).post(LOGIN, &json!({"email": somebody(), "password": PASSWORD})).await;
    assert!(answer.status >= 500, "{}", answer.text);
    node.process.terminate();
    assert!(node.process.wait().await.success());
    let told: Vec<_> = events(&sentry).iter().map(|event| event["transaction"].as_str().unwrap().to_owned()).collect();
    assert_eq!(told, ["POST /api/v2/auth/login"]);
}

#[tokio::test]
async fn neither_reports_nor_traces_follow_a_redirect_with_their_keys() {
    let (stub, database, redis) = (StubUpstream::start().await, fresh_database().await, shared_redis().await);
    let elsewhere = Collector::start().await;
    let redirecting = Collector::that(Manner::Redirects(elsewhere.port())).await;
    let (dsn, url, endpoint) = (redirecting.dsn(), redis.url(), redirecting.url());
    let cluster = Serve { database: &database.url, redis: &url, prefix: &redis.fresh_prefix() };
    let settings = [
        ("SENTRY_DSN", dsn.as_str()),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-team=for-that-collector-alone"),
    ];
    let mut node = cluster.start_with(1, &stub, &[&UNLIMITED[..], &settings].concat()).await.remove(0);
    let connection = Database::connect(&database.url).await.unwrap();
    connection.execute_unprepared("ALTER TABLE users RENAME TO elsewhere").await.unwrap();
    let answer = Api::at(node.url("")).post(LOGIN, &json!({"email": somebody(), "password": PASSWORD})).await;
    assert!(answer.status >= 500, "{}", answer.text);
    let reached = |path: &str| redirecting.posted().iter().any(|posted| posted.head.contains(path));
    eventually("both are posted", SOON, async || reached("/v1/traces") && reached("/envelope/")).await;
    node.process.terminate();
    assert!(node.process.wait().await.success(), "it ends, and sends what is left");
    assert!(elsewhere.posted().is_empty(), "{:?}", elsewhere.posted().iter().map(|posted| &posted.head).collect::<Vec<_>>());
}
