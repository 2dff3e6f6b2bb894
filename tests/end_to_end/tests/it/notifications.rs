//! From a rule that comes true to the socket, the letter and the webhook, on the real binary.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use coinlink_domain::notifications::signature;
use coinlink_end_to_end_tests::{Api, Client, Held, Node, Serve, UNLIMITED, eventually, somebody};
use coinlink_testkit::{
    servers::{PrivateMail, fresh_database, shared_redis},
    upstream_stub::StubUpstream,
};
use reqwest::Method;
use sea_orm::{ConnectionTrait as _, Database};
use serde_json::{Value, json};
use time::OffsetDateTime;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

const SOON: Duration = Duration::from_secs(20);
const AT: &str = "/api/v2/notifications";

/// A request to a webhook: its head and its body.
type Received = (String, Vec<u8>);

/// A receiver on this machine that takes everything; where it is, and what it got.
async fn receiver() -> (String, Arc<Mutex<Vec<Received>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://127.0.0.1:{}/in", listener.local_addr().unwrap().port());
    let received: Arc<Mutex<Vec<Received>>> = Arc::default();
    let kept = Arc::clone(&received);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.unwrap());
            }
            let head = String::from_utf8(head).unwrap();
            let mut body = vec![0; header(&head, "content-length").parse().unwrap()];
            stream.read_exact(&mut body).await.unwrap();
            kept.lock().unwrap().push((head, body));
            stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
        }
    });
    (url, received)
}

fn header<'a>(head: &'a str, name: &str) -> &'a str {
    let of = |line: &'a str| line.split_once(": ").filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    head.lines().find_map(of).unwrap_or_else(|| panic!("no {name} in {head}"))
}

fn is_signed(head: &str, body: &[u8], secret: &str) {
    let signed = header(head, "x-coinlink-signature");
    let seconds = signed.strip_prefix("t=").unwrap().split_once(',').unwrap().0.parse().unwrap();
    assert_eq!(signed, signature(secret.as_bytes(), OffsetDateTime::from_unix_timestamp(seconds).unwrap(), body));
}

/// The user followed the link in the letter.
async fn verified(node: &Node, email: &str) {
    let file = node.process.directory().join("data/coinlink.db");
    let sql = Database::connect(format!("sqlite:{}", file.display())).await.unwrap();
    let change = format!("UPDATE users SET is_verified = 1 WHERE email = '{email}'");
    assert_eq!(sql.execute_unprepared(&change).await.unwrap().rows_affected(), 1);
}

#[tokio::test]
async fn a_rule_that_comes_true_is_told_to_the_socket_within_a_second_and_by_letter_and_signed_webhook() {
    let mail = PrivateMail::start().await;
    let smtp = format!("smtp://127.0.0.1:{}?tls=none", mail.port());
    let own = [
        ("SMTP_URL", &*smtp),
        ("MAIL_FROM", "CoinLink <no-reply@example.org>"),
        ("WEBHOOK_ALLOWED_PRIVATE", "127.0.0.0/8"),
        ("LOG_LEVEL", "debug"),
    ];
    let node = Node::dev_with(&["--feed", "simulated"], &[&UNLIMITED[..], &own].concat()).await;
    let (api, ada) = (Api::at(node.url("")), somebody());
    let held = api.sign_up(&ada).await;
    verified(&node, &ada).await;
    let (url, received) = receiver().await;
    let made = api.post_as(&held.access, &format!("{AT}/webhooks"), &json!({ "url": url })).await.expect(201);
    let secret = made.json["secret"].as_str().unwrap().to_owned();
    let mut socket = Client::connect(node.address).await;
    socket.say(&json!({ "type": "authenticate", "token": held.access })).await;
    socket.frame_of("authenticated").await;

    let rule = json!({ "symbol": "BTC", "condition": "above", "target_value": 1 });
    let rule = api.post_as(&held.access, &format!("{AT}/alerts"), &rule).await.expect(201);
    let alert = socket.frame_of("price_alert").await.json;
    assert_eq!((&alert["data"]["alert_id"], &alert["data"]["symbol"]), (&rule.json["id"], &"BTC".into()));
    let notice = socket.frame_of("notification").await.json;
    let told_at = OffsetDateTime::now_utc();
    let id = notice["data"]["id"].as_str().unwrap().to_owned();
    assert_eq!(alert["data"]["notification_id"], id);
    let inbox = api.get_as(&held.access, AT).await.expect(200).json;
    assert_eq!((&inbox[0]["id"], &inbox[0]["type"]), (&id.clone().into(), &"price_alert".into()));
    let left = inbox[0]["created_at"].as_str().unwrap();
    let left = OffsetDateTime::parse(left, &time::format_description::well_known::Rfc3339).unwrap();
    assert!(told_at - left < Duration::from_secs(1), "told {} after the tick", told_at - left);

    eventually("the webhook to be called", SOON, async || !received.lock().unwrap().is_empty()).await;
    let (top, body) = received.lock().unwrap()[0].clone();
    assert!(top.starts_with("POST /in HTTP/1.1\r\n"), "{top}");
    assert_eq!(header(&top, "x-coinlink-id"), id);
    is_signed(&top, &body, &secret);
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((&body["id"], &body["type"]), (&inbox[0]["id"], &inbox[0]["type"]));

    let letters = || mail.received().into_iter().filter(|mail| mail.message_id().is_some_and(|name| name.contains(&id))).count();
    eventually("the letter", SOON, async || letters() == 1).await;
    let counted = "coinlink_notifications_delivered_total{channel=\"webhook\",outcome=\"sent\"}";
    eventually("it to be counted", SOON, async || node.metric_if_any(counted).await == Some(1)).await;
    let log = node.process.log();
    assert!(log.contains("a webhook took a notification"), "it is told at this level");
    assert!(!log.contains(&secret) && !log.contains(&secret["whsec_".len()..]));
    let hook = api.get_as(&held.access, &format!("{AT}/webhooks")).await.expect(200).json["webhooks"][0].clone();
    assert!(hook["last_success_at"].is_string() && hook["last_attempt_at"] == hook["last_success_at"], "{hook}");
    assert!(hook["last_error"].is_null(), "{hook}");
}

