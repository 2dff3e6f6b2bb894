//! The socket's protocol, its limits, and clients that mean no good.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use coinlink_end_to_end_tests::{Client, Node, RawSocket, eventually};
use serde_json::json;
use tokio_tungstenite::tungstenite::{Error, Message};

const SOON: Duration = Duration::from_secs(15);

async fn node(settings: &[(&str, &str)]) -> Node {
    let node = Node::dev_with(&["--feed", "simulated"], &[&[("TICKER_INTERVAL_MS", "1000")], settings].concat()).await;
    eventually("prices", SOON, async || node.get("/api/bitcoin/price").await.0 == 200).await;
    node
}

#[tokio::test]
async fn who_joins_the_news_gets_primers_while_no_headlines_are_known() {
    let node = node(&[]).await;
    let mut client = Client::connect(node.address).await;
    client.say(&json!({ "type": "join_channel", "channel": "market_news" })).await;
    let known = node.json("/api/bitcoin/news").await["articles"].take();
    for n in 0..5 {
        let told = client.frame_of("market_news").await.json["data"].take();
        assert_eq!((&told["category"], &told["published_at"]), (&json!("curated"), &json!(null)));
        assert_eq!((&told["headline"], &told["url"]), (&known[n]["title"], &known[n]["url"]), "in their order");
    }
}

