//! What the routes of accounts and sessions take and answer.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use crate::http_support::{
    Server,
    gated::{Setup, all},
    header,
};
use coinlink_domain::shared::rate_limit::RateLimits;
use reqwest::Method;
use serde_json::{Value, json};
use time::Duration;

const GOOD: &str = "Correct-horse-9-battery";

struct Answer {
    status: u16,
    cookie: Option<String>,
    cache: Option<String>,
    retry_after: Option<String>,
    body: Value,
}

impl Answer {
    fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }

    fn detail(&self, field: &str) -> &str {
        self.body["error"]["details"][field].as_str().unwrap_or_default()
    }
}

async fn ask(server: &Server, method: Method, path: &str, token: Option<&str>, body: Option<Value>) -> Answer {
    ask_with(server, method, path, token, body, &[]).await
}

async fn ask_with(
    server: &Server,
    method: Method,
    path: &str,
    token: Option<&str>,
    body: Option<Value>,
    headers: &[(&str, &str)],
) -> Answer {
    let mut request = server.request(method, &format!("/api/v2{path}"));
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    if let Some(body) = body {
        request = request.header("content-type", "application/json").body(body.to_string());
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.send().await.unwrap();
    let kept = |name: &str| header(&response, name).map(str::to_owned);
    let (status, cookie, cache) = (response.status().as_u16(), kept("set-cookie"), kept("cache-control"));
    let retry_after = kept("retry-after");
    let body = serde_json::from_str(&response.text().await.unwrap()).unwrap_or(Value::Null);
    Answer { status, cookie, cache, retry_after, body }
}

async fn post(server: &Server, path: &str, body: Value) -> Answer {
    ask(server, Method::POST, path, None, Some(body)).await
}

async fn sign_up(server: &Server) -> Answer {
    let answer = post(server, "/auth/signup", json!({"email": "Ada@Example.org", "password": GOOD})).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

#[actix_web::test]
async fn signing_up_answers_all_that_any_front_end_reads() {
    let server = Server::start();
    let Answer { body, cookie, cache, .. } = sign_up(&server).await;
    assert_eq!((&body["user"]["email"], &body["user"]["is_verified"]), (&json!("ada@example.org"), &json!(false)));
    assert_eq!((&body["tokens"]["token_type"], &body["tokens"]["expires_in"]), (&json!("bearer"), &json!(900)));
    assert!(body["tokens"]["server_time"].as_str().unwrap().ends_with('Z') && body["message"].is_string());
    let data = &body["data"];
    assert_eq!((&data["success"], &data["token"]), (&json!(true), &body["tokens"]["access_token"]));
    assert_eq!((&data["user"]["id"], &data["user"]["email"]), (&body["user"]["id"], &body["user"]["email"]));
    let cookie = cookie.unwrap();
    assert!(cookie.starts_with(&format!("__Host-coinlink-device={}; ", text(&body["device_token"]))), "{cookie}");
    for attribute in ["HttpOnly", "Secure", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert!(!cookie.contains("Domain"), "{cookie}");
    assert_eq!(cache.as_deref(), Some("no-store"));
    server.stop().await;
}

#[actix_web::test]
async fn what_is_wrong_with_a_sign_up_is_said_by_field_and_repeats_no_password() {
    let server = Server::start();
    let with = |field: &str, value: Value| {
        let mut body = json!({"email": "ada@example.org", "password": GOOD});
        body[field] = value;
        body
    };
    for (body, code, field, why) in [
        (with("email", json!("ada")), "invalid_input", "email", "name@example.com"),
        (with("password", json!("hunter2")), "weak_password", "password", "has fewer than 12 characters"),
        (with("password", json!("Password2024!")), "weak_password", "password", "is a common password"),
        (with("password", json!("My-C0inlink-login-9")), "weak_password", "password", "holds the name of this service"),
        (with("confirm_password", json!("hunter2")), "invalid_input", "confirm_password", "is not the password"),
        (with("first_name", json!("a\u{1}b")), "invalid_input", "first_name", "1 to 100 characters"),
        (with("last_name", json!("x".repeat(101))), "invalid_input", "last_name", "1 to 100 characters"),
        (with("is_verified", json!(true)), "invalid_json", "is_verified", "is not known here"),
        (with("role", json!("admin")), "invalid_json", "role", "is not known here"),
        (with("password", json!(4711)), "invalid_json", "password", "must be a string"),
        (json!({"email": "ada@example.org"}), "invalid_json", "password", "is missing"),
    ] {
        let answer = post(&server, "/auth/signup", body.clone()).await;
        assert_eq!((answer.status, answer.code()), (400, code), "{body} {}", answer.body);
        assert!(answer.detail(field).contains(why), "{body} {}", answer.body);
        assert!(answer.body["detail"].as_str().unwrap().contains(why), "who reads `detail` alone knows it: {}", answer.body);
        let said = answer.body.to_string();
        assert!(["hunter2", GOOD, "4711"].iter().all(|secret| !said.contains(secret)), "{said}");
    }
    assert!(server.behind.store.users().is_empty());
    sign_up(&server).await;
    let taken = post(&server, "/auth/signup", json!({"email": "ADA@example.org", "password": GOOD})).await;
    assert_eq!((taken.status, taken.code()), (400, "email_taken"));
    server.stop().await;
}

#[actix_web::test]
async fn whatever_is_wrong_with_a_sign_in_looks_the_same() {
    let server = Server::start();
    sign_up(&server).await;
    let mut said = Vec::new();
    for (email, password) in [("ada@example.org", "wrong"), ("nobody@example.org", GOOD)] {
        let mut answer = post(&server, "/auth/login", json!({"email": email, "password": password})).await;
        assert_eq!((answer.status, answer.code()), (401, "invalid_credentials"));
        assert_eq!(answer.cookie, None);
        answer.body["error"]["trace_id"] = Value::Null;
        said.push(answer.body.to_string());
    }
    assert_eq!(said[0], said[1]);
    let long = post(&server, "/auth/login", json!({"email": "ada@example.org", "password": "é".repeat(513)})).await;
    assert_eq!((long.status, long.code()), (413, "payload_too_large"), "of this server's 1024 bytes");
    assert_eq!(long.body["detail"], "The body is larger than this route takes: at most 1024 bytes may be sent.");
    let empty = post(&server, "/auth/login", json!({"email": "ada@example.org", "password": ""})).await;
    assert_eq!((empty.status, empty.detail("password")), (400, "1 to 512 characters"));
    server.stop().await;
}

#[actix_web::test]
async fn a_busy_hasher_is_503_with_a_time_to_come_back() {
    let server = Server::start();
    server.behind.hasher.be_busy(Duration::milliseconds(2_100));
    let answer = post(&server, "/auth/login", json!({"email": "ada@example.org", "password": GOOD})).await;
    assert_eq!((answer.status, answer.code(), answer.retry_after.as_deref()), (503, "hashing_busy", Some("3")));
    server.stop().await;
}

#[actix_web::test]
async fn a_store_that_is_down_is_503_everywhere_and_never_401() {
    let server = Server::start();
    let signed_in = sign_up(&server).await.body;
    let (access, refresh) = (text(&signed_in["tokens"]["access_token"]), text(&signed_in["tokens"]["refresh_token"]));
    server.behind.store.fail_after(0);
    let body = json!({"email": "ada@example.org", "password": GOOD});
    let change = json!({"current_password": GOOD, "new_password": "Another-horse-8-stable"});
    for (method, path, token, body) in [
        (Method::POST, "/auth/signup", None, Some(body.clone())),
        (Method::POST, "/auth/login", None, Some(body)),
        (Method::POST, "/auth/token/refresh", None, Some(json!({"refresh_token": refresh}))),
        (Method::POST, "/auth/logout", None, Some(json!({"refresh_token": refresh}))),
        (Method::POST, "/auth/logout-all", Some(&access), None),
        (Method::POST, "/auth/password/change", Some(&access), Some(change)),
        (Method::GET, "/auth/verify", Some(&access), None),
        (Method::GET, "/user/profile", Some(&access), None),
        (Method::PUT, "/user/profile", Some(&access), Some(json!({}))),
        (Method::GET, "/user/preferences", Some(&access), None),
        (Method::PUT, "/user/preferences", Some(&access), Some(json!({}))),
        (Method::GET, "/user/stats", Some(&access), None),
        (Method::GET, "/user/sessions", Some(&access), None),
        (Method::DELETE, "/user/sessions/00000000-0000-0000-0000-000000000000", Some(&access), None),
    ] {
        let answer = ask(&server, method, path, token.map(String::as_str), body).await;
        assert_eq!((answer.status, answer.code()), (503, "dependency_unavailable"), "{path}");
        assert!(answer.retry_after.is_some(), "{path}");
    }
    server.behind.store.recover();
    assert_eq!(post(&server, "/auth/token/refresh", json!({"refresh_token": refresh})).await.status, 200, "it was not spent");
    server.stop().await;
}

#[actix_web::test]
async fn both_paths_refresh_and_a_request_may_be_named() {
    let server = Server::start();
    let first = text(&sign_up(&server).await.body["tokens"]["refresh_token"]);
    let refresh = async |path, token: &str, name: &str| {
        let body = Some(json!({"refresh_token": token}));
        ask_with(&server, Method::POST, path, None, body, &[("idempotency-key", name)]).await
    };
    let next = refresh("/auth/token/refresh", &first, "one").await;
    assert_eq!((next.status, next.cache.as_deref()), (200, Some("no-store")));
    let fields: Vec<_> = next.body.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(fields, ["access_token", "expires_in", "refresh_token", "server_time", "token_type"], "flat");
    server.behind.clock.advance(Duration::minutes(1));
    let again = refresh("/auth/refresh", &first, "one").await;
    assert_eq!(again.body["refresh_token"], next.body["refresh_token"]);
    let unnamed = refresh("/auth/refresh", &first, "two words").await;
    assert_eq!((unnamed.status, unnamed.detail("Idempotency-Key")), (400, "1 to 255 visible ASCII characters"));
    let reused = refresh("/auth/refresh", &first, "two").await;
    assert_eq!((reused.status, reused.code()), (401, "token_reused"));
    let nonsense = refresh("/auth/refresh", "nonsense", "three").await;
    assert_eq!((nonsense.status, nonsense.code()), (401, "invalid_token"));
    server.stop().await;
}

#[actix_web::test]
async fn signing_out_takes_a_refresh_token_or_the_access_token_or_neither() {
    let server = Server::start();
    let signed_in = sign_up(&server).await.body;
    let refresh = json!({"refresh_token": signed_in["tokens"]["refresh_token"]});
    for _ in 0..2 {
        assert_eq!(post(&server, "/auth/logout", refresh.clone()).await.status, 200, "over stays over");
    }
    let refused = post(&server, "/auth/logout", json!({"refresh_token": "nonsense"})).await;
    assert_eq!((refused.status, refused.code()), (400, "invalid_refresh_token"));
    for body in [None, Some(json!({}))] {
        let nobody = ask(&server, Method::POST, "/auth/logout", None, body.clone()).await;
        assert_eq!((nobody.status, nobody.code()), (401, "authentication_required"));
        let again = post(&server, "/auth/login", json!({"email": "ada@example.org", "password": GOOD})).await.body;
        let access = text(&again["tokens"]["access_token"]);
        assert_eq!(ask(&server, Method::POST, "/auth/logout", Some(&access), body).await.status, 200);
        assert_eq!(ask(&server, Method::GET, "/auth/verify", Some(&access), None).await.code(), "session_revoked");
    }
    server.stop().await;
}

#[actix_web::test]
async fn names_and_preferences_are_kept_and_what_is_no_such_thing_is_refused() {
    let server = Server::start();
    let access = text(&sign_up(&server).await.body["tokens"]["access_token"]);
    let put = async |path, body| ask(&server, Method::PUT, path, Some(&access), Some(body)).await;
    assert_eq!(put("/user/profile", json!({"first_name": "Ada", "last_name": "L"})).await.body["first_name"], "Ada");
    let cleared = put("/user/profile", json!({"last_name": null})).await.body;
    assert_eq!((&cleared["first_name"], &cleared["last_name"]), (&json!("Ada"), &Value::Null));
    for field in ["is_active", "is_verified", "role", "email", "id"] {
        assert_eq!(put("/user/profile", json!({field: true})).await.code(), "invalid_json", "{field}");
    }
    let set = put("/user/preferences", json!({"theme": "light"})).await.body;
    assert_eq!((&set["theme"], &set["language"], &set["sound_enabled"]), (&json!("light"), &json!("en"), &json!(true)));
    assert_eq!(ask(&server, Method::GET, "/user/preferences", Some(&access), None).await.body, set);
    let wrong = put("/user/preferences", json!({"language": "<b>", "currency": "dollars"})).await;
    assert!(wrong.detail("language").contains("pt-BR") && wrong.detail("currency").contains("USD"), "{}", wrong.body);
    assert!(put("/user/preferences", json!({"theme": "pink"})).await.detail("theme").contains("dark"));
    server.stop().await;
}

#[actix_web::test]
async fn ones_sessions_are_listed_and_ended_and_nobody_elses() {
    let server = Server::start();
    let access = text(&sign_up(&server).await.body["tokens"]["access_token"]);
    let other = post(&server, "/auth/login", json!({"email": "ada@example.org", "password": GOOD})).await.body;
    let eve = post(&server, "/auth/signup", json!({"email": "eve@example.org", "password": GOOD})).await.body;
    let eve = text(&eve["tokens"]["access_token"]);
    let list = async |token: &str| ask(&server, Method::GET, "/user/sessions", Some(token), None).await.body;
    let sessions = list(&access).await;
    let current: Vec<_> = sessions.as_array().unwrap().iter().map(|session| session["is_current"].as_bool().unwrap()).collect();
    assert_eq!(current.iter().filter(|is_current| **is_current).count(), 1);
    assert_eq!((current.len(), &sessions[0]["ip_address"]), (2, &json!("127.0.0.1")));
    let there = sessions.as_array().unwrap().iter().find(|session| session["is_current"] == false).unwrap();
    let path = format!("/user/sessions/{}", there["id"].as_str().unwrap());
    assert_eq!(ask(&server, Method::DELETE, &path, Some(&eve), None).await.code(), "session_not_found");
    assert_eq!(ask(&server, Method::DELETE, &path, Some(&access), None).await.status, 200);
    assert_eq!(ask(&server, Method::DELETE, &path, Some(&access), None).await.code(), "session_not_found");
    let ended = text(&other["tokens"]["access_token"]);
    assert_eq!(ask(&server, Method::GET, "/auth/verify", Some(&ended), None).await.code(), "session_revoked");
    assert_eq!(ask(&server, Method::DELETE, "/user/sessions/1", Some(&access), None).await.code(), "invalid_path");
    assert_eq!(
        ask(&server, Method::POST, "/auth/logout-all", Some(&access), None).await.body["message"],
        "You are signed out of 1 session."
    );
    assert_eq!(list(&eve).await.as_array().unwrap().len(), 1);
    server.stop().await;
}

#[actix_web::test]
async fn a_new_password_needs_the_present_one() {
    let server = Server::start();
    let access = text(&sign_up(&server).await.body["tokens"]["access_token"]);
    let change = async |present: &str, new: &str| {
        let body = json!({"current_password": present, "new_password": new});
        ask(&server, Method::POST, "/auth/password/change", Some(&access), Some(body)).await
    };
    assert_eq!(change("wrong", "Another-horse-8-stable").await.detail("current_password"), "is not your present password");
    assert_eq!(change(GOOD, "short").await.code(), "weak_password");
    assert_eq!(change(GOOD, GOOD).await.detail("new_password"), "is your present password");
    assert_eq!(change(GOOD, "Another-horse-8-stable").await.status, 200);
    assert_eq!(post(&server, "/auth/login", json!({"email": "ada@example.org", "password": GOOD})).await.status, 401);
    server.stop().await;
}

#[actix_web::test]
async fn strangers_who_use_an_account_up_keep_nobody_out_who_was_there_before() {
    let server = Server::start_with(Setup::limited(RateLimits { credentials: 3, ..all(1_000) }).behind_a_proxy());
    let from = async |ip: &str, path: &str, body: Value| {
        ask_with(&server, Method::POST, path, None, Some(body), &[("x-forwarded-for", ip)]).await
    };
    let ada = |password: &str| json!({"email": "ada@example.org", "password": password});
    let device = from("198.51.100.1", "/auth/signup", ada(GOOD)).await.body["device_token"].clone();
    for stranger in 1..=6 {
        let ip = format!("203.0.113.{stranger}");
        from(&ip, "/auth/signup", ada(GOOD)).await;
        from(&ip, "/auth/login", ada("guess")).await;
    }
    assert_eq!(from("203.0.113.99", "/auth/login", ada(GOOD)).await.code(), "rate_limited", "the account is used up");
    let known = json!({"email": "ada@example.org", "password": GOOD, "device_token": device});
    for _ in 0..2 {
        assert_eq!(from("198.51.100.1", "/auth/login", known.clone()).await.status, 200);
    }
    server.stop().await;
}

#[actix_web::test]
async fn nobody_is_told_how_often_others_tried_an_account() {
    let server = Server::start_with(Setup::limited(RateLimits { credentials: 5, ..all(1_000) }).behind_a_proxy());
    let mut told = Vec::new();
    for (stranger, email) in [(1, "ada@example.org"), (2, "ada@example.org"), (3, "bob@example.org")] {
        let body = json!({"email": email, "password": "guess"}).to_string();
        let request = server.request(Method::POST, "/api/v2/auth/login").header("content-type", "application/json");
        let response = request.header("x-forwarded-for", format!("203.0.113.{stranger}")).body(body).send().await.unwrap();
        told.push(
            ["ratelimit", "ratelimit-policy", "x-ratelimit-remaining"].map(|name| header(&response, name).unwrap().to_owned()),
        );
    }
    assert!(told.iter().all(|headers| *headers == told[0]), "{told:?}");
    server.stop().await;
}
