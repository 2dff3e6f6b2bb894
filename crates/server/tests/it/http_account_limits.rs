//! What is tried with an account is counted by the account too, whatever addresses it comes from.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use crate::http_support::{
    Server,
    gated::{Setup, all},
    limits::counted,
};
use coinlink_domain::{
    identity::{AddressKind, Network},
    shared::rate_limit::RateLimits,
};
use coinlink_testkit::identity::BitcoinWallet;
use reqwest::{Method, Response};
use serde_json::{Value, json};

const GOOD: &str = "Correct-horse-9-battery";

/// A server that takes three of a kind, and a client that comes from another address each time.
struct Roaming {
    server: Server,
    from: std::cell::Cell<u8>,
}

impl Roaming {
    fn new() -> Self {
        let limits = RateLimits { credentials: 3, ..all(1_000) };
        Self { server: Server::start_with(Setup::limited(limits).behind_a_proxy()), from: std::cell::Cell::new(0) }
    }

    async fn post(&self, path: &str, token: Option<&str>, body: &Value) -> Response {
        self.from.set(self.from.get() + 1);
        let request = self.server.request(Method::POST, &format!("/api/v2/auth{path}"));
        let request = request.header("x-forwarded-for", format!("203.0.113.{}", self.from.get()));
        let request = request.header("content-type", "application/json").body(body.to_string());
        let request = match token {
            Some(token) => request.header("authorization", format!("Bearer {token}")),
            None => request,
        };
        request.send().await.unwrap()
    }

    async fn signs_up(&self, email: &str) -> String {
        let signed_up = self.post("/signup", None, &json!({"email": email, "password": GOOD})).await;
        let body: Value = serde_json::from_str(&signed_up.text().await.unwrap()).unwrap();
        body["tokens"]["access_token"].as_str().unwrap().to_owned()
    }

    /// Three are let in, each from an address of its own; the fourth is not.
    async fn takes_three(&self, path: &str, token: Option<&str>, body: &Value) {
        for n in 0..4 {
            let answer = self.post(path, token, body).await;
            assert_eq!(answer.status().as_u16() == 429, n == 3, "{path} {n}: {}", answer.status());
            // How often others tried is told of only once it is full.
            let told = if n == 3 { &["credentials", "credentials_account"][..] } else { &["credentials"] };
            assert_eq!(counted(&answer), told, "{path} {n}");
        }
    }
}

fn hex(digit: &str) -> String {
    digit.repeat(96)
}

#[actix_web::test]
async fn what_takes_the_own_password_or_second_factor_is_counted_by_account() {
    let password = json!({"password": "wrong"});
    let change = json!({"current_password": "wrong", "new_password": "Another-horse-8-stable"});
    let email = json!({"email": "new@example.org", "password": "wrong"});
    let link = json!({"challenge": hex("0"), "signature": "", "password": "wrong"});
    for (path, body) in [
        ("/2fa/setup", &password),
        ("/2fa/confirm", &json!({"code": "123456"})),
        ("/2fa/verify", &json!({"code": "123456"})),
        ("/2fa/disable", &json!({"password": "wrong", "code": "123456"})),
        ("/2fa/recovery-codes", &password),
        ("/password/change", &change),
        ("/email/change", &email),
        ("/wallet/link", &link),
    ] {
        let it = Roaming::new();
        let ada = it.signs_up("ada@example.org").await;
        for n in 0..4 {
            let answer = it.post(path, Some(&ada), body).await;
            assert_eq!(answer.status().as_u16() == 429, n == 3, "{path} {n}: {}", answer.status());
            assert_eq!(counted(&answer), ["credentials", "credentials_user"], "{path} {n}");
        }
        let bob = it.signs_up("bob@example.org").await;
        let others =
            if path == "/email/change" { json!({"email": "bobs@example.org", "password": "wrong"}) } else { body.clone() };
        assert_ne!(it.post(path, Some(&bob), &others).await.status(), 429, "{path}: another account");
        it.server.stop().await;
    }
}

#[actix_web::test]
async fn a_ticket_and_a_wallet_are_counted_wherever_they_are_tried_from() {
    let it = Roaming::new();
    it.takes_three("/2fa/verify", None, &json!({"mfa_ticket": hex("1"), "code": "123456"})).await;
    assert_eq!(it.post("/2fa/verify", None, &json!({"mfa_ticket": hex("2"), "code": "123456"})).await.status(), 401);
    it.takes_three("/wallet/verify", None, &json!({"challenge": hex("3"), "signature": ""})).await;
    let address = |name| BitcoinWallet::new(AddressKind::P2wpkh, Network::Mainnet, name).address();
    it.takes_three("/wallet/challenge", None, &json!({"address": address("ada")})).await;
    let shouted = json!({"address": address("ada").to_uppercase()});
    assert_eq!(it.post("/wallet/challenge", None, &shouted).await.status(), 429, "the same address");
    assert_eq!(it.post("/wallet/challenge", None, &json!({"address": address("bob")})).await.status(), 200);
    it.server.stop().await;
}
