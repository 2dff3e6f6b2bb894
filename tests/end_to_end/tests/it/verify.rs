//! `coinlink verify`: green against good servers, and red, naming the cause, against one with each deliberate fault.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use coinlink_end_to_end_tests::{Exchange, Node, Serve, TestProxy, eventually};
use coinlink_testkit::{
    servers::{Launch, PrivatePostgres, PrivateRedis, TestDatabase, built_binary, free_port, fresh_database, shared_redis},
    upstream_stub::StubUpstream,
};
use serde_json::Value;
use uuid::Uuid;

const SOON: Duration = Duration::from_secs(20);
const ORIGIN: &str = "https://app.example.org";

/// What a run of the command printed, and how it ended.
struct Run {
    code: i32,
    log: String,
}

impl Run {
    /// The rows that name this and did not hold.
    fn failed(&self, check: &str) -> Vec<String> {
        let checks = self.json()["checks"].as_array().cloned().unwrap_or_default();
        let failed = checks.iter().filter(|row| row["result"] == "fail" && row["check"].as_str().unwrap().contains(check));
        failed.map(|row| format!("{}: {} -> {}", row["check"], row["seen"], row["advice"])).collect()
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.log).unwrap_or_else(|error| panic!("{error}: {}", self.log))
    }

    /// Red, with a row for this check that says this.
    #[track_caller]
    fn names(&self, check: &str, cause: &str) {
        assert_eq!(self.code, 1, "{}", self.log);
        let rows = self.failed(check);
        assert!(rows.iter().any(|row| row.contains(cause)), "no failed {check:?} that says {cause:?}: {rows:?} in {}", self.log);
    }

    /// Green; what was only warned of is returned.
    #[track_caller]
    fn is_green(&self) -> Vec<String> {
        let bad: Vec<_> = self.failed("");
        assert_eq!((self.code, bad), (0, vec![]), "{}", self.log);
        let checks = self.json()["checks"].as_array().cloned().unwrap();
        checks.iter().filter(|row| row["result"] == "warn").map(|row| row["check"].as_str().unwrap().to_owned()).collect()
    }
}

async fn verify(url: &str, more: &[&str]) -> Run {
    verify_in(url, more, &[]).await
}

async fn verify_in(url: &str, more: &[&str], environment: &[(&str, &str)]) -> Run {
    let launch = Launch::new(built_binary("coinlink")).args(["verify", "--json", "--url", url]).args(more);
    let mut run = environment.iter().fold(launch, |launch, (name, value)| launch.env(name, value)).start();
    let status = run.wait().await;
    Run { code: status.code().unwrap(), log: run.log() }
}

/// A production node with everything it needs, and prices.
struct Deployment {
    node: Node,
    metrics: String,
    _stub: StubUpstream,
    _database: TestDatabase,
}

async fn deployed(settings: &[(&str, &str)]) -> Deployment {
    let redis = shared_redis().await.url();
    deployed_on(&redis, settings).await
}

async fn deployed_on(redis: &str, settings: &[(&str, &str)]) -> Deployment {
    let (stub, database) = (StubUpstream::start().await, fresh_database().await);
    let metrics = format!("127.0.0.1:{}", free_port());
    let prefix = format!("verify-{}:", Uuid::now_v7().simple());
    let cluster = Serve { database: &database.url, redis, prefix: &prefix };
    let settings = [&[("METRICS_ADDR", metrics.as_str())], settings].concat();
    let node = cluster.start_with(1, &stub, &settings).await.remove(0);
    eventually("prices", SOON, async || node.get("/api/bitcoin/price").await.0 == 200).await;
    Deployment { node, metrics: format!("http://{metrics}"), _stub: stub, _database: database }
}

impl Deployment {
    async fn verify(&self, more: &[&str]) -> Run {
        verify(&self.node.url(""), &[&["--origin", ORIGIN, "--metrics-url", &self.metrics], more].concat()).await
    }
}

#[tokio::test]
async fn it_is_green_against_serve_in_every_area() {
    let good = deployed(&[]).await;
    let evidence = good.node.process.directory().join("evidence.json");
    let finished = time::OffsetDateTime::now_utc().format(&time::format_description::well_known::Rfc3339).unwrap();
    let text = format!(
        r#"{{"format":"coinlink-test-evidence/1","passed":7,"failed":0,"version":"{}","commit":"0123456789abcdef","changed":false,"finished_at":"{finished}"}}"#,
        good.node.json("/health").await["version"].as_str().unwrap()
    );
    std::fs::write(&evidence, text).unwrap();
    let run = good.verify(&["--evidence", evidence.to_str().unwrap(), "--commit", "0123456"]).await;
    let warned = run.is_green();
    assert_eq!(warned, ["the way is encrypted"], "{}", run.log);
    let json = run.json();
    assert!(json["counts"]["ok"].as_u64().unwrap() > 60, "{}", run.log);
    // The release before is no evidence for this one.
    let run = good.verify(&["--only", "evidence", "--evidence", evidence.to_str().unwrap(), "--commit", "fedcba9"]).await;
    run.names("they are of this release", "fedcba9");
}

