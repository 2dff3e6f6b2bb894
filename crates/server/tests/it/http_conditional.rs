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
async fn answers_are_kept_for_as_long_as_older_clients_expect_and_what_is_looked_at_now_is_not() {
    let server = Server::start();
    server.tick(1);
    for (path, kept) in [
        ("/api/bitcoin/price", "public, max-age=10"),
        ("/api/v2/market/bitcoin/price", "public, max-age=10"),
        ("/api/crypto/ticker", "public, max-age=5"),
        ("/", "public, max-age=3600"),
        ("/health", "no-store"),
        ("/readyz", "no-store"),
        ("/livez", "no-store"),
    ] {
        assert_eq!(header(&server.get(path).await, "cache-control"), Some(kept), "{path}");
    }
    server.stop().await;
}

#[actix_web::test]
async fn the_facts_and_the_page_of_the_root_are_told_apart_and_neither_is_sent_twice() {
    let server = Server::start();
    let ask = |accept: &'static str, known: &str| {
        let request = server.request(reqwest::Method::GET, "/").header("accept", accept).header("if-none-match", known);
        async move { request.send().await.unwrap() }
    };
    let varies = |answer: &reqwest::Response| {
        let mut names = answer.headers().get_all("vary").iter().flat_map(|names| names.to_str().unwrap().split(','));
        names.any(|name| name.trim() == "accept")
    };
    let mut tags = Vec::new();
    for (accept, kept) in [("application/json", "public, max-age=3600"), ("text/html", "no-cache")] {
        let first = ask(accept, "").await;
        assert_eq!((first.status().as_u16(), header(&first, "cache-control")), (200, Some(kept)), "{accept}");
        let etag = header(&first, "etag").unwrap().to_owned();
        let again = ask(accept, &etag).await;
        assert_eq!((again.status().as_u16(), header(&again, "etag")), (304, Some(etag.as_str())), "{accept}");
        assert!(varies(&first) && varies(&again), "{accept}");
        tags.push(etag);
    }
    assert_eq!(ask("text/html", &tags[0]).await.status(), 200);
    server.stop().await;
}

#[actix_web::test]
async fn what_a_route_without_parameters_is_sent_as_such_changes_nothing() {
    let server = Server::start();
    server.tick(3);
    for (path, query) in [
        ("/api/crypto/ticker", "symbols=BTC&limit=1"),
        ("/api/crypto/ticker", "_t=1767225600000"),
        ("/api/bitcoin/price", "_t=1767225600000&foo=1"),
        ("/api/bitcoin/market-summary", "_t=1767225600000"),
        ("/api/v2/market/bitcoin/price", "_=1767225600000"),
    ] {
        let plain = server.get(path).await;
        let busted = server.get(&format!("{path}?{query}")).await;
        assert_eq!((busted.status().as_u16(), header(&busted, "etag")), (200, header(&plain, "etag")), "{path}?{query}");
        assert_eq!(busted.text().await.unwrap(), plain.text().await.unwrap(), "{path}?{query}");
    }
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
    // Where another test of the process had it made already, nobody had to wait.
    assert!(answered.get() > 3 || took < Duration::from_millis(100), "{} in {took:?}", answered.get());
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
