//! What every client may rely on over HTTP, asked of the real binary.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{collections::BTreeSet, time::Duration};

use coinlink_end_to_end_tests::{Client, Node, eventually, upstreams};
use coinlink_testkit::{
    servers::{Launch, built_binary, free_port},
    upstream_stub::{Mode, Provider, StubUpstream},
};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::Value;

const SOON: Duration = Duration::from_secs(15);
const ORIGIN: &str = "https://app.example.org";

async fn node(settings: &[(&str, &str)]) -> Node {
    let settings = [&[("ALLOWED_ORIGINS", ORIGIN), ("TICKER_INTERVAL_MS", "60000")], settings].concat();
    let node = Node::dev_with(&["--feed", "simulated"], &settings).await;
    eventually("prices", SOON, async || node.get("/api/bitcoin/price").await.0 == 200).await;
    node
}

fn request(node: &Node, method: Method, path: &str) -> RequestBuilder {
    // The bytes as they came: unpacking is for programs that want the text.
    reqwest::Client::builder().no_gzip().build().unwrap().request(method, node.url(path))
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
}

#[tokio::test]
async fn failures_have_one_shape_and_head_is_get_without_its_body() {
    let node = node(&[]).await;
    for (method, path, status, code) in [
        (Method::GET, "/nothing/here", 404, "not_found"),
        (Method::DELETE, "/api/bitcoin/price", 405, "method_not_allowed"),
        (Method::GET, "/ws", 400, "websocket_expected"),
    ] {
        let response = request(&node, method, path).header("origin", ORIGIN).send().await.unwrap();
        assert_eq!(response.status(), status, "{path}");
        assert_eq!(header(&response, "allow"), if status == 405 { "GET, HEAD" } else { "" });
        assert_eq!(header(&response, "access-control-allow-origin"), ORIGIN, "pages may read why it failed");
        let trace_id = header(&response, "x-trace-id").to_owned();
        let body: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        assert_eq!((&body["error"]["code"], &body["error"]["trace_id"]), (&code.into(), &trace_id.into()));
        assert_eq!(body["detail"], body["error"]["message"]);
    }
    for path in ["/", "/health", "/livez", "/readyz", "/api/crypto/ticker", "/api/bitcoin/price", "/openapi.json"] {
        let get = request(&node, Method::GET, path).send().await.unwrap();
        let head = request(&node, Method::HEAD, path).send().await.unwrap();
        assert_eq!((head.status(), header(&head, "content-type")), (get.status(), header(&get, "content-type")), "{path}");
        for (name, value) in [("x-content-type-options", "nosniff"), ("x-frame-options", "DENY")] {
            assert_eq!((header(&get, name), header(&head, name)), (value, value), "{path}");
        }
        assert!(head.text().await.unwrap().is_empty(), "{path}");
    }
}

#[tokio::test]
async fn a_list_that_did_not_change_is_not_sent_again_and_long_bodies_are_compressed() {
    let node = node(&[]).await;
    let get = |path: &str| request(&node, Method::GET, path);
    let ticker = get("/api/crypto/ticker").send().await.unwrap();
    let etag = header(&ticker, "etag").to_owned();
    assert!(etag.starts_with('"') && etag.len() > 2);
    let again = get("/api/crypto/ticker").header("if-none-match", &etag).send().await.unwrap();
    assert_eq!((again.status().as_u16(), header(&again, "etag")), (304, etag.as_str()));
    assert!(again.text().await.unwrap().is_empty());

    let packed = get("/api/crypto/ticker").header("accept-encoding", "gzip").send().await.unwrap();
    assert_eq!(header(&packed, "content-encoding"), "gzip");
    assert!(packed.headers().get_all("vary").iter().any(|value| value == "accept-encoding"), "{:?}", packed.headers());
    assert_ne!(header(&packed, "etag"), etag, "other bytes, another tag");
    let whole = ticker.text().await.unwrap();
    let bytes = packed.bytes().await.unwrap();
    assert!(bytes.starts_with(&[0x1f, 0x8b]) && bytes.len() * 2 < whole.len(), "{} of {}", bytes.len(), whole.len());
    let small = get("/livez").header("accept-encoding", "gzip").send().await.unwrap();
    assert_eq!(header(&small, "content-encoding"), "");
}

#[tokio::test]
async fn a_browser_of_a_known_origin_may_ask_and_others_may_not() {
    let node = node(&[]).await;
    let preflight = async |origin: &str| {
        let request = request(&node, Method::OPTIONS, "/api/crypto/ticker").header("origin", origin);
        request.header("access-control-request-method", "GET").send().await.unwrap()
    };
    let known = preflight(ORIGIN).await;
    assert!(known.status().is_success());
    assert_eq!((header(&known, "access-control-allow-origin"), header(&known, "access-control-max-age")), (ORIGIN, "3600"));
    assert_eq!(header(&preflight("https://evil.example").await, "access-control-allow-origin"), "");
    assert!(Client::try_connect(node.address, "/ws", Some(ORIGIN)).await.is_ok(), "the same list lets sockets in");
}

