//! Price history is filled from providers, and goes on where it was.

use std::time::Duration;

use coinlink_end_to_end_tests::{Node, eventually, upstreams};
use coinlink_testkit::upstream_stub::{Mode, Provider, StubUpstream};
use serde_json::Value;

const SOON: Duration = Duration::from_secs(40);

async fn node(stub: &StubUpstream, more: &[(&str, &str)]) -> Node {
    let upstreams = upstreams(stub);
    let upstreams: Vec<_> = upstreams.iter().map(|(name, url)| (*name, url.as_str())).collect();
    let mine = [
        ("TICKER_INTERVAL_MS", "1000"),
        ("TICKER_OVERLAY", "false"),
        ("TICKER_SIZE", "2"),
        ("HISTORY_FILL", "true"),
        ("HISTORY_PACE_MS", "100"),
    ];
    Node::dev(&[&upstreams[..], &mine, more].concat()).await
}

async fn days(node: &Node, symbol: &str) -> Vec<Value> {
    let body = node.json(&format!("/api/v2/market/{symbol}/candles?interval=1d&limit=1000")).await;
    body["data"].as_array().cloned().unwrap_or_default()
}

/// Candles asked for of one length.
fn asked(stub: &StubUpstream, path: &str, granularity: &str) -> usize {
    let of = |request: &&coinlink_testkit::upstream_stub::Recorded| {
        request.path.starts_with(path) && request.query("granularity") == Some(granularity)
    };
    stub.requests().iter().filter(of).count()
}

const COINBASE: &str = "/coinbase/products/";

#[tokio::test]
async fn years_of_days_come_from_a_provider_and_a_restart_fetches_none_of_them_again() {
    let stub = StubUpstream::start().await;
    let mut node = node(&stub, &[]).await;
    eventually("history is filled", SOON, async || {
        node.get("/metrics").await.1.contains(r#"coinlink_history_missing_candles{interval="1d"} 0"#)
    })
    .await;
    for symbol in ["btc", "ETH"] {
        let days = days(&node, symbol).await;
        assert_eq!(days.len(), 1_000, "the newest ones of five years");
        assert!(days.iter().take(990).all(|day| day["closed"] == true && day["volume"] == "12.5"), "{:?}", days.first());
    }
    // Five years by three hundred days a call, of two assets.
    assert_eq!(asked(&stub, COINBASE, "86400"), 14);
    stub.reset_calls();
    node.restart().await;
    eventually("it was looked at again", SOON, async || {
        node.get("/metrics").await.1.contains(r#"coinlink_history_missing_candles{interval="1m"} 0"#)
    })
    .await;
    assert_eq!((asked(&stub, COINBASE, "86400"), asked(&stub, COINBASE, "3600")), (0, 0));
}

#[tokio::test]
async fn while_one_provider_fails_another_fills_in() {
    let stub = StubUpstream::start().await;
    stub.unlist("BTC");
    stub.set_mode(Provider::AlternativeMe, Mode::Hang);
    let node = node(&stub, &[("HISTORY_PROVIDERS", "coinbase,kraken")]).await;
    eventually("Kraken's days are shown", SOON, async || days(&node, "BTC").await.len() >= 719).await;
    let days = days(&node, "BTC").await;
    assert_eq!(days[days.len() - 10]["volume"], "3.25");
}
