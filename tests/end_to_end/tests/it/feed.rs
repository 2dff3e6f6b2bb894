//! From provider to browser socket: fresh, fallen back, carried, and never made up.

use std::time::{Duration, Instant};

use coinlink_end_to_end_tests::{Client, Frame, Node, eventually, upstreams};
use coinlink_testkit::upstream_stub::{Mode, Provider, StubUpstream};

const SOON: Duration = Duration::from_secs(15);

async fn node(stub: &StubUpstream, settings: &[(&str, &str)]) -> Node {
    let upstreams = upstreams(stub);
    let upstreams: Vec<_> = upstreams.iter().map(|(name, url)| (*name, url.as_str())).collect();
    Node::dev(&[&upstreams[..], settings].concat()).await
}

#[tokio::test]
async fn a_client_gets_connected_the_list_at_once_and_then_a_tick_every_five_seconds() {
    let stub = StubUpstream::start().await;
    let node = node(&stub, &[]).await;
    eventually("prices", SOON, async || node.get("/api/bitcoin/price").await.0 == 200).await;

    let started = Instant::now();
    let mut client = Client::connect(node.address).await;
    let connected = client.frame().await;
    assert_eq!(connected.kind(), "connected");
    assert!(connected.json["data"]["server_time"].is_string() && connected.json["data"]["capabilities"].is_array());
    let snapshot = client.frame().await;
    assert_eq!(snapshot.kind(), "crypto_ticker_update");
    assert!(started.elapsed() < Duration::from_millis(500), "from memory: {:?}", started.elapsed());

    let mut before = client.update().await;
    let mut at = Instant::now();
    for _ in 0..2 {
        let tick = client.update().await;
        let gap = at.elapsed();
        assert!((4.5..5.5).contains(&gap.as_secs_f64()), "{gap:?}");
        assert_eq!(tick.id(), (before.id().0, before.id().1 + 1));
        (before, at) = (tick, Instant::now());
    }
    assert_eq!(stub.calls(Provider::CoinGecko), 1, "its cache holds a minute");
}

