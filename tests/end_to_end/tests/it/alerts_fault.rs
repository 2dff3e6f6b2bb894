//! Alerts while the node that evaluates them is killed: a crossing is told once.

use std::time::{Duration, Instant};

use coinlink_end_to_end_tests::{Api, Serve, UNLIMITED, eventually, leader, somebody};
use coinlink_testkit::{
    servers::{fresh_database, shared_redis},
    upstream_stub::StubUpstream,
};
use serde_json::json;

const SOON: Duration = Duration::from_secs(30);
const RULES: &str = "/api/v2/notifications/alerts";

#[tokio::test]
async fn a_leader_that_is_killed_around_a_crossing_leaves_exactly_one_firing() {
    let (stub, database, redis) = (StubUpstream::start().await, fresh_database().await, shared_redis().await);
    stub.set_price("BTC", "99000");
    let cluster = Serve { database: &database.url, redis: &redis.url(), prefix: &redis.fresh_prefix() };
    let settings = [&UNLIMITED[..], &[("TICKER_PROVIDERS", "kraken"), ("HISTORY_FILL", "false")]].concat();
    let mut nodes = cluster.start_with(2, &stub, &settings).await;
    let first = leader(&nodes).await;
    let api = Api::at(nodes[1 - first].url(""));
    let price_is = async |wanted: u64| api.get("/api/bitcoin/price").await.json["data"]["price"] == json!(wanted);
    eventually("a price is known", SOON, async || price_is(99_000).await).await;
    let held = api.sign_up(&somebody()).await;
    let rule = json!({ "symbol": "BTC", "condition": "crosses_above", "target_value": 100_000 });
    let _ = api.post_as(&held.access, RULES, &rule).await.expect(201);
    eventually("the leader knows the rule", SOON, async || nodes[first].metric("coinlink_alert_rules").await == 1).await;

    stub.set_price("BTC", "101000");
    eventually("the crossing is published", SOON, async || price_is(101_000).await).await;
    nodes[first].process.kill();
    // Beyond for these ticks alone: who comes after sees none of it in its own prices.
    stub.set_price("BTC", "99000");
    eventually("the other node leads", SOON, async || nodes[1 - first].metric("coinlink_leader").await == 1).await;
    let fired = async || api.get_as(&held.access, "/api/alerts/history").await.expect(200).json["count"].as_u64();
    eventually("the crossing is told", SOON, async || fired().await == Some(1)).await;
    eventually("the price is back", SOON, async || price_is(99_000).await).await;
    let told = Instant::now();
    while told.elapsed() < Duration::from_secs(5) {
        assert_eq!(fired().await, Some(1), "and it is told once");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let inbox = api.get_as(&held.access, "/api/v2/notifications").await.expect(200).json;
    assert_eq!(inbox.as_array().map(Vec::len), Some(1), "{inbox}");
    let rules = api.get_as(&held.access, RULES).await.expect(200).json;
    assert_eq!(rules[0]["trigger_count"], 1);
}