#[tokio::test]
async fn the_documents_name_every_route() {
    let node = node(&[]).await;
    let mut printed = Launch::new(built_binary("coinlink")).args(["openapi"]).start();
    assert!(printed.wait().await.success());
    let printed: Value = serde_json::from_str(&printed.log()).unwrap();
    assert_eq!(printed, node.json("/openapi.json").await);
    let paths: BTreeSet<_> = printed["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    for path in ["/api/bitcoin/price", "/api/v2/auth/login", "/api/v2/user/sessions/{id}", "/metrics", "/ws"] {
        assert!(paths.contains(path), "{path} in {paths:?}");
    }
    assert!(node.json("/asyncapi.json").await["channels"].is_object());
    assert_eq!(node.get("/docs/").await.0, 200);
}

#[tokio::test]
async fn metrics_count_ticks_sockets_and_calls_and_move_to_a_port_of_their_own() {
    let stub = StubUpstream::start().await;
    let upstreams = upstreams(&stub);
    let mut settings: Vec<_> = upstreams.iter().map(|(name, url)| (*name, url.as_str())).collect();
    settings.extend([("TICKER_INTERVAL_MS", "500"), ("TICKER_OVERLAY", "false"), ("COINGECKO_OVERVIEW", "false")]);
    let node = Node::dev(&settings).await;
    let mut client = Client::connect(node.address).await;
    client.update_when(SOON, |frame| !frame.is_stale()).await;
    let fresh = "coinlink_ticker_broadcasts_total{stale=\"false\"}";
    let before = node.metric(fresh).await;
    client.update().await;
    client.update().await;
    assert!(node.metric(fresh).await > before);
    assert_eq!(node.metric("coinlink_ws_connections{auth=\"anonymous\"}").await, 1);
    assert!(node.metric("coinlink_ws_messages_sent_total{type=\"ticker\"}").await >= 3);
    assert_eq!(node.metric("coinlink_provider_requests_total{outcome=\"ok\",provider=\"coingecko\"}").await, 1);
    assert_eq!(node.metric("coinlink_leader").await, 1);
    let breaker = "coinlink_breaker_state{of=\"prices\",provider=\"coingecko\"} 0";
    for name in [breaker, "coinlink_ws_send_lag_seconds_count", "http_requests_total{"] {
        assert!(node.get("/metrics").await.1.contains(name), "{name}");
    }
    for name in ["coinlink_redis_up", "coinlink_tls_certificate_expiry_seconds"] {
        assert!(!node.get("/metrics").await.1.contains(name), "{name}, although there is none");
    }

    let address = format!("127.0.0.1:{}", free_port());
    let apart = Node::dev_with(&["--feed", "simulated"], &[("METRICS_ADDR", &address)]).await;
    assert_eq!(apart.get("/metrics").await.0, 404);
    let scraped = reqwest::get(format!("http://{address}/metrics")).await.unwrap();
    assert!(scraped.status().is_success() && scraped.text().await.unwrap().contains("coinlink_leader"));
    let other = reqwest::get(format!("http://{address}/api/bitcoin/price")).await.unwrap();
    assert_eq!(other.status(), 404, "nothing else is on that port");
}

#[tokio::test]
async fn the_lag_is_told_from_the_answer_on_though_the_tick_waited_for_another_provider_fault() {
    let stub = StubUpstream::start().await;
    stub.set_mode(Provider::CoinGecko, Mode::Hang);
    let upstreams = upstreams(&stub);
    let mut settings: Vec<_> = upstreams.iter().map(|(name, url)| (*name, url.as_str())).collect();
    settings.extend([("TICKER_PROVIDERS", "coingecko,kraken"), ("TICKER_OVERLAY", "false"), ("COINGECKO_OVERVIEW", "false")]);
    let node = Node::dev(&settings).await;
    let mut client = Client::connect(node.address).await;
    client.update_when(SOON, |frame| !frame.is_stale()).await;
    let count = "coinlink_ws_send_lag_seconds_count";
    eventually("a tick reached its last socket", SOON, async || node.metric(count).await > 0).await;
    // Kraken is asked after 0.8 s and answers at once; CoinGecko is given up after 3 s.
    assert_eq!(node.metric("coinlink_ws_send_lag_seconds_bucket{le=\"1\"}").await, 0, "{}", node.get("/metrics").await.1);
}

#[tokio::test]
async fn server_sent_events_carry_the_lists_and_go_on_where_a_client_left() {
    let node = node(&[("TICKER_INTERVAL_MS", "500")]).await;
    let stream = async |last: Option<&str>| {
        let request = request(&node, Method::GET, "/api/stream/ticker");
        let request = last.into_iter().fold(request, |request, id| request.header("last-event-id", id));
        let response = request.send().await.unwrap();
        assert_eq!(header(&response, "content-type"), "text/event-stream");
        response
    };
    let first = events(&mut stream(None).await, 3).await;
    let ids: Vec<_> = first.iter().map(|(id, _)| id.clone()).collect();
    let again = events(&mut stream(Some(&ids[0])).await, 2).await;
    assert_eq!(again[..], first[1..3], "the same events again, byte for byte");
}

/// The next so many events: id and data.
async fn events(response: &mut Response, count: usize) -> Vec<(String, String)> {
    let mut text = String::new();
    while text.matches("\n\n").count() < count + 1 {
        let chunk = tokio::time::timeout(SOON, response.chunk()).await.expect("an event in time").unwrap().unwrap();
        text.push_str(std::str::from_utf8(&chunk).unwrap());
    }
    let field = |event: &str, name: &str| event.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().to_owned();
    let events = text.split("\n\n").filter(|event| event.contains("event: crypto_ticker_update"));
    events.take(count).map(|event| (field(event, "id: "), field(event, "data: "))).collect()
}
