//! Which source is shown when: the order of preference, slow ones, the overlay, and what is kept over a crash.

use std::time::{Duration, Instant};

use coinlink_end_to_end_tests::{Client, Frame, Node, upstreams};
use coinlink_testkit::upstream_stub::{Mode, Provider, StubUpstream};

const SOON: Duration = Duration::from_secs(15);

async fn node(stub: &StubUpstream, settings: &[(&str, &str)]) -> Node {
    let upstreams = upstreams(stub);
    let upstreams: Vec<_> = upstreams.iter().map(|(name, url)| (*name, url.as_str())).collect();
    Node::dev(&[&upstreams[..], &[("TICKER_INTERVAL_MS", "1000")], settings].concat()).await
}

const NO_OVERLAY: (&str, &str) = ("TICKER_OVERLAY", "false");

async fn first_fresh(node: &Node) -> Frame {
    let mut client = Client::connect(node.address).await;
    client.update_when(SOON, |frame| !frame.is_stale() && frame.line("BTC").is_some()).await
}

async fn first_fresh_after_a_tick(node: &Node) -> Frame {
    let mut client = Client::connect(node.address).await;
    let first = client.update().await.id();
    client.update_when(SOON, |frame| !frame.is_stale() && frame.id() > first).await
}

#[tokio::test]
async fn the_list_is_the_fifty_largest_by_rank_with_stablecoins_among_them() {
    let stub = StubUpstream::start().await;
    let node = node(&stub, &[NO_OVERLAY]).await;
    let frame = first_fresh(&node).await;
    let lines = frame.json["data"].as_array().unwrap();
    assert_eq!(lines.len(), 50);
    for (index, line) in lines.iter().enumerate() {
        assert_eq!(line["rank"], index + 1, "{line}");
        assert!(line["source"] == "coingecko" && line["as_of"].is_string() && line["stale"] == false, "{line}");
    }
    assert!(frame.text.contains(r#""symbol":"USDT","price":1.0002,"#) && frame.line("USDC").is_some());
    assert_eq!(frame.line("SHIB").unwrap()["price"].to_string().parse::<f64>().ok(), Some(5.938_674_704_566_297e-6));
    assert!(frame.text.contains(r#""symbol":"SHIB","price":0.000005938674704566297,"#));

    let mut stream = reqwest::get(node.url("/api/stream/ticker")).await.unwrap();
    let mut events = String::new();
    while !events.contains(r#""symbol":"SHIB","price":0.000005938674704566297,"#) {
        let chunk = tokio::time::timeout(SOON, stream.chunk()).await.expect("an event in time").unwrap().unwrap();
        events.push_str(std::str::from_utf8(&chunk).unwrap());
    }
}

#[tokio::test]
async fn the_last_source_steps_in_when_the_others_fail_and_says_what_it_does_not_know() {
    let stub = StubUpstream::start().await;
    stub.set_mode(Provider::CoinGecko, Mode::Html403);
    stub.set_mode(Provider::Coinbase, Mode::Garbage);
    let frame = first_fresh(&node(&stub, &[NO_OVERLAY]).await).await;
    let line = frame.line("BTC").unwrap();
    assert_eq!(
        (&frame.json["source"], &line["source"], &line["price"].to_string()[..]),
        (&"kraken".into(), &"kraken".into(), "64123.45")
    );
    assert!(line["change_24h"].is_null(), "today's open is no price of 24 hours ago");
}

#[tokio::test]
async fn a_source_that_hangs_does_not_keep_the_next_one_waiting() {
    let stub = StubUpstream::start().await;
    stub.set_mode(Provider::CoinGecko, Mode::Hang);
    let node = node(&stub, &[NO_OVERLAY]).await;
    let started = Instant::now();
    let frame = first_fresh(&node).await;
    assert_eq!(frame.json["source"], "coinbase");
    assert!(started.elapsed() < Duration::from_secs(5), "within the tick's four seconds: {:?}", started.elapsed());
}

#[tokio::test]
async fn the_settings_decide_the_order_and_one_source_is_enough() {
    let stub = StubUpstream::start().await;
    let frame = first_fresh(&node(&stub, &[NO_OVERLAY, ("TICKER_PROVIDERS", "kraken")]).await).await;
    assert_eq!(frame.json["source"], "kraken");
    assert_eq!((stub.calls(Provider::CoinGecko), stub.calls(Provider::Coinbase)), (0, 0));
}

#[tokio::test]
async fn an_overlay_that_is_switched_off_connects_to_nothing() {
    let stub = StubUpstream::start().await;
    let node = node(&stub, &[NO_OVERLAY]).await;
    let mut client = Client::connect(node.address).await;
    client.update_when(SOON, |frame| !frame.is_stale()).await;
    for _ in 0..3 {
        assert_eq!((stub.sockets(), stub.push_ticker("BTC", "65000")), (0, 0));
        assert_eq!(client.update().await.line("BTC").unwrap()["source"], "coingecko");
    }
}

#[tokio::test]
async fn a_price_that_is_no_price_is_left_out_of_the_list() {
    let stub = StubUpstream::start().await;
    for (symbol, price) in [("ADA", "null"), ("DOT", "0"), ("LINK", "-1.5")] {
        stub.set_price(symbol, price);
    }
    let frame = first_fresh(&node(&stub, &[NO_OVERLAY]).await).await;
    for symbol in ["ADA", "DOT", "LINK"] {
        assert_eq!(frame.line(symbol), None, "never known, so not in the list");
    }
    assert!(frame.json["data"].as_array().unwrap().iter().all(|line| line["price"].as_f64().unwrap() > 0.0));
}

#[tokio::test]
async fn what_was_known_survives_a_crash() {
    let stub = StubUpstream::start().await;
    let mut node = node(&stub, &[NO_OVERLAY]).await;
    // Kept after a tick went out, so surely before the next one does.
    first_fresh(&node).await;
    let before = first_fresh_after_a_tick(&node).await;
    node.process.kill();
    stub.stop().await;
    node.process.start_again();
    node.is_live().await;
    let mut client = Client::connect(node.address).await;
    let after = client.update_when(SOON, |frame| frame.line("BTC").is_some()).await;
    assert!(after.is_stale() && after.json["age_ms"].as_i64() >= before.json["age_ms"].as_i64(), "{}", after.text);
    let prices = |frame: &Frame| -> Vec<_> {
        let lines = frame.json["data"].as_array().unwrap();
        lines.iter().map(|line| (line["symbol"].clone(), line["price"].to_string())).collect()
    };
    assert_eq!(prices(&after), prices(&before), "all of them, in the same order");
    stub.restart().await;
    client.update_when(Duration::from_secs(35), |frame| !frame.is_stale()).await;
}
