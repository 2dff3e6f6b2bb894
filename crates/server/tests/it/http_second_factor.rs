//! What the routes of second factors take and answer.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use crate::http_support::{
    Server,
    answers::{self, Answer},
};
use coinlink::http::{ENDPOINTS, Gated};
use coinlink_ports::shared::Clock as _;
use coinlink_testkit::identity::PlainAuthenticators;
use reqwest::Method;
use serde_json::{Value, json};
use time::Duration;

const GOOD: &str = "Correct-horse-9-battery";
const ADA: &str = "ada@example.org";
const STEP: Duration = Duration::seconds(30);

/// A signed-in user of a server.
struct Ada {
    server: Server,
    token: String,
}

impl Ada {
    async fn new() -> Self {
        let server = Server::start();
        let signed_up = ask(&server, Method::POST, "/signup", None, Some(json!({"email": ADA, "password": GOOD}))).await;
        assert_eq!(signed_up.status, 201, "{}", signed_up.body);
        let token = text(&signed_up.body["tokens"]["access_token"]);
        Self { server, token }
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        ask(&self.server, Method::POST, path, Some(&self.token), Some(body)).await
    }

    async fn anonymous(&self, path: &str, body: Value) -> Answer {
        ask(&self.server, Method::POST, path, None, Some(body)).await
    }

    async fn status(&self) -> Value {
        let answer = ask(&self.server, Method::GET, "/2fa", Some(&self.token), None).await;
        assert_eq!((answer.status, answer.cache.as_deref()), (200, Some("no-store")));
        answer.body
    }

    fn code(&self, secret: &str) -> String {
        PlainAuthenticators::shown(secret, self.server.behind.clock.now())
    }

    /// Turned on; the secret and the recovery codes.
    async fn protected(&self) -> (String, Vec<String>) {
        let set_up = self.post("/2fa/setup", json!({"password": GOOD})).await;
        assert_eq!((set_up.status, set_up.cache.as_deref()), (200, Some("no-store")), "{}", set_up.body);
        let secret = text(&set_up.body["secret"]);
        assert!(text(&set_up.body["otpauth_uri"]).starts_with("otpauth://totp/"));
        assert!(text(&set_up.body["qr_png"]).starts_with("data:image/png;base64,iVBO"));
        let confirmed = self.post("/2fa/confirm", json!({"code": self.code(&secret)})).await;
        assert_eq!((confirmed.status, confirmed.cache.as_deref()), (200, Some("no-store")), "{}", confirmed.body);
        let codes = confirmed.body["recovery_codes"].as_array().unwrap().iter().map(text).collect();
        self.server.behind.clock.advance(STEP);
        (secret, codes)
    }

    async fn ticket(&self) -> String {
        let asked = self.anonymous("/login", json!({"email": ADA, "password": GOOD})).await;
        assert_eq!((asked.status, asked.cookie.as_deref(), asked.cache.as_deref()), (200, None, Some("no-store")));
        assert_eq!(asked.body["mfa_required"], json!(true), "{}", asked.body);
        assert_eq!(asked.body["expires_in"], json!(300));
        let fields: Vec<_> = asked.body.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(fields, ["expires_in", "message", "mfa_required", "mfa_ticket"], "no token of any kind");
        text(&asked.body["mfa_ticket"])
    }
}

