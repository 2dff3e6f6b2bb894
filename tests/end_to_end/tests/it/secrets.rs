//! Passwords, tokens and keys: in no log line at the most talkative level, in no row, and in no error.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{collections::BTreeSet, fs, time::Duration};

use coinlink_end_to_end_tests::{Answer, Api, Held, Node, Serve, UNLIMITED, eventually, somebody};
use coinlink_testkit::{
    servers::{fresh_database, shared_redis},
    upstream_stub::StubUpstream,
};
use reqwest::{Method, RequestBuilder};
use sea_orm::{ConnectionTrait, Database, DbBackend, Statement};
use serde_json::{Value, json};

const SECRET: &str = "jwt-0123456789abcdef0123456789abcdef-secrets";
const PEPPER: &str = "pepper-fedcba9876543210fedcba9876543210-secrets";
const TOTP: &str = "f0e1d2c3b4a5968778695a4b3c2d1e0ff0e1d2c3b4a5968778695a4b3c2d1e0f";
const SETTINGS: [(&str, &str); 5] = [
    ("LOG_LEVEL", "trace"),
    ("JWT_SECRET_KEY", SECRET),
    ("PASSWORD_PEPPER", PEPPER),
    ("TOTP_ENCRYPTION_KEY", TOTP),
    ("TICKER_INTERVAL_MS", "60000"),
];
/// All digits, so that it can be sent as a number too.
const IN_DIGITS: u64 = 7_351_928_465_017;

/// A life of an account, and what must be found nowhere after it.
struct Life<'a> {
    api: &'a Api,
    secrets: BTreeSet<String>,
    errors: Vec<Answer>,
}

impl<'a> Life<'a> {
    fn new(api: &'a Api) -> Self {
        let keys = [SECRET, PEPPER, TOTP].map(str::to_owned);
        Self { api, secrets: keys.into_iter().chain([IN_DIGITS.to_string()]).collect(), errors: Vec::new() }
    }

    /// Something that must stay secret from now on.
    fn secret(&mut self, text: &str) -> String {
        assert!(text.len() > 10, "{text}");
        self.secrets.insert(text.to_owned());
        text.to_owned()
    }

    async fn send(&mut self, request: RequestBuilder, status: u16) -> Answer {
        let answer = self.api.send(request).await.expect(status);
        self.keep(&answer);
        answer
    }

    fn keep(&mut self, answer: &Answer) {
        if answer.status >= 400 {
            self.errors.push(answer.clone());
        }
        let tokens = &answer.json["tokens"];
        for value in [
            &answer.json["access_token"],
            &answer.json["refresh_token"],
            &answer.json["device_token"],
            &tokens["access_token"],
            &tokens["refresh_token"],
        ] {
            if let Some(token) = value.as_str() {
                self.secrets.insert(token.to_owned());
            }
        }
    }

    async fn post(&mut self, path: &str, body: Value, status: u16) -> Answer {
        self.send(self.api.with_json(Method::POST, path, &body), status).await
    }

    async fn post_as(&mut self, token: &str, path: &str, body: Value, status: u16) -> Answer {
        self.send(self.api.with_json(Method::POST, path, &body).bearer_auth(token), status).await
    }

    async fn is_lived(&mut self) {
        let email = somebody();
        let (first, second) = (self.secret("First-Horse-9-Battery"), self.secret("Second-Horse-8-Battery"));
        let wrong = self.secret("Wrong-Horse-7-Battery");
        let (login, refresh) = ("/api/v2/auth/login", "/api/v2/auth/token/refresh");
        let of = |password: &str| json!({"email": email, "password": password});
        let held = Held::of(&self.post("/api/v2/auth/signup", of(&first), 201).await);
        self.post("/api/v2/auth/signup", of(&first), 400).await;
        self.post(login, of(&wrong), 401).await;
        let known = json!({"email": email, "password": first, "device_token": held.device});
        let again = Held::of(&self.post(login, known, 200).await);
        let retry = self.secret("retry-key-of-the-client");
        let named = self.api.with_json(Method::POST, refresh, &json!({"refresh_token": again.refresh}));
        let next = self.send(named.header("Idempotency-Key", retry), 200).await;
        let access = next.json["access_token"].as_str().unwrap().to_owned();
        self.send(self.api.request(Method::GET, "/api/v2/auth/verify").bearer_auth(&access), 200).await;
        self.post(refresh, json!({"refresh_token": again.refresh}), 401).await;
        self.send(self.api.request(Method::GET, "/api/v2/auth/verify").bearer_auth(&access), 401).await;
        let change = "/api/v2/auth/password/change";
        self.post_as(&held.access, change, json!({"current_password": wrong, "new_password": second}), 400).await;
        let weak = self.secret("weak-password-in-letters");
        self.post_as(&held.access, change, json!({"current_password": first, "new_password": weak}), 400).await;
        self.post_as(&held.access, change, json!({"current_password": first, "new_password": second}), 200).await;
        self.in_odd_places(&held).await;
        let last = Held::of(&self.post(login, of(&second), 200).await);
        self.post("/api/v2/auth/logout", json!({"refresh_token": held.refresh}), 200).await;
        self.post("/api/v2/auth/logout", json!({"refresh_token": last.device}), 400).await;
        self.post_as(&last.access, "/api/v2/auth/logout-all", json!({}), 200).await;
    }

