//! A second factor's whole life, on PostgreSQL and Redis and on the embedded store, through restarts and another key.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use coinlink_domain::identity::RecoveryCode;
use coinlink_end_to_end_tests::{Api, Held, Node, PASSWORD, Serve, UNLIMITED, eventually, somebody};
use coinlink_testkit::{
    servers::{fresh_database, shared_redis},
    upstream_stub::StubUpstream,
};
use sea_orm::{ConnectionTrait as _, Database, DbBackend, Statement};
use serde_json::{Value, json};
use totp_rs::Totp;

fn present_step() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() / 30
}

/// An authenticator app that remembers which codes it showed: one code before the present one and one after are good, too, so
/// that nobody has to wait for long.
struct App {
    totp: Totp,
    last: u64,
}

impl App {
    fn scanning(uri: &Value) -> Self {
        Self { totp: Totp::from_url(uri.as_str().unwrap()).unwrap(), last: present_step() - 2 }
    }

    async fn shows(&mut self) -> String {
        self.last = (self.last + 1).max(present_step() - 1);
        let next = self.last;
        eventually("the next code is good", Duration::from_secs(65), async || next <= present_step() + 1).await;
        self.totp.generate(next * 30).to_string()
    }
}

/// Somebody with an app.
struct Ada {
    email: String,
    held: Held,
    app: App,
    codes: Vec<String>,
}

impl Ada {
    async fn protected(api: &Api) -> Self {
        let email = somebody();
        let held = api.sign_up(&email).await;
        let given = api.post_as(&held.access, "/api/v2/auth/2fa/setup", &json!({"password": PASSWORD})).await.expect(200).json;
        let mut app = App::scanning(&given["otpauth_uri"]);
        assert!(given["qr_png"].as_str().unwrap().starts_with("data:image/png;base64,"));
        let code = app.shows().await;
        let confirmed = api.post_as(&held.access, "/api/v2/auth/2fa/confirm", &json!({"code": code})).await.expect(200).json;
        let codes: Vec<String> = serde_json::from_value(confirmed["recovery_codes"].clone()).unwrap();
        assert_eq!(codes.len(), 10);
        Self { email, held, app, codes }
    }

    async fn ticket(&self, api: &Api) -> String {
        let body = json!({"email": self.email, "password": PASSWORD});
        let asked = api.post("/api/v2/auth/login", &body).await.expect(200);
        assert!(asked.json["mfa_required"] == true && asked.json["tokens"].is_null(), "{}", asked.text);
        asked.json["mfa_ticket"].as_str().unwrap().to_owned()
    }

    /// Signs in at one node with a ticket of another; the code is good at neither after that.
    async fn signs_in(&mut self, asked: &Api, shown: &Api) {
        let (ticket, code) = (self.ticket(asked).await, self.app.shows().await);
        let body = json!({"mfa_ticket": ticket, "code": code});
        let held = Held::of(&shown.post("/api/v2/auth/2fa/verify", &body).await.expect(200));
        let _ = asked.get_as(&held.access, "/api/v2/auth/verify").await.expect(200);
        assert_eq!(asked.post("/api/v2/auth/2fa/verify", &body).await.expect(401).code(), "invalid_mfa_ticket");
        let again = json!({"mfa_ticket": self.ticket(asked).await, "code": code});
        assert_eq!(asked.post("/api/v2/auth/2fa/verify", &again).await.expect(401).code(), "invalid_code");
    }

    /// Of many parallel sign-ins with one recovery code at all `nodes`, one succeeds.
    async fn recovers_once(&mut self, nodes: &[Api]) {
        let code = self.codes.pop().unwrap();
        let mut shown = Vec::new();
        for n in 0..6 {
            let api = nodes[n % nodes.len()].clone();
            let body = json!({"mfa_ticket": self.ticket(&api).await, "recovery_code": code.to_lowercase()});
            shown.push(tokio::spawn(async move { api.post("/api/v2/auth/2fa/verify", &body).await.status }));
        }
        let mut statuses = Vec::new();
        for shown in shown {
            statuses.push(shown.await.unwrap());
        }
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 401, 401, 401, 401, 401]);
    }

    /// Turned off with a recovery code: the password alone is enough again.
    async fn turns_it_off(&mut self, api: &Api) {
        let body = json!({"password": PASSWORD, "recovery_code": self.codes.pop().unwrap()});
        let _ = api.post_as(&self.held.access, "/api/v2/auth/2fa/disable", &body).await.expect(200);
        let status = api.get_as(&self.held.access, "/api/v2/auth/2fa").await.expect(200).json;
        assert_eq!(status, json!({"enabled": false, "enabled_at": null, "recovery_codes_left": 0}));
        let _ = api.sign_in(&self.email).await;
    }
}

