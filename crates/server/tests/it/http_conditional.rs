//! Entity tags and compression.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

use crate::http_support::{Server, header};
use coinlink::http::openapi_json;

#[actix_web::test]
async fn a_client_that_has_the_newest_price_is_not_sent_it_again() {
    let server = Server::start();
    server.tick(1);
    // Made beforehand: what asks for it first waits, and a request has 200 ms here.
    openapi_json();
    for path in ["/api/bitcoin/price", "/api/crypto/ticker", "/openapi.json", "/asyncapi.json"] {
        let first = server.get(path).await;
        let etag = header(&first, "etag").unwrap().to_owned();
        assert!(etag.starts_with('"') && header(&first, "cache-control").unwrap().starts_with("public, max-age="), "{path}");
        for if_none_match in [etag.clone(), format!("W/{etag}"), format!("\"other\", {etag}"), "*".to_owned()] {
            let again = server.get_with(path, "if-none-match", &if_none_match).await;
            assert_eq!((again.status().as_u16(), header(&again, "etag")), (304, Some(etag.as_str())), "{path} {if_none_match}");
            assert!(header(&again, "cache-control").is_some() && header(&again, "x-trace-id").is_some());
            assert!(again.text().await.unwrap().is_empty());
        }
        assert_eq!(server.get_with(path, "if-none-match", "\"other\"").await.status(), 200);
    }
    let before = server.get("/api/bitcoin/price").await;
    server.tick(2);
    let etag = header(&before, "etag").unwrap();
    assert_eq!(server.get_with("/api/bitcoin/price", "if-none-match", etag).await.status(), 200, "a new tick is a new tag");
    server.stop().await;
}

#[actix_web::test]
async fn while_the_document_is_made_others_are_answered() {
    // Its one worker would hold up everybody.
    let (server, answered, asked) = (Server::start(), Cell::new(0), Instant::now());
    let others = async {
        while server.get("/livez").await.status() == 200 {
            answered.set(answered.get() + 1);
        }
    };
    tokio::select! {
        _ = server.get("/openapi.json") => {}
        () = others => panic!("this node works"),
    }
    let took = asked.elapsed();
    assert!(Duration::from_millis(20) * answered.get() >= took, "{} in {took:?}", answered.get());
    server.stop().await;
}

#[actix_web::test]
async fn only_bodies_over_a_kibibyte_are_compressed() {
    let server = Server::start();
    for (length, compressed) in [(100, false), (1024, false), (1025, true), (100_000, true)] {
        let response = server.get_with(&format!("/test/text/{length}"), "accept-encoding", "gzip, br").await;
        assert_eq!(header(&response, "content-encoding"), compressed.then_some("br"), "{length}");
        let received = response.bytes().await.unwrap().len();
        assert!(if compressed { received < length } else { received == length }, "{received} of {length}");
    }
    let gzip = server.get_with("/test/text/5000", "accept-encoding", "gzip").await;
    assert_eq!((header(&gzip, "content-encoding"), header(&gzip, "vary").is_some()), (Some("gzip"), true));
    let plain = server.get("/test/text/5000").await;
    assert_eq!(header(&plain, "content-encoding"), None);
    assert!(plain.headers().get_all("vary").iter().any(|value| value == "accept-encoding"));
    server.stop().await;
}

#[actix_web::test]
async fn a_compressed_answer_has_a_tag_of_its_own_that_is_recognised() {
    let server = Server::start();
    server.tick(50);
    let plain = server.get("/api/crypto/ticker").await;
    let gzip = server.get_with("/api/crypto/ticker", "accept-encoding", "gzip").await;
    assert_eq!(header(&gzip, "content-encoding"), Some("gzip"));
    let etag = header(&gzip, "etag").unwrap();
    assert_ne!(header(&plain, "etag"), Some(etag));
    let again = server.get_with("/api/crypto/ticker", "if-none-match", etag).await;
    assert_eq!((again.status().as_u16(), header(&again, "etag")), (304, Some(etag)));
    server.stop().await;
}