    /// What a mistaken client does: the password where no password goes.
    async fn in_odd_places(&mut self, held: &Held) {
        let lost = self.secret("Lost-Horse-6-Battery");
        let email = somebody();
        for path in ["/api/v2/auth/signup", "/api/v2/auth/login"] {
            for body in [
                json!({"email": email, "password": IN_DIGITS}),
                json!({"email": email, "password": [lost]}),
                json!({"email": email, "password": {&lost: lost}}),
                json!({"email": email, "password": lost, "pass": lost}),
                json!({"email": email, &lost: 1}),
                json!({"email": email, "password": lost, &lost: lost}),
                json!({"email": lost, "password": lost}),
                json!({"email": [lost], "password": lost}),
                json!([email, lost]),
                json!(lost),
            ] {
                self.post(path, body, 400).await;
            }
            for (kind, body, status) in [
                ("application/json", format!(r#"{{"email":"{email}","password":"{lost}"#), 400),
                ("application/json", format!(r#"{{"email":"{email}","password":"{lost}\x"}}"#), 400),
                ("application/json", format!(r#"{{"email":"{email}","password":{lost}}}"#), 400),
                ("application/json", format!(r#"{{"email":"{email}","password":"{lost}","password":"{lost}"}}"#), 400),
                ("application/x-www-form-urlencoded", format!("email={email}&password={lost}"), 415),
            ] {
                self.send(self.api.request(Method::POST, path).header("Content-Type", kind).body(body), status).await;
            }
        }
        self.post("/api/v2/auth/token/refresh", json!({&held.refresh: held.refresh}), 400).await;
        self.post("/api/v2/auth/token/refresh", json!({"refresh_token": [held.refresh]}), 400).await;
        self.post("/api/v2/auth/logout", json!({&held.refresh: 1}), 400).await;
        self.post_as(&held.access, "/api/v2/auth/password/change", json!({"current_password": [lost]}), 400).await;
        let saved = self.api.with_json(Method::PUT, "/api/v2/user/preferences", &json!({"theme": lost}));
        self.send(saved.bearer_auth(&held.access), 400).await;
        let saved = self.api.with_json(Method::PUT, "/api/v2/user/profile", &json!({&lost: lost}));
        self.send(saved.bearer_auth(&held.access), 400).await;
        for (scheme, token) in [("Basic", &lost), ("Bearer", &lost), ("Token", &held.access), ("Bearer x", &held.refresh)] {
            let verify = self.api.request(Method::GET, "/api/v2/auth/verify");
            self.send(verify.header("Authorization", format!("{scheme} {token}")), 401).await;
        }
        for token in [&lost, &held.access, &held.device] {
            self.send(self.api.request(Method::GET, &format!("/api/v2/user/{token}")), 404).await;
            let path = format!("/api/v2/user/sessions/{token}?password={token}");
            let answer = self.api.send(self.api.request(Method::DELETE, &path).bearer_auth(&held.access)).await;
            assert!([400, 404].contains(&answer.status), "{}", answer.text);
            self.keep(&answer);
        }
        let cookie = format!("__Host-coinlink-device={lost}; x={}", held.refresh);
        let body = json!({"email": email, "password": lost});
        let request = self.api.with_json(Method::POST, "/api/v2/auth/login", &body).header("Cookie", cookie);
        self.send(request, 401).await;
    }

    /// Which of the secrets are in `text`, as they are or as bytes in hex.
    fn found_in(&self, text: &str) -> Vec<&str> {
        let digit = |half: u8| char::from_digit(half.into(), 16);
        let hex = |secret: &str| secret.bytes().flat_map(|byte| [byte >> 4, byte & 15]).filter_map(digit).collect::<String>();
        self.secrets.iter().map(String::as_str).filter(|secret| text.contains(secret) || text.contains(&hex(secret))).collect()
    }

    fn is_in_no_error(&self) {
        assert!(self.errors.len() > 50, "{}", self.errors.len());
        for answer in &self.errors {
            let shown = format!("{} {:?}", answer.text, answer.headers);
            assert!(self.found_in(&shown).is_empty(), "{:?} in {shown}", self.found_in(&shown));
        }
    }

    fn is_in_no_line_of(&self, node: &Node) {
        let log = node.process.log();
        let talkative = ["DEBUG", "TRACE"].iter().all(|level| log.contains(level));
        assert!(talkative && log.lines().count() > 200, "the log says much: {}", log.lines().count());
        for line in log.lines() {
            assert!(self.found_in(line).is_empty(), "{:?} in {line}", self.found_in(line));
        }
        assert!(!log.contains("panicked"));
    }
}

#[tokio::test]
async fn a_whole_life_on_postgresql_leaves_no_secret_in_log_rows_and_errors() {
    let (stub, database, redis) = (StubUpstream::start().await, fresh_database().await, shared_redis().await);
    let cluster = Serve { database: &database.url, redis: &redis.url(), prefix: &redis.fresh_prefix() };
    let node = cluster.start_with(1, &stub, &[&UNLIMITED[..], &SETTINGS].concat()).await.remove(0);
    let api = Api::at(node.url(""));
    let mut life = Life::new(&api);
    life.is_lived().await;
    life.is_in_no_error();

    let connection = Database::connect(&database.url).await.unwrap();
    let texts = async |sql: String| -> Vec<String> {
        let rows = connection.query_all_raw(Statement::from_string(DbBackend::Postgres, sql)).await.unwrap();
        rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
    };
    let audited = texts("SELECT action FROM audit_log".to_owned()).await;
    for action in ["sign_up", "sign_in", "refresh", "refresh_reused", "password_change", "sign_out", "sign_out_everywhere"] {
        assert!(audited.contains(&format!("auth.{action}")), "{action} is missing in {audited:?}");
    }
    let tables = "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public'";
    let tables = texts(tables.to_owned()).await;
    assert!(["audit_log", "users", "sessions"].iter().all(|table| tables.iter().any(|name| name == table)), "{tables:?}");
    let mut rows = 0;
    for table in tables {
        for row in texts(format!("SELECT row_to_json(t)::text FROM {table} t")).await {
            assert!(life.found_in(&row).is_empty(), "{:?} in {table}: {row}", life.found_in(&row));
            rows += 1;
        }
    }
    assert!(rows > 20, "{rows} rows");
    eventually("the log is written", Duration::from_secs(5), async || node.process.log().contains("logout-all")).await;
    life.is_in_no_line_of(&node);
}

#[tokio::test]
async fn a_whole_life_on_the_embedded_store_leaves_no_secret_in_log_files_and_errors() {
    let node = Node::dev_with(&["--feed", "simulated"], &[&UNLIMITED[..], &SETTINGS].concat()).await;
    let api = Api::at(node.url(""));
    let mut life = Life::new(&api);
    life.is_lived().await;
    life.is_in_no_error();
    let mut files = 0;
    for file in fs::read_dir(node.process.directory().join("data")).unwrap() {
        let file = file.unwrap();
        if file.file_type().unwrap().is_file() {
            let bytes = String::from_utf8_lossy(&fs::read(file.path()).unwrap()).into_owned();
            assert!(life.found_in(&bytes).is_empty(), "{:?} in {:?}", life.found_in(&bytes), file.path());
            files += usize::from(bytes.contains("auth.password_change"));
        }
    }
    assert!(files > 0, "the audit log was looked at");
    eventually("the log is written", Duration::from_secs(5), async || node.process.log().contains("logout-all")).await;
    life.is_in_no_line_of(&node);
}
