//! The keys that others check access tokens with.

use crate::http_support::{Server, header, json};
use serde_json::json;

const JWKS: &str = "/.well-known/jwks.json";

#[actix_web::test]
async fn every_key_is_shown_as_rfc_7517_asks_with_nothing_private() {
    let server = Server::start();
    let response = server.get(JWKS).await;
    assert_eq!(header(&response, "content-type"), Some("application/json"));
    let [ed, rsa] = ["e", "a"].map(|digit| digit.repeat(32));
    let expected = json!({ "keys": [
        { "kid": ed, "kty": "OKP", "alg": "EdDSA", "use": "sig", "crv": "Ed25519", "x": "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc" },
        { "kid": rsa, "kty": "RSA", "alg": "RS256", "use": "sig", "n": modulus(), "e": "AQAB" }
    ] });
    assert_eq!(json(response).await, expected);
    server.stop().await;
}

/// 256 times the byte C7.
fn modulus() -> String {
    "x8fH".repeat(85) + "xw"
}

#[actix_web::test]
async fn others_keep_their_copy_for_five_minutes_and_are_not_sent_what_they_have() {
    let server = Server::start();
    let first = server.get(JWKS).await;
    assert_eq!(header(&first, "cache-control"), Some("public, max-age=300"));
    let etag = header(&first, "etag").unwrap_or_default().to_owned();
    assert!(etag.starts_with('"'), "{etag}");
    let again = server.get_with(JWKS, "if-none-match", &etag).await;
    assert_eq!((again.status().as_u16(), header(&again, "cache-control")), (304, Some("public, max-age=300")));
    assert_eq!(server.get_with(JWKS, "if-none-match", "\"other\"").await.status(), 200);
    server.stop().await;
}
