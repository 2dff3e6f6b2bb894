//! Ticks become candles that outlive the node that collected them.

use std::time::Duration;

use coinlink_end_to_end_tests::{Node, Serve, UNLIMITED, eventually};
use coinlink_testkit::{
    servers::{fresh_database, shared_redis},
    upstream_stub::StubUpstream,
};
use serde_json::Value;

const SOON: Duration = Duration::from_secs(40);
/// Kraken is asked every five seconds, which is often enough to see its price move.
const SETTINGS: [(&str, &str); 2] = [("TICKER_PROVIDERS", "kraken"), ("HISTORY_FILL", "false")];

/// The newest candle, where there is one.
async fn newest(node: &Node, interval: &str) -> Option<Value> {
    let body = node.json(&format!("/api/v2/market/btc/candles?limit=1&interval={interval}")).await;
    body["data"][0].is_object().then(|| body["data"][0].clone())
}

async fn shows(node: &Node, price: &str) {
    eventually("the price is shown", SOON, async || {
        node.get("/api/bitcoin/price").await.1.contains(&format!("\"price\":{price},"))
    })
    .await;
}

#[tokio::test]
async fn the_running_minute_is_told_and_a_restart_loses_nothing_of_it() {
    let (stub, database, redis) = (StubUpstream::start().await, fresh_database().await, shared_redis().await);
    let cluster = Serve { database: &database.url, redis: &redis.url(), prefix: &redis.fresh_prefix() };
    stub.set_price("BTC", "97000.5");
    let mut nodes = cluster.start_with(1, &stub, &[&SETTINGS[..], &UNLIMITED].concat()).await;
    let node = &mut nodes[0];
    eventually("a candle is told", SOON, async || newest(node, "1m").await.is_some()).await;
    for interval in ["1m", "5m", "1h", "1d"] {
        let candle = newest(node, interval).await.unwrap();
        assert_eq!((&candle["open"], &candle["volume"]), (&"97000.5".into(), &Value::Null), "{interval}");
        assert!(candle["closed"] == false || interval == "1m", "{interval}: {candle}");
    }
    let body = node.json("/api/v2/market/BTC/candles?interval=1m").await;
    assert_eq!(body["sources"], serde_json::json!(["ticks"]));
    let points = node.json("/api/v2/market/bitcoin/history?period=1h&interval=1m").await;
    assert!(points[0]["price"].to_string().starts_with("97000.5") && points[0].get("volume").is_none(), "{points}");

    // The highest and the lowest are seen before the end, and are not written until then.
    for price in ["98001.25", "96002.75"] {
        stub.set_price("BTC", price);
        shows(node, price).await;
    }
    node.restart().await;
    stub.set_price("BTC", "97100.5");
    shows(node, "97100.5").await;
    eventually("the day goes on", SOON, async || newest(node, "1d").await.is_some_and(|day| day["close"] == "97100.5")).await;
    let day = newest(node, "1d").await.unwrap();
    assert_eq!((&day["high"], &day["low"]), (&"98001.25".into(), &"96002.75".into()), "{day}");
    let unknown = node.get("/api/v2/market/nonesuch/candles").await;
    assert_eq!(unknown.0, 404);
}