#[tokio::test]
async fn a_test_of_a_webhook_arrives_within_seconds_and_what_stands_beside_the_server_is_refused() {
    let node =
        Node::dev_with(&["--feed", "simulated"], &[&UNLIMITED[..], &[("WEBHOOK_ALLOWED_PRIVATE", "127.0.0.0/8")]].concat()).await;
    let api = Api::at(node.url(""));
    let held = api.sign_up(&somebody()).await;
    for url in [
        "http://10.0.0.1/",
        "https://169.254.169.254/latest/",
        "http://[::1]/",
        "http://169.254.169.254/",
        "http://8.8.8.8/",
        "http://nowhere.invalid/",
    ] {
        let refused = api.post_as(&held.access, &format!("{AT}/webhooks"), &json!({ "url": url })).await;
        assert_eq!((refused.status, refused.code()), (400, "webhook_refused"), "{url}");
    }
    let (url, received) = receiver().await;
    let made = api.post_as(&held.access, &format!("{AT}/webhooks"), &json!({ "url": url })).await.expect(201);
    let path = format!("{AT}/webhooks/{}", made.json["id"].as_str().unwrap());
    let asked = Instant::now();
    let left = api.post_as(&held.access, &format!("{path}/test"), &Value::Null).await.expect(202);
    eventually("the test", SOON, async || !received.lock().unwrap().is_empty()).await;
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    assert_eq!(header(&received.lock().unwrap()[0].0, "x-coinlink-id"), left.json["notification_id"].as_str().unwrap());
    let request = api.request(Method::DELETE, &path).header("authorization", format!("Bearer {}", held.access));
    let _ = api.send(request).await.expect(200);
}

/// A webhook of somebody's, with the secret that was shown once.
struct Hook {
    path: String,
    secret: String,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Hook {
    async fn made(api: &Api, held: &Held) -> Self {
        let (url, received) = receiver().await;
        let made = api.post_as(&held.access, &format!("{AT}/webhooks"), &json!({ "url": url })).await.expect(201).json;
        let text = |field: &str| made[field].as_str().unwrap().to_owned();
        Self { path: format!("{AT}/webhooks/{}", text("id")), secret: text("secret"), received }
    }

    async fn is_tested(&self, api: &Api, held: &Held) {
        self.received.lock().unwrap().clear();
        let _ = api.post_as(&held.access, &format!("{}/test", self.path), &Value::Null).await.expect(202);
        eventually("the webhook to be called", SOON, async || !self.received.lock().unwrap().is_empty()).await;
        let (top, body) = self.received.lock().unwrap()[0].clone();
        is_signed(&top, &body, &self.secret);
    }
}

/// An operator rotates the key that encrypts secrets: webhooks are signed as before, also those that were not called while both keys
/// were there, and the log says when the earlier key may go.
#[tokio::test]
async fn webhooks_are_signed_with_their_secrets_whatever_key_they_are_encrypted_with() {
    const OLD: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    const NEW: &str = "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff101112131415161718191a1b1c1d1e1f";
    let (stub, database, redis) = (StubUpstream::start().await, fresh_database().await, shared_redis().await);
    let cluster = Serve { database: &database.url, redis: &redis.url(), prefix: &redis.fresh_prefix() };
    let started = async |key: &str, earlier: &str| {
        let keys = [("TOTP_ENCRYPTION_KEY", key), ("TOTP_ENCRYPTION_KEY_PREVIOUS", earlier)];
        let settings = [&UNLIMITED[..], &keys, &[("WEBHOOK_ALLOWED_PRIVATE", "127.0.0.0/8")]].concat();
        let node = cluster.start_with(1, &stub, &settings).await.remove(0);
        (Api::at(node.url("")), node)
    };
    let (api, first) = started(OLD, "").await;
    let held = api.sign_up(&somebody()).await;
    let hooks = [Hook::made(&api, &held).await, Hook::made(&api, &held).await];
    drop(first);

    let (api, second) = started(NEW, OLD).await;
    hooks[0].is_tested(&api, &held).await;
    let still = "some of what is stored is still encrypted with TOTP_ENCRYPTION_KEY_PREVIOUS";
    eventually("it to be told", SOON, async || second.process.log().contains(still)).await;
    let log = second.process.log();
    assert!(log.contains("secrets of webhooks were sealed anew"), "{log}");
    drop(second);

    // The letter of the sign-up was not sent here, and its link not used: both end by themselves some day.
    database.tamper("DELETE FROM outbox_mails; DELETE FROM mail_links").await;
    let (_, third) = started(NEW, OLD).await;
    let nothing = "nothing that is stored is encrypted with TOTP_ENCRYPTION_KEY_PREVIOUS";
    eventually("it to be told", SOON, async || third.process.log().contains(nothing)).await;
    drop(third);

    let (api, fourth) = started(NEW, "").await;
    hooks[1].is_tested(&api, &held).await;
    let log = fourth.process.log();
    assert!(!log.contains("some of what is stored") && !log.contains("nothing that is stored"), "{log}");
}