#[tokio::test]
async fn it_is_green_against_dev_and_says_what_dev_is_not() {
    let settings = [("TICKER_INTERVAL_MS", "1000"), ("RATE_LIMIT_ANONYMOUS", "200")];
    let node = Node::dev_with(&["--feed", "simulated"], &settings).await;
    eventually("prices", SOON, async || node.get("/api/bitcoin/price").await.0 == 200).await;
    let warned = verify(&node.url(""), &["--origin", "http://localhost:3000"]).await.is_green();
    for check in ["redis answers", "environment", "the way is encrypted", "prices are fresh", "metrics are not public"] {
        assert!(warned.iter().any(|warned| warned == check), "{check} is not among {warned:?}");
    }
    let signed_up = "coinlink_auth_events_total{event=\"sign_up\",outcome=\"ok\"}";
    let before = node.metric(signed_up).await;
    let run = verify(&node.url(""), &["--read-only"]).await;
    run.is_green();
    assert!(run.log.contains("--read-only signs nobody in"), "{}", run.log);
    assert_eq!((before, node.metric(signed_up).await), (1, 1), "the first run signed up, and this one did not");
}

#[tokio::test]
async fn a_server_that_is_none_or_something_else_is_neither_green_nor_red() {
    let url = format!("http://127.0.0.1:{}", free_port());
    let run = verify(&url, &["--timeout", "2"]).await;
    assert!(run.code == 2 && run.log.contains("could not be verified"), "{}", run.log);
    for (answer, told) in [
        ("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 5\r\n\r\n<p>hi", "answered 200 with text/html"),
        (
            "HTTP/1.1 301 Moved\r\nlocation: https://elsewhere.invalid/\r\ncontent-length: 0\r\n\r\n",
            "redirects to https://elsewhere.invalid/",
        ),
        ("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n\u{1b}[2Jalive", "no content type"),
        ("nonsense\r\n\r\n", "could not be verified"),
        ("", "no answer within 1s"),
        ("HTTP/1.1 429 Too Many Requests\r\ncontent-length: 0\r\n\r\n", "name it there; else verify when it is quiet"),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nENDLESS", "does not end within 8 MiB"),
    ] {
        let server = TestProxy::answering(answer).await;
        let run = verify(&server.url(), &["--timeout", "1"]).await;
        assert!(run.code == 2 && run.log.contains(told), "{answer:?}: {} {}", run.code, run.log);
        assert!(!run.log.contains('\u{1b}'), "what it sends steers no terminal");
    }
    let mut bad = Launch::new(built_binary("coinlink")).args(["verify", "--url", "nowhere"]).start();
    assert_eq!(bad.wait().await.code(), Some(2));
}

#[tokio::test]
async fn what_a_proxy_does_wrong_is_named() {
    // Several runs within a minute.
    let good = deployed(&[("RATE_LIMIT_ANONYMOUS", "900")]).await;
    let through = async |change: fn(&mut Exchange), only: &str| {
        let proxy = TestProxy::before(good.node.address, change).await;
        verify(&proxy.url(), &["--origin", ORIGIN, "--metrics-url", &good.metrics, "--only", only]).await
    };
    // 1: security headers are taken away.
    let run = through(|exchange| exchange.without("x-frame-options"), "headers").await;
    run.names("x-frame-options", "200 / has no x-frame-options");
    // 2: CORS is rewritten to everybody.
    let run = through(|exchange| exchange.with("access-control-allow-origin", "*"), "headers").await;
    run.names("CORS: foreign origins may not read", "access-control-allow-origin: *");
    // 3: upgrades are not passed on.
    let run = through(Exchange::drop_upgrades, "sockets").await;
    run.names("the socket opens", "in place of 101");
    // 4: trace ids are taken away.
    let run = through(|exchange| exchange.without("x-trace-id"), "observability").await;
    run.names("every answer has its ids", "x-trace-id is missing");
    // 5: private answers are kept, and given to whoever asks.
    let run = through(Exchange::keep, "headers").await;
    run.names("private answers are kept by nobody", "a cache kept it");
    // 6: the client's address is what it says: limits are not told either.
    let run = through(|exchange| exchange.without("x-ratelimit-remaining"), "auth").await;
    run.names("limits are told and counted", "is missing");
}