#[tokio::test]
async fn prices_are_right_to_the_last_digit_everywhere() {
    let stub = StubUpstream::start().await;
    stub.set_price("ETH", "5.938674704566297e-06");
    stub.set_price("BTC", "64000.123456789012345");
    let node = node(&stub, &[("TICKER_INTERVAL_MS", "1000"), ("TICKER_OVERLAY", "false")]).await;
    let mut client = Client::connect(node.address).await;
    let frame = client.update_when(SOON, |frame| frame.line("ETH").is_some()).await;
    let exact = [r#""price":0.000005938674704566297,"#, r#""price":64000.123456789012345,"#];
    assert!(exact.iter().all(|digits| frame.text.contains(digits)), "{}", frame.text);
    assert!(exact.iter().all(|digits| frame.text.contains(digits)));
    let ticker = node.get("/api/crypto/ticker").await.1;
    assert!(exact.iter().all(|digits| ticker.contains(digits)), "{ticker}");
    assert!(node.get("/api/bitcoin/price").await.1.contains(exact[1]));

    let lines = frame.json["data"].as_array().unwrap();
    let ranks: Vec<_> = lines.iter().map(|line| line["rank"].as_u64().unwrap()).collect();
    assert!(ranks.is_sorted());
    assert!(lines.iter().all(|line| line["price"].is_number() && line["source"] == "coingecko" && line["as_of"].is_string()));
    assert!(frame.line("BTC").is_some());
}

#[tokio::test]
async fn a_failing_source_is_replaced_within_the_tick_and_comes_back() {
    let stub = StubUpstream::start().await;
    stub.set_mode(Provider::CoinGecko, Mode::status(500, "{}"));
    let node = node(&stub, &[("TICKER_INTERVAL_MS", "1000"), ("TICKER_OVERLAY", "false")]).await;
    let mut client = Client::connect(node.address).await;
    let fallback = client.update_when(SOON, |frame| !frame.is_stale()).await;
    assert_eq!(fallback.json["source"], "coinbase");
    assert_eq!(fallback.line("BTC").unwrap()["source"], "coinbase");

    stub.set_modes(&Mode::status(503, "{}"));
    let carried = client.update_when(SOON, Frame::is_stale).await;
    let later = client.update().await;
    assert!(later.json["age_ms"].as_i64() > carried.json["age_ms"].as_i64());
    assert_eq!(later.line("BTC").unwrap()["price"], fallback.line("BTC").unwrap()["price"]);
    assert_eq!(later.json["data"].as_array().unwrap().len(), fallback.json["data"].as_array().unwrap().len());

    stub.set_modes(&Mode::Ok);
    let fresh = client.update_when(Duration::from_secs(40), |frame| !frame.is_stale()).await;
    assert!(fresh.line("BTC").is_some(), "fresh within one probe");
}

#[tokio::test]
async fn a_source_that_answers_with_frozen_data_is_stale_however_well_it_answers() {
    let stub = StubUpstream::start().await;
    stub.freeze_last_updated(Some(time::OffsetDateTime::now_utc() - time::Duration::minutes(10)));
    let node = node(&stub, &[("TICKER_INTERVAL_MS", "1000"), ("TICKER_OVERLAY", "false")]).await;
    let mut client = Client::connect(node.address).await;
    let frame = client.update_when(SOON, |frame| frame.line("BTC").is_some()).await;
    assert!(frame.is_stale() && frame.line("BTC").unwrap()["stale"] == true);
    assert!(frame.json["age_ms"].as_i64().unwrap() > 590_000);
}

#[tokio::test]
async fn the_live_overlay_moves_a_price_between_polls() {
    let stub = StubUpstream::start().await;
    stub.set_price("BTC", "64000");
    let node = node(&stub, &[("TICKER_INTERVAL_MS", "1000")]).await;
    let mut client = Client::connect(node.address).await;
    client.update_when(SOON, |frame| frame.line("BTC").is_some()).await;
    eventually("the feed is subscribed", SOON, async || !stub.subscriptions().is_empty()).await;
    let mut last = None;
    for _ in 0..6 {
        stub.push_ticker("BTC", "64123.45");
        last = Some(client.update().await);
    }
    let line = last.as_ref().unwrap().line("BTC").unwrap();
    assert_eq!((line["source"].as_str(), line["price"].as_f64()), (Some("coinbase_live"), Some(64123.45)));
    assert_eq!(last.as_ref().unwrap().json["source"], "coingecko");
}

#[tokio::test]
async fn with_nothing_known_the_list_is_empty_and_stale_and_the_node_is_ready() {
    let stub = StubUpstream::start().await;
    stub.stop().await;
    let node = node(&stub, &[("TICKER_INTERVAL_MS", "1000")]).await;
    assert_eq!(node.get("/livez").await.0, 200);
    let (status, body) = node.get("/readyz").await;
    assert_eq!(status, 200, "{body}");
    let mut client = Client::connect(node.address).await;
    let frame = client.update().await;
    assert!(frame.is_stale() && frame.json["data"].as_array().unwrap().is_empty());
    assert_eq!(node.get("/api/bitcoin/price").await.0, 503);
    client.update_when(SOON, |frame| frame.id().1 >= 2).await;
    let ready = node.json("/readyz").await;
    assert_eq!(ready["checks"]["feed"]["status"], "down", "{ready}");
}

#[tokio::test]
async fn a_restart_without_upstreams_shows_what_was_known_as_stale() {
    let stub = StubUpstream::start().await;
    let mut node = node(&stub, &[("TICKER_INTERVAL_MS", "1000"), ("TICKER_OVERLAY", "false")]).await;
    eventually("prices", SOON, async || node.get("/api/bitcoin/price").await.0 == 200).await;
    let before = node.json("/api/bitcoin/price").await;
    node.process.terminate();
    assert!(node.process.wait().await.success());
    stub.stop().await;
    node.process.start_again();
    node.is_live().await;
    eventually("the kept price", SOON, async || node.get("/api/bitcoin/price").await.0 == 200).await;
    let after = node.json("/api/bitcoin/price").await;
    assert_eq!((&after["data"]["price"], &after["data"]["stale"]), (&before["data"]["price"], &true.into()));
}

#[tokio::test]
async fn simulated_prices_say_so_in_every_payload() {
    let node = Node::dev_with(&["--feed", "simulated"], &[("TICKER_INTERVAL_MS", "1000")]).await;
    let mut client = Client::connect(node.address).await;
    let frame = client.update_when(SOON, |frame| frame.line("BTC").is_some()).await;
    assert_eq!(frame.json["source"], "simulated");
    assert!(frame.json["data"].as_array().unwrap().iter().all(|line| line["source"] == "simulated"));
    assert_eq!(node.json("/api/bitcoin/price").await["data"]["source"], "simulated");
}
