//! Several nodes on one PostgreSQL and Redis, and what they survive. Each test has servers of its own.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use coinlink_end_to_end_tests::{Client, Frame, Serve, eventually};
use coinlink_testkit::{
    servers::{PrivatePostgres, PrivateRedis, fresh_database, shared_redis},
    upstream_stub::{Provider, StubUpstream},
};
use serde_json::json;

const SOON: Duration = Duration::from_secs(20);

async fn fresh(client: &mut Client) -> Frame {
    client.update_when(SOON, |frame| !frame.is_stale() && frame.line("BTC").is_some()).await
}

#[tokio::test]
async fn two_nodes_started_at_once_ask_once_and_say_the_same() {
    let (stub, database, redis) = (StubUpstream::start().await, empty_database().await, shared_redis().await);
    let cluster = Serve { database: &database.url, redis: &redis.url(), prefix: &redis.fresh_prefix() };
    let nodes = cluster.start(2, &stub).await;
    let mut clients = [Client::connect(nodes[0].address).await, Client::connect(nodes[1].address).await];
    let mut seen: [HashMap<(u64, u64), String>; 2] = [HashMap::new(), HashMap::new()];
    for _ in 0..6 {
        for (client, seen) in clients.iter_mut().zip(&mut seen) {
            let frame = client.update().await;
            if frame.json.get("replay").is_none() && frame.json["epoch"].is_u64() {
                seen.insert(frame.id(), frame.text);
            }
        }
    }
    let both: Vec<_> = seen[0].iter().filter(|(id, _)| seen[1].contains_key(id)).collect();
    assert!(both.len() >= 3, "{seen:?}");
    assert!(both.iter().all(|(id, text)| seen[1][id] == **text), "the same bytes on both nodes");
    assert_eq!(stub.calls(Provider::CoinGecko), 1, "one call a period for the whole cluster");
    assert!(seen.iter().flat_map(HashMap::keys).all(|(epoch, _)| *epoch == both[0].0.0), "one leader");
}

async fn empty_database() -> coinlink_testkit::servers::TestDatabase {
    coinlink_testkit::servers::shared_postgres().await.empty_database().await
}

#[tokio::test]
async fn while_redis_is_stopped_frozen_or_wiped_clients_get_stale_frames_and_then_fresh_ones() {
    let (stub, database, mut redis) = (StubUpstream::start().await, fresh_database().await, PrivateRedis::start().await);
    let url = redis.url();
    let cluster = Serve { database: &database.url, redis: &url, prefix: "e2e:" };
    let node = cluster.start(1, &stub).await.remove(0);
    let pid = node.process.pid();
    let mut client = Client::connect(node.address).await;
    let before = fresh(&mut client).await;

    redis.stop().await;
    let replay = client.update_when(SOON, Frame::is_stale).await;
    assert_eq!(replay.line("BTC").unwrap()["price"], before.line("BTC").unwrap()["price"]);
    let later = client.update().await;
    assert!(later.is_stale() && later.json["age_ms"].as_i64() > replay.json["age_ms"].as_i64());
    eventually("it is not ready", SOON, async || node.get("/readyz").await.0 == 503).await;
    assert_eq!((node.get("/livez").await.0, node.get("/health").await.0), (200, 503));
    assert_eq!(node.get("/readyz/node").await.0, 200, "a balancer goes on to send it requests");
    redis.start_again().await;
    recovers(&mut client, "a stop").await;
    eventually("it is ready", SOON, async || node.get("/readyz").await.0 == 200).await;

    redis.freeze();
    client.update_when(SOON, Frame::is_stale).await;
    redis.thaw();
    recovers(&mut client, "a freeze").await;

    redis.flush();
    recovers(&mut client, "a wipe").await;

    redis.ask(&["CLIENT", "KILL", "TYPE", "pubsub"]);
    recovers(&mut client, "a cut subscription").await;
    assert_eq!(node.process.pid(), pid, "nothing was restarted");
}

async fn recovers(client: &mut Client, what: &str) {
    let back = Instant::now();
    let mut last = client.update().await.id();
    let mut fresh = 0;
    while fresh < 2 {
        let frame = client.update().await;
        fresh += usize::from(!frame.is_stale() && frame.id() > last);
        last = frame.id();
    }
    // The lease of 10 s may have to lapse first, when the leader lost it with Redis.
    assert!(back.elapsed() < Duration::from_secs(12), "{:?} after {what}", back.elapsed());
}