async fn ask(server: &Server, method: Method, path: &str, token: Option<&str>, body: Option<Value>) -> Answer {
    answers::ask(server, method, &format!("/auth{path}"), token, body).await
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

#[actix_web::test]
async fn a_second_factor_is_set_up_confirmed_and_asked_for() {
    let ada = Ada::new().await;
    assert_eq!(ada.status().await, json!({"enabled": false, "enabled_at": null, "recovery_codes_left": 0}));
    let (secret, codes) = ada.protected().await;
    assert!(codes.len() == 10 && codes.iter().all(|code| code.len() == 30), "{codes:?}");
    let status = ada.status().await;
    assert_eq!((&status["enabled"], &status["recovery_codes_left"]), (&json!(true), &json!(10)));
    assert!(text(&status["enabled_at"]).ends_with('Z'));

    let ticket = ada.ticket().await;
    let signed_in = ada.anonymous("/2fa/verify", json!({"mfa_ticket": ticket, "code": ada.code(&secret)})).await;
    assert_eq!(signed_in.status, 200, "{}", signed_in.body);
    assert_eq!(signed_in.body["user"]["email"], json!(ADA));
    assert!(signed_in.body["tokens"]["refresh_token"].is_string() && signed_in.body["device_token"].is_string());
    assert!(signed_in.cookie.unwrap().starts_with("__Host-coinlink-device="));
    let again = ada.anonymous("/2fa/verify", json!({"mfa_ticket": ticket, "code": ada.code(&secret)})).await;
    assert_eq!(again.refusal(), (401, "invalid_mfa_ticket"));
    ada.server.stop().await;
}

#[actix_web::test]
async fn a_recovery_code_is_taken_in_any_shape_and_once() {
    let ada = Ada::new().await;
    let (_, codes) = ada.protected().await;
    let copied = codes[0].to_lowercase().replace('-', " ").replace('0', "o");
    for (copied, expected) in [(copied.clone(), (200, "")), (copied, (401, "invalid_code"))] {
        let ticket = ada.ticket().await;
        let answer = ada.anonymous("/2fa/verify", json!({"mfa_ticket": ticket, "recovery_code": copied})).await;
        assert_eq!(answer.refusal(), expected, "{}", answer.body);
    }
    assert_eq!(ada.status().await["recovery_codes_left"], json!(9));
    ada.server.stop().await;
}

#[actix_web::test]
async fn what_is_no_ticket_and_what_is_no_code_are_told_apart_and_nothing_else_is() {
    let ada = Ada::new().await;
    let (secret, _) = ada.protected().await;
    let verify = async |ticket: &str, code: &str| {
        let answer = ada.anonymous("/2fa/verify", json!({"mfa_ticket": ticket, "code": code})).await;
        (answer.status, text(&answer.body["error"]["code"]), answer.body["error"]["message"].clone())
    };
    let expired = ada.ticket().await;
    ada.server.behind.clock.advance(Duration::minutes(5));
    let refused = verify(&expired, &ada.code(&secret)).await;
    assert_eq!((refused.0, refused.1.as_str()), (401, "invalid_mfa_ticket"));
    for other in ["0".repeat(96), "made up".to_owned(), String::new(), "\u{0}".to_owned(), "f".repeat(97)] {
        assert_eq!(verify(&other, &ada.code(&secret)).await, refused, "{other:?}");
    }
    let ticket = ada.ticket().await;
    let good = ada.code(&secret);
    let bad = format!("{:06}", (good.parse::<u32>().unwrap() + 1) % 1_000_000);
    let refused = verify(&ticket, &bad).await;
    assert_eq!((refused.0, refused.1.as_str()), (401, "invalid_code"));
    ada.server.stop().await;
}

#[actix_web::test]
async fn a_session_is_made_fresh_by_the_same_route_and_sensitive_acts_ask_for_it() {
    let ada = Ada::new().await;
    let (secret, codes) = ada.protected().await;
    ada.server.behind.clock.advance(Duration::minutes(5));
    let change = json!({"current_password": GOOD, "new_password": "Another-horse-9-battery"});
    assert_eq!(ada.post("/password/change", change.clone()).await.refusal(), (403, "second_factor_required"));
    assert_eq!(ada.post("/2fa/recovery-codes", json!({"password": GOOD})).await.refusal(), (403, "second_factor_required"));
    let anonymous = ada.anonymous("/2fa/verify", json!({"code": ada.code(&secret)})).await;
    assert_eq!(anonymous.refusal(), (401, "authentication_required"));

    let fresh = ada.post("/2fa/verify", json!({"code": ada.code(&secret)})).await;
    assert_eq!(fresh.status, 200, "{}", fresh.body);
    assert!(text(&fresh.body["fresh_until"]).ends_with('Z') && fresh.body["message"].is_string());
    let renewed = ada.post("/2fa/recovery-codes", json!({"password": GOOD})).await;
    let new: Vec<String> = renewed.body["recovery_codes"].as_array().unwrap().iter().map(text).collect();
    assert!(new.len() == 10 && new.iter().all(|code| !codes.contains(code)));
    let wrong = ada.post("/2fa/recovery-codes", json!({"password": "wrong"})).await;
    assert_eq!((wrong.refusal(), wrong.body["error"]["details"]["password"].is_string()), ((400, "invalid_input"), true));
    assert_eq!(ada.post("/password/change", change).await.status, 200);
    ada.server.stop().await;
}

#[actix_web::test]
async fn it_is_turned_off_with_both_factors_and_set_up_again() {
    let ada = Ada::new().await;
    assert_eq!(
        ada.post("/2fa/disable", json!({"password": GOOD, "code": "123456"})).await.refusal(),
        (409, "second_factor_not_set_up")
    );
    assert_eq!(ada.post("/2fa/confirm", json!({"code": "123456"})).await.refusal(), (409, "second_factor_not_set_up"));
    assert_eq!(ada.post("/2fa/verify", json!({"code": "123456"})).await.refusal(), (409, "second_factor_not_set_up"));
    let (secret, codes) = ada.protected().await;
    assert_eq!(ada.post("/2fa/setup", json!({"password": GOOD})).await.refusal(), (409, "second_factor_enabled"));
    assert_eq!(ada.post("/2fa/confirm", json!({"code": ada.code(&secret)})).await.refusal(), (409, "second_factor_enabled"));
    let body = json!({"password": "wrong", "recovery_code": codes[0]});
    assert_eq!(ada.post("/2fa/disable", body).await.refusal(), (400, "invalid_input"));
    assert_eq!(ada.post("/2fa/disable", json!({"password": GOOD, "recovery_code": codes[0]})).await.status, 200);
    assert_eq!(ada.status().await["enabled"], json!(false));
    let signed_in = ada.anonymous("/login", json!({"email": ADA, "password": GOOD})).await;
    assert!(signed_in.body["tokens"]["access_token"].is_string());
    ada.protected().await;
    ada.server.stop().await;
}

#[actix_web::test]
async fn bodies_are_what_they_must_be() {
    let ada = Ada::new().await;
    let (secret, codes) = ada.protected().await;
    let (ticket, code) = (ada.ticket().await, ada.code(&secret));
    for (path, body, expected, field) in [
        ("/2fa/verify", json!({"mfa_ticket": ticket}), "invalid_input", "code"),
        ("/2fa/verify", json!({"mfa_ticket": ticket, "code": code, "recovery_code": codes[0]}), "invalid_input", "code"),
        ("/2fa/verify", json!({"mfa_ticket": ticket, "code": "12345"}), "invalid_input", "code"),
        ("/2fa/verify", json!({"mfa_ticket": ticket, "recovery_code": "U0000"}), "invalid_input", "recovery_code"),
        ("/2fa/verify", json!({"mfa_ticket": ticket, "code": code, "more": 1}), "invalid_json", ""),
        ("/2fa/disable", json!({"password": "", "code": code}), "invalid_input", "password"),
        ("/2fa/setup", json!({"password": "x".repeat(513)}), "invalid_input", "password"),
        ("/2fa/setup", json!({}), "invalid_json", ""),
        ("/2fa/confirm", json!({"code": "abcdef"}), "invalid_input", "code"),
        ("/2fa/recovery-codes", json!({"password": GOOD, "code": code}), "invalid_json", ""),
    ] {
        let answer = ada.post(path, body.clone()).await;
        assert_eq!(answer.refusal(), (400, expected), "{path} {body}");
        assert!(field.is_empty() || answer.body["error"]["details"][field].is_string(), "{}", answer.body);
    }
    // None of it was a try.
    assert_eq!(ada.anonymous("/2fa/verify", json!({"mfa_ticket": ticket, "code": code})).await.status, 200);
    ada.server.stop().await;
}

/// An account with a second factor gets tokens from no route that takes a first one.
#[actix_web::test]
async fn no_way_of_signing_in_leads_past_the_second_factor() {
    let ada = Ada::new().await;
    ada.protected().await;
    let device =
        ask(&ada.server, Method::POST, "/login", None, Some(json!({"email": ADA, "password": GOOD, "cookies": false}))).await;
    assert!(device.body["mfa_ticket"].is_string() && device.body["tokens"].is_null());
    for endpoint in ENDPOINTS.iter().filter(|endpoint| endpoint.gated == Gated::Credentials && endpoint.methods == "POST") {
        let path = endpoint.path.strip_prefix("/api/v2/auth").unwrap_or("/login");
        let body = json!({"email": ADA, "password": GOOD});
        let answer = ask(&ada.server, Method::POST, path, None, Some(body)).await;
        assert!(answer.body["tokens"].is_null() && answer.body["access_token"].is_null(), "{path}: {}", answer.body);
    }
    ada.server.stop().await;
}

#[actix_web::test]
async fn every_route_but_verify_is_for_the_signed_in() {
    let ada = Ada::new().await;
    for (path, body) in [
        ("/2fa/setup", json!({"password": GOOD})),
        ("/2fa/confirm", json!({"code": "123456"})),
        ("/2fa/disable", json!({"password": GOOD, "code": "123456"})),
        ("/2fa/recovery-codes", json!({"password": GOOD})),
    ] {
        assert_eq!(ada.anonymous(path, body).await.refusal(), (401, "authentication_required"), "{path}");
    }
    assert_eq!(ask(&ada.server, Method::GET, "/2fa", None, None).await.refusal(), (401, "authentication_required"));
    ada.server.stop().await;
}
