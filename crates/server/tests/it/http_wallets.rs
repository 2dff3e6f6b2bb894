//! What the routes of wallets take and answer, with signatures as real wallets make them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use crate::http_support::{
    Server,
    answers::{self, Answer},
    gated::{Setup, all},
};
use coinlink_domain::{
    identity::{AddressKind, Network},
    shared::rate_limit::RateLimits,
};
use coinlink_testkit::identity::BitcoinWallet;
use reqwest::Method;
use serde_json::{Value, json};
use time::Duration;

const GOOD: &str = "Correct-horse-9-battery";

/// The body without what differs from one request to the next.
fn shape(mut answer: Answer) -> String {
    answer.body["error"]["trace_id"] = Value::Null;
    answer.body.to_string()
}

async fn ask(server: &Server, method: Method, path: &str, token: Option<&str>, body: Option<Value>) -> Answer {
    answers::ask(server, method, &format!("/auth{path}"), token, body).await
}

async fn post(server: &Server, path: &str, token: Option<&str>, body: Value) -> Answer {
    ask(server, Method::POST, path, token, Some(body)).await
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn wallet(kind: AddressKind) -> BitcoinWallet {
    BitcoinWallet::new(kind, Network::Mainnet, "http")
}

async fn sign_up(server: &Server, email: &str) -> String {
    let answer = post(server, "/signup", None, json!({"email": email, "password": GOOD})).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    text(&answer.body["tokens"]["access_token"])
}

/// A challenge and its message.
async fn challenge(server: &Server, address: &str, token: Option<&str>) -> (String, String) {
    let body = match token {
        None => json!({"address": address}),
        Some(_) => json!({"address": address, "purpose": "link"}),
    };
    let asked = post(server, "/wallet/challenge", token, body).await;
    assert_eq!((asked.status, asked.cache.as_deref()), (200, Some("no-store")), "{}", asked.body);
    (text(&asked.body["challenge"]), text(&asked.body["message"]))
}

async fn link(server: &Server, token: &str, wallet: &BitcoinWallet) -> Answer {
    let (challenge, message) = challenge(server, &wallet.address(), Some(token)).await;
    let body = json!({"challenge": challenge, "signature": wallet.sign(&message), "password": GOOD});
    post(server, "/wallet/link", Some(token), body).await
}

async fn verify(server: &Server, challenge: &str, signature: &str) -> Answer {
    post(server, "/wallet/verify", None, json!({"challenge": challenge, "signature": signature})).await
}

#[actix_web::test]
async fn every_kind_of_wallet_signs_in_in_every_form() {
    let server = Server::start();
    let token = sign_up(&server, "ada@example.org").await;
    for kind in AddressKind::ALL {
        let wallet = wallet(kind);
        let linked = link(&server, &token, &wallet).await;
        assert_eq!((linked.status, &linked.body["kind"]), (201, &json!(kind.name())), "{}", linked.body);
        assert_eq!((&linked.body["address"], &linked.body["network"]), (&json!(wallet.address()), &json!("mainnet")));
        for at in 0..wallet.signatures("").len() {
            let (challenge, message) = challenge(&server, &wallet.address(), None).await;
            let (form, signature) = wallet.signatures(&message).swap_remove(at);
            let signed_in = verify(&server, &challenge, &signature).await;
            assert_eq!(signed_in.status, 200, "{kind:?} {form} {}", signed_in.body);
            assert_eq!(signed_in.body["user"]["email"], "ada@example.org");
            assert!(signed_in.cookie.unwrap().starts_with("__Host-coinlink-device="));
            let access = text(&signed_in.body["tokens"]["access_token"]);
            assert_eq!(ask(&server, Method::GET, "/verify", Some(&access), None).await.status, 200);
        }
    }
    let listed = ask(&server, Method::GET, "/wallets", Some(&token), None).await;
    assert_eq!(listed.body.as_array().unwrap().len(), 4);
    assert!(listed.body[0]["last_used_at"].is_string());
    server.stop().await;
}

#[actix_web::test]
async fn whatever_is_wrong_looks_the_same() {
    let server = Server::start();
    let token = sign_up(&server, "ada@example.org").await;
    let (ada, eve) = (wallet(AddressKind::P2wpkh), BitcoinWallet::new(AddressKind::P2tr, Network::Mainnet, "eve"));
    assert_eq!(link(&server, &token, &ada).await.status, 201);
    let mut said = Vec::new();

    let (used, message) = challenge(&server, &ada.address(), None).await;
    said.push(verify(&server, &used, &eve.sign(&message)).await);
    said.push(verify(&server, &used, &ada.sign(&message)).await);
    said.push(verify(&server, "", "").await);
    said.push(verify(&server, &"0".repeat(96), &"A".repeat(500)).await);

    let (unlinked, message) = challenge(&server, &eve.address(), None).await;
    said.push(verify(&server, &unlinked, &eve.sign(&message)).await);

    let (to_link, message) = challenge(&server, &ada.address(), Some(&token)).await;
    said.push(verify(&server, &to_link, &ada.sign(&message)).await);

    let signed_in = post(&server, "/login", None, json!({"email": "ada@example.org", "password": GOOD})).await.body;
    for other in ["access_token", "refresh_token"] {
        let (_, message) = challenge(&server, &ada.address(), None).await;
        said.push(verify(&server, &text(&signed_in["tokens"][other]), &ada.sign(&message)).await);
    }

    let (late, message) = challenge(&server, &ada.address(), None).await;
    server.behind.clock.advance(Duration::minutes(5));
    said.push(verify(&server, &late, &ada.sign(&message)).await);

    let (off, message) = challenge(&server, &ada.address(), None).await;
    let mut account = server.behind.store.accounts().pop().unwrap();
    account.user.is_active = false;
    server.behind.store.put_account(&account);
    said.push(verify(&server, &off, &ada.sign(&message)).await);

    assert!(said.iter().all(|answer| (answer.status, answer.code(), &answer.cookie) == (401, "invalid_signature", &None)));
    let mut shapes: Vec<_> = said.into_iter().map(shape).collect();
    shapes.dedup();
    assert_eq!(shapes.len(), 1, "{shapes:#?}");
    server.stop().await;
}

#[actix_web::test]
async fn what_is_no_address_here_is_said_by_field() {
    let server = Server::start();
    let script = "bc1qp0ahvfh83088w49k405szqgg4f3pptr7p2g06tdxfjcd40z4lh4q95lsz9";
    let testnet = BitcoinWallet::new(AddressKind::P2tr, Network::Testnet, "ada").address();
    for (address, code, why) in [
        ("0x52908400098527886E0F7030069857D2E4169EE7", "invalid_input", "is no Bitcoin address"),
        (&testnet, "invalid_input", "of another network"),
        (&"1".repeat(200), "invalid_input", "is no Bitcoin address"),
        (script, "wallet_unsupported", "P2PKH, P2SH-P2WPKH, P2WPKH and P2TR"),
    ] {
        let refused = post(&server, "/wallet/challenge", None, json!({"address": address})).await;
        assert_eq!((refused.status, refused.code()), (400, code), "{address}");
        assert!(refused.detail("address").contains(why), "{}", refused.body);
    }
    for body in
        [json!({}), json!({"address": 1}), json!({"address": "1", "purpose": "other"}), json!({"address": "1", "domain": "x"})]
    {
        assert_eq!(post(&server, "/wallet/challenge", None, body).await.code(), "invalid_json");
    }
    server.stop().await;
}

#[actix_web::test]
async fn linking_takes_a_session_a_password_and_an_address_that_is_free() {
    let server = Server::start();
    let (ada, bob) = (sign_up(&server, "ada@example.org").await, sign_up(&server, "bob@example.org").await);
    let wallet = wallet(AddressKind::P2tr);
    let anonymous = json!({"address": wallet.address(), "purpose": "link"});
    let refused = post(&server, "/wallet/challenge", None, anonymous).await;
    assert_eq!((refused.status, refused.code()), (401, "authentication_required"));

    let (asked, message) = challenge(&server, &wallet.address(), Some(&ada)).await;
    let body = |password: &str| json!({"challenge": asked, "signature": wallet.sign(&message), "password": password});
    assert_eq!(post(&server, "/wallet/link", None, body(GOOD)).await.code(), "authentication_required");
    let wrong = post(&server, "/wallet/link", Some(&ada), body("wrong")).await;
    assert_eq!((wrong.status, wrong.code(), wrong.detail("password")), (400, "invalid_input", "is not your present password"));
    let empty = post(&server, "/wallet/link", Some(&ada), body("")).await;
    assert_eq!((empty.status, empty.detail("password")), (400, "1 to 512 characters"));
    let stolen = post(&server, "/wallet/link", Some(&bob), body(GOOD)).await;
    assert_eq!((stolen.status, stolen.code()), (401, "invalid_signature"), "asked for in another session");

    let linked = link(&server, &ada, &wallet).await;
    assert_eq!(linked.status, 201);
    let taken = link(&server, &bob, &wallet).await;
    assert_eq!((taken.status, taken.code()), (409, "wallet_taken"));

    let id = text(&linked.body["id"]);
    let path = format!("/wallets/{id}");
    assert_eq!(ask(&server, Method::DELETE, &path, None, None).await.code(), "authentication_required");
    assert_eq!(ask(&server, Method::DELETE, &path, Some(&bob), None).await.code(), "not_found");
    assert_eq!(ask(&server, Method::DELETE, "/wallets/1", Some(&ada), None).await.code(), "invalid_path");
    assert_eq!(ask(&server, Method::DELETE, &path, Some(&ada), None).await.status, 200);
    assert_eq!(ask(&server, Method::GET, "/wallets", Some(&ada), None).await.body, json!([]));
    assert_eq!(link(&server, &bob, &wallet).await.status, 201, "it is free again");
    let told: Vec<_> = server.behind.store.mails().into_iter().map(|mail| mail.template).collect();
    assert_eq!(told.iter().filter(|template| template.starts_with("wallet_")).count(), 3, "{told:?}");
    server.stop().await;
}

#[actix_web::test]
async fn a_store_that_is_down_is_503_and_a_busy_hasher_too() {
    let server = Server::start();
    let token = sign_up(&server, "ada@example.org").await;
    let wallet = wallet(AddressKind::P2pkh);
    let (asked, message) = challenge(&server, &wallet.address(), Some(&token)).await;
    let body = json!({"challenge": asked, "signature": wallet.sign(&message), "password": GOOD});
    server.behind.hasher.be_busy(Duration::SECOND);
    assert_eq!(post(&server, "/wallet/link", Some(&token), body.clone()).await.code(), "hashing_busy");
    server.behind.hasher.be_idle();
    server.behind.store.fail_after(0);
    for (method, path, body) in [
        (Method::POST, "/wallet/challenge", Some(json!({"address": wallet.address()}))),
        (Method::POST, "/wallet/verify", Some(json!({"challenge": asked, "signature": ""}))),
        (Method::POST, "/wallet/link", Some(body.clone())),
        (Method::GET, "/wallets", None),
        (Method::DELETE, "/wallets/00000000-0000-0000-0000-000000000000", None),
    ] {
        let answer = ask(&server, method, path, Some(&token), body).await;
        assert_eq!((answer.status, answer.code()), (503, "dependency_unavailable"), "{path}");
    }
    server.behind.store.recover();
    assert_eq!(post(&server, "/wallet/link", Some(&token), body).await.status, 201, "the challenge was not used up");
    server.stop().await;
}

#[actix_web::test]
async fn asking_and_answering_are_counted_by_address() {
    let server = Server::start_with(Setup { limits: RateLimits { credentials: 2, ..all(1_000) }, ..Setup::default() });
    let address = wallet(AddressKind::P2wpkh).address();
    assert_eq!(post(&server, "/wallet/challenge", None, json!({"address": address})).await.status, 200);
    assert_eq!(verify(&server, "", "").await.status, 401);
    assert_eq!(post(&server, "/wallet/challenge", None, json!({"address": address})).await.code(), "rate_limited");
    server.stop().await;
}
