//! Tokens that were never given out, and tokens of one kind in the place of another.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    time::{Duration, SystemTime},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use coinlink_end_to_end_tests::{Answer, Api, Held, Node, PASSWORD, UNLIMITED, eventually, somebody};
use coinlink_testkit::identity::forged_access_tokens;
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::{
    Method,
    header::{AUTHORIZATION, HeaderValue},
};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

const SECRET: &str = "0123456789abcdef0123456789abcdef-forged";
const VERIFY: &str = "/api/v2/auth/verify";
const PRICE: &str = "/api/bitcoin/price";
const REFRESH: &str = "/api/v2/auth/token/refresh";
const LOGOUT: &str = "/api/v2/auth/logout";

async fn node() -> (Node, Api) {
    let settings = [&UNLIMITED[..], &[("JWT_SECRET_KEY", SECRET), ("LOG_LEVEL", "debug")]].concat();
    let node = Node::dev_with(&["--feed", "simulated"], &settings).await;
    eventually("prices", Duration::from_secs(15), async || node.get(PRICE).await.0 == 200).await;
    let api = Api::at(node.url(""));
    (node, api)
}

/// A token as the node would make it, from and until so many minutes from now.
fn minted(claims: &Value, from: i64, until: i64) -> String {
    let at = |minutes: i64| i64::try_from(SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs()).unwrap() + 60 * minutes;
    let mut claims = claims.clone();
    for (name, minutes) in [("iat", from), ("nbf", from), ("exp", until)] {
        claims[name] = at(minutes).into();
    }
    let parts = [r#"{"alg":"HS256","typ":"at+jwt"}"#.to_owned(), claims.to_string()].map(|part| URL_SAFE_NO_PAD.encode(part));
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(parts.join(".").as_bytes());
    format!("{}.{}", parts.join("."), URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

/// What refusals looked like: for each code its message and status, and one set of keys for all.
#[derive(Default)]
struct Refusals(BTreeMap<String, (u16, Value, Vec<String>)>);

impl Refusals {
    fn add(&mut self, answer: &Answer, what: &str) {
        assert!((400..500).contains(&answer.status), "{what}: {} {}", answer.status, answer.text);
        let keys = |value: &Value| value.as_object().map(|object| object.keys().cloned().collect::<Vec<_>>()).unwrap_or_default();
        let shape = [keys(&answer.json), keys(&answer.json["error"])].concat();
        let seen = (answer.status, answer.json["error"]["message"].clone(), shape);
        assert_eq!(answer.json["detail"], seen.1, "{what}");
        let first = self.0.entry(answer.code().to_owned()).or_insert_with(|| seen.clone());
        assert_eq!(*first, seen, "{what}: one code, one answer");
    }

    fn codes(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }
}

/// Sends bytes that no HTTP client would, and gives the status of the answer; 0 where there was none.
async fn raw(address: SocketAddr, path: &str, token: &str) -> u16 {
    let mut socket = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\r\n");
    // A server that has read enough may hang up before all is written.
    let _ = socket.write_all(request.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = timeout(Duration::from_secs(20), socket.read_to_end(&mut answer)).await.unwrap();
    String::from_utf8_lossy(&answer).strip_prefix("HTTP/1.1 ").and_then(|rest| rest[..3].parse().ok()).unwrap_or(0)
}

/// The parser of HTTP/1 takes no more than this as the head of a request.
const FITS_A_HEADER: usize = 64 * 1024;

#[tokio::test]
async fn no_forged_token_opens_anything_and_all_are_refused_alike() {
    let (node, api) = node().await;
    let held = api.sign_up(&somebody()).await;
    let payload = URL_SAFE_NO_PAD.decode(held.access.split('.').nth(1).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&payload).unwrap();
    let forged = forged_access_tokens(SECRET.as_bytes(), "coinlink-api", "coinlink-app", &claims);
    assert!(forged.len() > 200);
    let (mut bearers, mut refreshes, mut at_the_parser) = (Refusals::default(), Refusals::default(), 0);
    for (name, token) in &forged {
        // Blanks before a token belong to the header's grammar, not to the token.
        let in_a_header = token.trim_start_matches(' ') == token;
        for path in [VERIFY, PRICE] {
            match HeaderValue::from_bytes(format!("Bearer {token}").as_bytes()) {
                Ok(value) if in_a_header && token.len() < FITS_A_HEADER => {
                    let answer = api.send(api.request(Method::GET, path).header(AUTHORIZATION, value)).await;
                    assert_eq!(answer.status, 401, "{name} at {path}: {}", answer.text);
                    assert_eq!(answer.header("www-authenticate"), "Bearer error=\"invalid_token\"", "{name}");
                    bearers.add(&answer, name);
                }
                _ if in_a_header => {
                    let status = raw(node.address, path, token).await;
                    assert!(matches!(status, 0 | 400..=499), "{name} at {path}: {status}");
                    at_the_parser += 1;
                }
                _ => {}
            }
        }
        let answer = api.refresh(token).await;
        let too_long = json!({"refresh_token": token}).to_string().len() > 256 * 1024;
        assert_eq!(answer.status, if too_long { 413 } else { 401 }, "{name} as a refresh token: {}", answer.text);
        refreshes.add(&answer, name);
    }
    for (from, until, code) in [(-20, -5, "token_expired"), (5, 20, "token_not_yet_valid")] {
        for path in [VERIFY, PRICE] {
            let answer = api.get_as(&minted(&claims, from, until), path).await.expect(401);
            assert_eq!(answer.code(), code, "{path}");
            bearers.add(&answer, code);
        }
    }
    let _ = api.get_as(&minted(&claims, -1, 14), VERIFY).await.expect(200);
    assert_eq!(bearers.codes(), ["invalid_token", "token_expired", "token_not_yet_valid"]);
    assert_eq!(refreshes.codes(), ["invalid_token", "payload_too_large"]);
    assert!((2..=12).contains(&at_the_parser), "{at_the_parser} did not get past the parser");
    let shapes: Vec<_> = bearers.0.values().chain(refreshes.0.values()).map(|(.., shape)| shape).collect();
    let with_details = shapes.iter().filter(|shape| shape.len() != shapes[0].len()).count();
    assert!(with_details <= 1, "only a body that is too long has details: {shapes:?}");

    let _ = api.get_as(&held.access, VERIFY).await.expect(200);
    let _ = api.refresh(&held.refresh).await.expect(200);
    let log = node.process.log();
    assert!(!log.contains("panicked"), "{log}");
    let failures: Vec<_> = log.lines().filter(|line| line.contains("ERROR") && !line.contains("request parse error")).collect();
    assert!(failures.is_empty(), "{failures:#?}");
}

#[tokio::test]
async fn a_token_of_one_kind_is_nothing_in_the_place_of_another() {
    let (node, api) = node().await;
    let email = somebody();
    let held = api.sign_up(&email).await;
    let Held { user, access, refresh, device } = &held;
    let mut seen = Refusals::default();
    for (name, token) in [("refresh", refresh), ("device", device), ("the account's id", user)] {
        for path in [VERIFY, PRICE, "/api/v2/user/sessions"] {
            let answer = api.get_as(token, path).await.expect(401);
            assert_eq!(answer.code(), "invalid_token", "{name} as an access token at {path}");
            seen.add(&answer, name);
        }
    }
    for (name, token) in [("access", access), ("device", device), ("the account's id", user)] {
        let answer = api.refresh(token).await.expect(401);
        assert_eq!(answer.code(), "invalid_token", "{name} as a refresh token");
        seen.add(&answer, name);
        let answer = api.post(LOGOUT, &json!({"refresh_token": token})).await.expect(400);
        assert_eq!(answer.code(), "invalid_refresh_token", "{name} at sign-out");
    }
    for token in [access, refresh, user] {
        // As what a device keeps it is as good as none, and no reason to refuse a right password.
        let body = |password| json!({"email": email, "password": password, "device_token": token});
        let _ = api.post("/api/v2/auth/login", &body("Wrong-horse-9-battery")).await.expect(401);
        let _ = api.post("/api/v2/auth/login", &body(PASSWORD)).await.expect(200);
    }
    for path in ["/api/v2/auth/refresh", REFRESH] {
        for body in [json!({"refresh_token": [refresh]}), json!({"refresh_token": 7})] {
            assert_eq!(api.post(path, &body).await.expect(400).code(), "invalid_json", "{body}");
        }
        // Neither there nor in a cookie.
        for body in [json!({"refresh_token": null}), json!({})] {
            assert_eq!(api.post(path, &body).await.expect(401).code(), "authentication_required", "{body}");
        }
    }
    assert_eq!(seen.codes(), ["invalid_token"]);
    let _ = api.get_as(access, VERIFY).await.expect(200);
    let _ = api.refresh(refresh).await.expect(200);
    assert!(!node.process.log().contains("panicked"));
}