#[tokio::test]
async fn a_second_factor_is_asked_for_on_two_nodes_and_survives_restarts() {
    let (stub, database, redis) = (StubUpstream::start().await, fresh_database().await, shared_redis().await);
    let cluster = Serve { database: &database.url, redis: &redis.url(), prefix: &format!("factor-{}:", std::process::id()) };
    let mut nodes = cluster.start_with(2, &stub, &UNLIMITED).await;
    let apis: Vec<Api> = nodes.iter().map(|node| Api::at(node.url(""))).collect();
    let mut ada = Ada::protected(&apis[0]).await;
    ada.signs_in(&apis[0], &apis[1]).await;
    ada.recovers_once(&apis).await;
    let ticket = ada.ticket(&apis[0]).await;
    for node in &mut nodes {
        node.restart().await;
    }
    let apis: Vec<Api> = nodes.iter().map(|node| Api::at(node.url(""))).collect();
    let body = json!({"mfa_ticket": ticket, "recovery_code": ada.codes.pop().unwrap()});
    let _ = apis[1].post("/api/v2/auth/2fa/verify", &body).await.expect(200);
    ada.turns_it_off(&apis[0]).await;
}

#[tokio::test]
async fn a_second_factor_survives_a_restart_of_the_embedded_store() {
    let mut node = Node::dev_with(&["--feed", "simulated"], &UNLIMITED).await;
    let api = Api::at(node.url(""));
    let mut ada = Ada::protected(&api).await;
    ada.signs_in(&api, &api).await;
    ada.recovers_once(std::slice::from_ref(&api)).await;
    let ticket = ada.ticket(&api).await;
    node.restart().await;
    let body = json!({"mfa_ticket": ticket, "code": ada.app.shows().await});
    let _ = api.post("/api/v2/auth/2fa/verify", &body).await.expect(200);
    ada.turns_it_off(&api).await;
}

/// An operator rotates the key that encrypts secrets: codes stay good, and after a while without the earlier key, too.
#[tokio::test]
async fn a_secret_outlives_the_key_it_was_encrypted_with() {
    const OLD: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    const NEW: &str = "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff101112131415161718191a1b1c1d1e1f";
    let (stub, database, redis) = (StubUpstream::start().await, fresh_database().await, shared_redis().await);
    let cluster = Serve { database: &database.url, redis: &redis.url(), prefix: &format!("rekey-{}:", std::process::id()) };
    let node = async |key: &str, earlier: &str| {
        let keys = [("TOTP_ENCRYPTION_KEY", key), ("TOTP_ENCRYPTION_KEY_PREVIOUS", earlier)];
        cluster.start_with(1, &stub, &[&UNLIMITED[..], &keys].concat()).await.remove(0)
    };
    let first = node(OLD, "").await;
    let mut ada = Ada::protected(&Api::at(first.url(""))).await;
    drop(first);

    let second = node(NEW, OLD).await;
    ada.signs_in(&Api::at(second.url("")), &Api::at(second.url(""))).await;
    eventually("the secret is encrypted anew", Duration::from_secs(20), async || second.process.log().contains("sealed anew"))
        .await;
    drop(second);

    let third = node(NEW, "").await;
    let api = Api::at(third.url(""));
    let body = json!({"mfa_ticket": ada.ticket(&api).await, "code": ada.app.shows().await});
    let _ = api.post("/api/v2/auth/2fa/verify", &body).await.expect(200);
}

/// Whoever reads the table has no code.
#[tokio::test]
async fn recovery_codes_are_kept_as_digests_alone() {
    let (stub, database, redis) = (StubUpstream::start().await, fresh_database().await, shared_redis().await);
    let cluster = Serve { database: &database.url, redis: &redis.url(), prefix: &redis.fresh_prefix() };
    let node = cluster.start_with(1, &stub, &UNLIMITED).await.remove(0);
    let ada = Ada::protected(&Api::at(node.url(""))).await;
    let reader = Database::connect(&database.url).await.unwrap();
    let all = Statement::from_string(DbBackend::Postgres, "SELECT row_to_json(c)::text FROM recovery_codes c");
    let rows: Vec<String> = reader.query_all_raw(all).await.unwrap().iter().map(|row| row.try_get_by_index(0).unwrap()).collect();
    reader.close().await.unwrap();
    let hex = |bytes: &[u8]| bytes.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    assert_eq!(rows.len(), ada.codes.len());
    for text in &ada.codes {
        let digest = hex(&RecoveryCode::from_text(text).unwrap().digest().0);
        assert_eq!(rows.iter().filter(|row| row.contains(&digest)).count(), 1, "{digest} in {rows:?}");
    }
    for row in rows {
        let columns: Value = serde_json::from_str(&row).unwrap();
        assert!(columns.as_object().unwrap().keys().all(|column| column == "user_id" || column == "digest"), "{row}");
    }
}