#[tokio::test]
async fn pings_are_answered_pongs_swallowed_and_nonsense_named() {
    let node = node(&[]).await;
    let mut client = Client::connect(node.address).await;
    client.say(&json!({ "type": "pong" })).await;
    client.say(&json!({ "type": "ping", "timestamp": "2026-01-01T00:00:00Z" })).await;
    assert!(client.frame_of("pong").await.json["data"]["server_time"].is_string());
    for (text, code) in [("{", "invalid_json"), ("[]", "invalid_message"), (r#"{"type":"dance"}"#, "unknown_message_type")] {
        client.send(Message::text(text)).await;
        let error = client.frame_of("error").await;
        assert_eq!(error.json["data"]["error_code"], code);
        assert!(error.json.get("error").is_none(), "front ends drop frames with that key");
    }
    client.send(Message::Ping(b"are you there".to_vec().into())).await;
    loop {
        if let Some(Message::Pong(payload)) = client.message().await {
            assert_eq!(&payload[..], b"are you there");
            break;
        }
    }
}

#[tokio::test]
async fn a_talkative_client_is_told_once_and_then_closed() {
    let node = node(&[]).await;
    let mut client = Client::connect(node.address).await;
    for _ in 0..125 {
        client.send(Message::text(r#"{"type":"pong"}"#)).await;
    }
    let error = client.frame_of("error").await;
    assert_eq!(error.json["data"]["error_code"], "rate_limited");
    let (code, reason) = client.closed().await.unwrap();
    assert_eq!(code, 4003, "{reason}");
}

#[tokio::test]
async fn what_is_no_text_message_of_four_kibibytes_is_closed_with_its_code() {
    let node = node(&[]).await;
    for (message, code) in [(Message::text("x".repeat(4097)), 1009), (Message::binary(vec![1, 2, 3]), 1003)] {
        let mut client = Client::connect(node.address).await;
        client.send(message).await;
        assert_eq!(client.closed().await.unwrap().0, code);
    }
}

#[tokio::test]
async fn a_snapshot_and_its_deltas_are_the_full_list() {
    let node = node(&[]).await;
    let mut full = Client::connect(node.address).await;
    let mut delta = Client::connect(node.address).await;
    delta.say(&json!({ "type": "subscribe", "symbols": ["BTC", "ETH", "NOSUCH"], "mode": "delta" })).await;
    delta.frame_of("subscribed").await;
    let snapshot = delta.update().await;
    assert_eq!(snapshot.json["data"].as_array().unwrap().len(), 2);
    let mut prices: std::collections::BTreeMap<_, _> = lines(&snapshot.json);
    let mut base = snapshot.id();
    for _ in 0..3 {
        let change = delta.frame_of("crypto_ticker_delta").await;
        assert_eq!((change.json["base"]["epoch"].as_u64(), change.json["base"]["seq"].as_u64()), (Some(base.0), Some(base.1)));
        prices.extend(lines(&change.json));
        base = change.id();
        let whole = full.update_when(SOON, |frame| frame.id() == change.id()).await;
        let expected: std::collections::BTreeMap<_, _> =
            lines(&whole.json).into_iter().filter(|(symbol, _)| ["BTC", "ETH"].contains(&symbol.as_str())).collect();
        assert_eq!(prices, expected);
    }
}

fn lines(frame: &serde_json::Value) -> std::collections::BTreeMap<String, String> {
    let line = |line: &serde_json::Value| (line["symbol"].as_str().unwrap().to_owned(), line["price"].to_string());
    frame["data"].as_array().unwrap().iter().map(line).collect()
}

#[tokio::test]
async fn a_client_that_was_away_gets_what_it_missed_or_is_told() {
    let node = node(&[]).await;
    let mut client = Client::connect(node.address).await;
    let seen = client.update().await.id();
    drop(client);
    let mut other = Client::connect(node.address).await;
    let newest = other.update_when(SOON, |frame| frame.id().1 >= seen.1 + 2).await.id();

    let mut back = Client::connect(node.address).await;
    back.update().await;
    back.say(&json!({ "type": "resume", "epoch": seen.0, "seq": seen.1 })).await;
    let resumed = back.frame_of("resumed").await;
    assert_eq!(resumed.json["data"]["recovered"], true);
    let missed = resumed.json["data"]["missed"].as_u64().unwrap();
    assert!(missed >= newest.1 - seen.1);
    for n in 1..=missed {
        assert_eq!(back.update().await.id(), (seen.0, seen.1 + n));
    }

    back.say(&json!({ "type": "resume", "epoch": 1, "seq": 1 })).await;
    assert_eq!(back.frame_of("resumed").await.json["data"]["recovered"], false);
    assert!(back.update().await.line("BTC").is_some());
}

#[tokio::test]
async fn foreign_pages_full_nodes_and_other_paths_are_refused_with_a_reason() {
    let node = node(&[("WS_MAX_CONNECTIONS", "2")]).await;
    let refused = async |path: &str, origin: Option<&str>| match Client::try_connect(node.address, path, origin).await {
        Err(Error::Http(response)) => {
            let body: serde_json::Value = serde_json::from_slice(response.body().as_deref().unwrap_or_default()).unwrap();
            assert_eq!(body["detail"], body["error"]["message"]);
            assert!(response.headers().contains_key("x-trace-id") && response.headers().contains_key("x-frame-options"));
            let retry = response.headers().contains_key("retry-after");
            (response.status().as_u16(), body["error"]["code"].as_str().unwrap().to_owned(), retry)
        }
        other => panic!("{:?}", other.map(|_| "a socket")),
    };
    assert_eq!(refused("/ws", Some("https://evil.example")).await, (403, "origin_not_allowed".into(), false));
    assert_eq!(refused("/nope", None).await, (404, "not_found".into(), false));
    let own = format!("http://{}", node.address);
    let _first = Client::try_connect(node.address, "/ws", Some(&own)).await.unwrap();
    let _second = Client::connect(node.address).await;
    assert_eq!(refused("/ws", None).await, (503, "node_full".into(), true));
    assert_eq!(node.json("/api/connections").await["active_connections"], 2);
}

#[tokio::test]
async fn handshakes_beyond_the_burst_wait() {
    let node = node(&[("WS_HANDSHAKE_BURST", "3"), ("WS_HANDSHAKE_REFILL_MS", "60000")]).await;
    for _ in 0..3 {
        Client::connect(node.address).await;
    }
    let Err(Error::Http(response)) = Client::try_connect(node.address, "/ws", None).await else { panic!("let in") };
    assert_eq!(response.status(), 429);
    assert!(response.headers().contains_key("retry-after"));
    assert_eq!(node.get("/livez").await.0, 200, "requests are another matter");
}

#[tokio::test]
async fn a_client_that_answers_nothing_is_taken_for_gone() {
    let node = node(&[("WS_PING_SECS", "1"), ("WS_DEAD_AFTER_SECS", "3")]).await;
    let mut silent = RawSocket::open(node.address);
    assert_eq!(silent.close_code(), Some(4002));
    eventually("it is no longer counted", SOON, async || node.json("/api/connections").await["active_connections"] == 0).await;
}

#[tokio::test]
async fn connections_that_come_and_go_leave_nothing_behind() {
    let node = node(&[("WS_HANDSHAKE_BURST", "2000")]).await;
    for _ in 0..10 {
        let clients = futures_util::future::join_all((0..50).map(|_| Client::connect(node.address))).await;
        drop(clients);
    }
    eventually("nobody is counted", SOON, async || node.metric("coinlink_ws_connections{auth=\"anonymous\"}").await == 0).await;
    let before = node.resident_kib();
    for _ in 0..10 {
        drop(futures_util::future::join_all((0..50).map(|_| Client::connect(node.address))).await);
    }
    eventually("nobody is counted", SOON, async || node.json("/api/connections").await["active_connections"] == 0).await;
    let after = node.resident_kib();
    assert!(after < before + 2048, "{before} KiB, then {after} KiB");
}