#[tokio::test]
async fn a_quota_that_others_used_up_is_told_once_and_nothing_is_called_broken_for_it() {
    // All clients of the proxy are one to a node that does not trust it.
    let good = deployed(&[("RATE_LIMIT_ANONYMOUS", "30")]).await;
    let proxy = TestProxy::before(good.node.address, |_| {}).await;
    let others = coinlink_end_to_end_tests::Api::at(proxy.url());
    eventually("others used it up", SOON, async || others.get("/api/prompts").await.status == 429).await;
    let run = verify(&proxy.url(), &["--origin", ORIGIN, "--metrics-url", &good.metrics, "--within", "30"]).await;
    run.names("the quota of requests", "all of 30 were taken");
    run.names("the quota of requests", "TRUSTED_PROXIES");
    assert_eq!(run.failed("").len(), 1, "{}", run.log);
    let json = run.json();
    let skipped =
        |row: &&Value| row["result"] == "skipped" && row["seen"].as_str().unwrap().contains("the quota of requests is used up");
    assert!(json["checks"].as_array().unwrap().iter().filter(skipped).count() > 15, "{}", run.log);
    // What other quotas are for was looked at.
    assert!(json["counts"]["ok"].as_u64().unwrap() > 20, "{}", run.log);
}

#[tokio::test]
async fn a_limit_that_is_over_soon_is_waited_for_and_one_that_is_not_once() {
    let good = deployed(&[]).await;
    let looked_at = ["--origin", ORIGIN, "--only", "parity,docs", "--read-only"];
    let soon = TestProxy::before(good.node.address, |exchange| exchange.refuse(1)).await;
    let began = Instant::now();
    verify(&soon.url(), &looked_at).await.is_green();
    assert!(began.elapsed() >= Duration::from_secs(2), "{:?}", began.elapsed());
    let never = TestProxy::before(good.node.address, |exchange| exchange.refuse(usize::MAX)).await;
    let began = Instant::now();
    let run = verify(&never.url(), &looked_at).await;
    run.names("the quota of requests", "GET / is answered 429, also after 2 s");
    assert_eq!(run.failed("").len(), 1, "{}", run.log);
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

#[tokio::test]
async fn settings_that_leave_the_server_open_are_named() {
    let open = deployed(&[
        ("ALLOWED_ORIGINS", "https://other.example.org"),
        ("RATE_LIMIT_CREDENTIALS", "1000000"),
        ("ACCESS_TOKEN_TTL_MIN", "1440"),
        ("PROMETHEUS_ENABLED", "false"),
        ("RATE_LIMIT_ANONYMOUS", "400"),
    ])
    .await;
    let run = open.verify(&[]).await;
    // 7: the front end's origin is not allowed.
    run.names("CORS: the known origin may ask", "https://app.example.org is refused");
    // 8: guessing is not slowed down.
    run.names("limit: credentials", "1000000 in 60 s: that is no limit");
    // 9: a stolen token is good for a day.
    run.names("access tokens are short-lived", "8639");
    // 10: there are no metrics.
    run.names("metrics", "no answer");
    // 11: plain http where https is demanded.
    let run = open.verify(&["--require-https", "--only", "headers"]).await;
    run.names("the way is encrypted", "http: passwords and tokens");
    // 12: metrics on the public port, although they have a place of their own.
    let public = deployed(&[("METRICS_ADDR", "")]).await;
    let run = verify(&public.node.url(""), &["--only", "observability", "--metrics-url", &public.node.url("/metrics")]).await;
    run.names("metrics are not public", "anybody reads them");
}

#[tokio::test]
async fn prices_that_do_not_come_are_named() {
    let (stub, database, redis) = (StubUpstream::start().await, fresh_database().await, shared_redis().await.url());
    stub.stop().await;
    let prefix = format!("verify-{}:", Uuid::now_v7().simple());
    let cluster = Serve { database: &database.url, redis: &redis, prefix: &prefix };
    let nodes = cluster.start(1, &stub).await;
    let looked_at = ["--only", "sockets,parity,observability", "--read-only"];
    // That a third party is away is no fault of the release: it is told, and takes no release back.
    let warned = verify(&nodes[0].url(""), &looked_at).await.is_green();
    let of_others = [
        "the list of prices",
        "prices are fresh",
        "the next tick comes",
        "GET /api/bitcoin/price",
        "GET /api/crypto/ticker",
        "GET /api/bitcoin/sentiment",
        "GET /api/bitcoin/market-summary",
    ];
    for check in of_others {
        assert!(warned.iter().any(|warned| warned == check), "{check} is not among {warned:?}");
    }
    let run = verify(&nodes[0].url(""), &[&looked_at[..], &["--strict"]].concat()).await;
    run.names("the list of prices", "see whether the providers can be reached");
    run.names("prices are fresh", "the ticker is stale");
    run.names("GET /api/bitcoin/price", "503 price_unavailable");
    run.names("GET /api/bitcoin/sentiment", "503 not_known_yet");
}

#[tokio::test]
async fn a_redis_that_is_gone_is_named_fault() {
    let mut redis = PrivateRedis::start().await;
    let good = deployed_on(&redis.url(), &[]).await;
    redis.stop().await;
    eventually("it is noticed", SOON, async || good.node.get("/readyz").await.0 == 503).await;
    let run = good.verify(&["--only", "settings,observability"]).await;
    run.names("redis answers", "down");
    run.names("redis answers", "prices stay as they were and grow old");
    assert!(!run.log.contains("accounts answer 503"), "they do not: {}", run.log);
    run.names("/readyz", "redis is down");
}

#[tokio::test]
async fn settings_of_the_deployment_and_the_rights_of_its_role_are_looked_at() {
    let node = Node::dev_with(&["--feed", "simulated"], &[]).await;
    let server = PrivatePostgres::start().await;
    let database = server.fresh_database().await;
    let good = [
        ("DATABASE_URL", database.url.as_str()),
        ("REDIS_URL", "redis://127.0.0.1:1"),
        ("JWT_SECRET_KEY", "0123456789abcdef0123456789abcdef-e2e"),
        ("JWT_ISSUER", "coinlink-api"),
        ("JWT_AUDIENCE", "coinlink-app"),
        ("ALLOWED_ORIGINS", ORIGIN),
        ("PASSWORD_PEPPER", "fedcba9876543210fedcba9876543210-e2e"),
        ("TOTP_ENCRYPTION_KEY", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"),
        ("PUBLIC_URL", "https://api.example.org"),
    ];
    let look = async |more: &[(&str, &str)]| {
        verify_in(&node.url(""), &["--only", "settings", "--settings"], &[&good, more].concat()).await
    };
    // The tests' role is a superuser.
    let run = look(&[]).await;
    run.names("rights on the audit log", "is a superuser");
    assert_eq!(run.failed("").len(), 1, "{}", run.log);
    let run = look(&[("PUBLIC_URL", "http://api.example.org"), ("JWT_SECRET_KEY", "changeme-changeme-changeme-changeme")]).await;
    run.names("PUBLIC_URL is https", "http://api.example.org");
    run.names("settings are complete and strong", "JWT_SECRET_KEY is a placeholder");
    assert!(!run.log.contains("changeme-changeme"), "no secret is shown");

    let owner = sea_orm::Database::connect(&database.url).await.unwrap();
    for sql in [
        "CREATE ROLE verified LOGIN",
        "GRANT USAGE ON SCHEMA public TO verified",
        "GRANT SELECT, INSERT ON audit_log, audit_seals, audit_checkpoints TO verified",
    ] {
        sea_orm::ConnectionTrait::execute_unprepared(&owner, sql).await.unwrap();
    }
    let address = database.url.split_once('@').unwrap().1.to_owned();
    let role = format!("postgresql://verified@{address}");
    let run = look(&[("DATABASE_URL", &role)]).await;
    assert_eq!((run.code, run.failed("")), (0, vec![]), "{}", run.log);
    sea_orm::ConnectionTrait::execute_unprepared(&owner, "GRANT UPDATE ON audit_log TO verified").await.unwrap();
    look(&[("DATABASE_URL", &role)]).await.names("rights on the audit log", "may UPDATE on audit_log");
}

#[tokio::test]
async fn an_account_that_is_given_is_used_and_its_other_sessions_go_on() {
    let node = Node::dev_with(&["--feed", "simulated"], &[("TICKER_INTERVAL_MS", "1000")]).await;
    eventually("prices", SOON, async || node.get("/api/bitcoin/price").await.0 == 200).await;
    let api = coinlink_end_to_end_tests::Api::at(node.url(""));
    let email = coinlink_end_to_end_tests::somebody();
    let held = api.sign_up(&email).await;
    let file: PathBuf = node.process.directory().join("password");
    std::fs::write(&file, format!("{}\n", coinlink_end_to_end_tests::PASSWORD)).unwrap();
    let more =
        ["--account", &email, "--password-file", file.to_str().unwrap(), "--only", "auth", "--origin", "http://localhost:3000"];
    let run = verify(&node.url(""), &more).await;
    run.is_green();
    assert!(!run.log.contains("coinlink-verify.invalid"), "no account was made: {}", run.log);
    assert!(!run.log.contains(coinlink_end_to_end_tests::PASSWORD) && !run.log.contains("v4.local."), "no secret is shown");
    let _ = api.get_as(&held.access, "/api/v2/auth/verify").await.expect(200);
    let sessions = api.get_as(&held.access, "/api/v2/user/sessions").await.json;
    assert_eq!(sessions.as_array().map_or(0, Vec::len), 1, "those of the verification are over: {sessions}");
    std::fs::write(&file, "another-Password-1").unwrap();
    verify(&node.url(""), &more).await.names("sign-up and sign-in", "401 invalid_credentials");
}