#[tokio::test]
async fn a_node_that_starts_while_redis_is_away_shows_the_last_known_prices_as_stale_until_there_are_fresh_ones() {
    let (stub, database, mut redis) = (StubUpstream::start().await, fresh_database().await, PrivateRedis::start().await);
    let url = redis.url();
    let cluster = Serve { database: &database.url, redis: &url, prefix: "late:" };
    let first = cluster.start(1, &stub).await.remove(0);
    let known = fresh(&mut Client::connect(first.address).await).await;
    redis.stop().await;

    let late = cluster.start(1, &stub).await.remove(0);
    let mut client = Client::connect(late.address).await;
    let recalled = client.update_when(SOON, |frame| frame.line("BTC").is_some()).await;
    assert!(recalled.is_stale() && recalled.line("BTC").unwrap()["stale"] == true, "{}", recalled.text);
    assert_eq!(recalled.line("BTC").unwrap()["price"], known.line("BTC").unwrap()["price"]);
    assert_eq!(recalled.json["source"], known.json["source"]);
    let later = client.update_when(SOON, |frame| frame.json["age_ms"].as_i64() > recalled.json["age_ms"].as_i64()).await;
    assert!(later.is_stale() && later.id() == recalled.id() && later.id() < known.id(), "{}", later.text);
    let listed = late.json("/api/crypto/ticker").await;
    assert_eq!((&listed["stale"], listed["data"].as_array().map(Vec::len)), (&true.into(), Some(50)), "{listed}");
    assert_eq!(late.json("/api/bitcoin/price").await["data"]["stale"], true);
    // A socket that comes over from a node that had ticks.
    let mut moved = Client::connect(late.address).await;
    moved.say(&json!({ "type": "resume", "epoch": known.id().0, "seq": known.id().1 })).await;
    assert_eq!(moved.frame_of("resumed").await.json["data"]["recovered"], false);
    assert!(moved.update().await.line("BTC").is_some());
    // Nothing was ever kept there, so there is nothing to show.
    let nothing = fresh_database().await;
    let bare = Serve { database: &nothing.url, redis: &url, prefix: "late:" }.start(1, &stub).await.remove(0);
    let mut visitor = Client::connect(bare.address).await;
    for _ in 0..3 {
        let empty = visitor.update().await;
        assert!(empty.is_stale() && empty.json["data"].as_array().is_some_and(Vec::is_empty), "{}", empty.text);
    }
    assert_eq!(bare.get("/api/bitcoin/price").await.0, 503);
    drop(bare);

    redis.start_again().await;
    for client in [&mut client, &mut moved] {
        assert!(fresh(client).await.id() > known.id());
    }
    eventually("the route is fresh", SOON, async || late.json("/api/crypto/ticker").await["stale"] == false).await;
}

#[tokio::test]
async fn while_the_database_is_stopped_ticks_go_on_and_readiness_tells() {
    let (stub, mut postgres, redis) = (StubUpstream::start().await, PrivatePostgres::start().await, shared_redis().await);
    let database = postgres.address().fresh_database().await;
    let cluster = Serve { database: &database.url, redis: &redis.url(), prefix: &redis.fresh_prefix() };
    let node = cluster.start(1, &stub).await.remove(0);
    let mut client = Client::connect(node.address).await;
    fresh(&mut client).await;
    postgres.stop().await;
    eventually("it is not ready", SOON, async || node.get("/readyz").await.0 == 503).await;
    assert_eq!(node.get("/readyz/node").await.0, 200, "a balancer goes on to send it requests");
    let before = fresh(&mut client).await.id();
    assert!(fresh(&mut client).await.id() > before, "the ticker needs no database");
    postgres.start_again().await;
    eventually("it is ready", SOON, async || node.get("/readyz").await.0 == 200).await;
}

#[tokio::test]
async fn a_node_that_is_asked_to_end_says_when_to_come_back_and_hands_over() {
    let (stub, database, redis) = (StubUpstream::start().await, fresh_database().await, shared_redis().await);
    let cluster = Serve { database: &database.url, redis: &redis.url(), prefix: &redis.fresh_prefix() };
    let mut first = cluster.start(1, &stub).await.remove(0);
    let mut client = Client::connect(first.address).await;
    let before = fresh(&mut client).await.id();
    let second = cluster.start(1, &stub).await.remove(0);
    let mut other = Client::connect(second.address).await;

    first.process.terminate();
    let asked = Instant::now();
    let (code, reason) = client.closed().await.unwrap();
    let reason: serde_json::Value = serde_json::from_str(&reason).unwrap();
    assert_eq!((code, reason["reason"].as_str()), (1001, Some("draining")));
    assert!(reason["retry_after_ms"].as_u64().unwrap() <= 10_000);
    other.update_when(SOON, |frame| frame.id().0 > before.0).await;
    assert!(asked.elapsed() < Duration::from_secs(3), "the lease was given up: {:?}", asked.elapsed());
    assert!(first.process.wait().await.success());
    assert!(asked.elapsed() < Duration::from_secs(15));
}

#[tokio::test]
async fn serve_without_its_settings_names_all_of_them_and_ends() {
    let launch = coinlink_testkit::servers::Launch::new(coinlink_testkit::servers::built_binary("coinlink")).args(["serve"]);
    let mut process = launch.start();
    assert!(!process.wait().await.success());
    let log = process.log();
    for name in
        ["DATABASE_URL", "REDIS_URL", "JWT_SECRET_KEY", "JWT_ISSUER", "JWT_AUDIENCE", "ALLOWED_ORIGINS", "PASSWORD_PEPPER"]
    {
        assert!(log.contains(name), "{name} is missing in:\n{log}");
    }
}
