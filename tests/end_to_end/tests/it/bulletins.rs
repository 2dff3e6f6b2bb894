//! News, the mood, figures and searches: fetched once for all nodes, and kept while their providers fail.

use std::time::Duration;

use coinlink_end_to_end_tests::{Node, Serve, UNLIMITED, eventually, leader};
use coinlink_testkit::{
    servers::{fresh_database, shared_redis},
    upstream_stub::{Mode, Provider, StubUpstream},
};
use serde_json::Value;

const SOON: Duration = Duration::from_secs(30);
const KEY: (&str, &str) = ("NEWSAPI_API_KEY", "a-key-of-ours");
const BULLETINS: [Provider; 3] = [Provider::NewsApi, Provider::AlternativeMe, Provider::Overview];

fn calls(stub: &StubUpstream) -> [usize; 3] {
    BULLETINS.map(|provider| stub.calls(provider))
}

async fn has_news(node: &Node) {
    eventually("headlines", SOON, async || node.json("/api/bitcoin/news").await["source"] == "newsapi").await;
    eventually("figures", SOON, async || node.get("/api/v2/market/stats").await.0 == 200).await;
    eventually("searches", SOON, async || node.get("/api/v2/market/trending").await.0 == 200).await;
}

/// What does not change from minute to minute.
async fn told(node: &Node) -> (Value, Value, Value) {
    let news = node.json("/api/bitcoin/news?limit=100").await;
    let stats = node.json("/api/v2/market/stats").await;
    (news["articles"].clone(), news["fetched_at"].clone(), stats["total_market_cap"].clone())
}

#[tokio::test]
async fn two_nodes_ask_once_and_both_tell_it_also_after_the_leader_is_gone_and_its_providers_fail() {
    let (stub, database, redis) = (StubUpstream::start().await, fresh_database().await, shared_redis().await);
    let cluster = Serve { database: &database.url, redis: &redis.url(), prefix: &redis.fresh_prefix() };
    let settings = [&UNLIMITED[..], &[KEY]].concat();
    let mut nodes = cluster.start_with(2, &stub, &settings).await;
    for node in &nodes {
        has_news(node).await;
    }
    assert_eq!(calls(&stub), [1, 1, 2], "one call for each of them, for the whole cluster");
    let before = told(&nodes[0]).await;
    assert_eq!(before, told(&nodes[1]).await);
    assert_eq!(before.0.as_array().map(Vec::len), Some(99));
    let trending = nodes[1].json("/api/v2/market/trending?limit=3").await;
    assert_eq!((&trending[0]["symbol"], trending.as_array().map(Vec::len)), (&"WNT0".into(), Some(3)));

    for provider in BULLETINS {
        stub.set_mode(provider, Mode::status(500, "{}"));
    }
    let led = leader(&nodes).await;
    nodes.remove(led);
    let left = &nodes[0];
    eventually("the other node leads", SOON, async || left.metric("coinlink_leader").await == 1).await;
    // Several looks at what is due.
    tokio::time::sleep(Duration::from_secs(12)).await;
    assert_eq!(calls(&stub), [1, 1, 2], "a change of leader costs nothing");
    assert_eq!(told(left).await, before);
    let late = cluster.start_with(1, &stub, &settings).await.remove(0);
    has_news(&late).await;
    assert_eq!(told(&late).await, before, "a new node finds what is known");
    assert_eq!(calls(&stub), [1, 1, 2]);
    assert_eq!(left.json("/api/bitcoin/news").await["stale"], false);
    assert!(left.json("/api/bitcoin/news").await["age_ms"].as_i64().is_some());
}

#[tokio::test]
async fn where_headlines_never_came_primers_say_so_and_the_key_is_told_to_nobody() {
    let stub = StubUpstream::start().await;
    let body = r#"{"status":"error","code":"apiKeyInvalid","message":"a-key-of-ours is invalid"}"#;
    stub.set_mode(Provider::NewsApi, Mode::status(401, body));
    let upstreams = coinlink_end_to_end_tests::upstreams(&stub);
    let mut settings: Vec<_> = upstreams.iter().map(|(name, url)| (*name, url.as_str())).collect();
    settings.extend([KEY, ("TICKER_OVERLAY", "false")]);
    let node = Node::dev(&settings).await;
    eventually("the refusal", SOON, async || {
        node.metric_if_any("coinlink_provider_errors_total{class=\"config\",provider=\"newsapi\"}").await == Some(1)
    })
    .await;
    let news = node.json("/api/bitcoin/news").await;
    assert_eq!((&news["source"], &news["unavailable"]), (&"curated".into(), &"newsapi".into()));
    assert_eq!(stub.calls(Provider::NewsApi), 1);
    let log = node.process.log();
    assert!(log.contains("newsapi") && !log.contains("a-key-of-ours"), "{log}");
}

#[tokio::test]
async fn a_made_up_world_asks_nobody_outside() {
    let stub = StubUpstream::start().await;
    let upstreams = coinlink_end_to_end_tests::upstreams(&stub);
    let mut settings: Vec<_> = upstreams.iter().map(|(name, url)| (*name, url.as_str())).collect();
    settings.push(KEY);
    let node = Node::dev_with(&["--feed", "simulated"], &settings).await;
    eventually("prices", SOON, async || node.get("/api/bitcoin/price").await.0 == 200).await;
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(node.json("/api/bitcoin/news").await["unavailable"], Value::Null);
    assert_eq!((node.get("/api/v2/market/stats").await.0, node.get("/api/v2/market/trending").await.0), (503, 503));
    assert!(stub.requests().is_empty(), "{:?}", stub.requests());
}
