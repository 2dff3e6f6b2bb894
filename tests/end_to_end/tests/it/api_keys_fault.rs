//! API keys on two nodes that are kept busy, with Redis and without.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use coinlink_end_to_end_tests::{Answer, Api, Held, PASSWORD, Serve, UNLIMITED, eventually, somebody};
use coinlink_testkit::{
    servers::{PrivateRedis, fresh_database},
    upstream_stub::StubUpstream,
};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::{task::JoinSet, time::sleep};

const KEYS: &str = "/api/v2/user/api-keys";
const PROFILE: &str = "/api/v2/user/profile";
const FALLBACK: &str = "coinlink_rate_limiter_fallback";
const SOON: Duration = Duration::from_secs(20);
/// The promise.
const REFUSED_WITHIN: Duration = Duration::from_secs(1);

async fn with_key(api: &Api, key: &str) -> Answer {
    api.send(api.request(Method::GET, PROFILE).header("X-API-Key", key)).await
}

async fn a_key(api: &Api, ada: &Held) -> (String, String) {
    let made = api
        .post_as(&ada.access, KEYS, &json!({"name": "bot", "scopes": ["account:read"], "password": PASSWORD}))
        .await
        .expect(201);
    let text = |field: &str| made.json[field].as_str().unwrap().to_owned();
    (text("id"), text("key"))
}

/// What one client saw of a key: when it was last taken, and when first refused.
#[derive(Default)]
struct Seen {
    taken: Vec<Instant>,
    refused: Vec<Instant>,
}

/// Presents the key without a pause on every node, four times at once on each, until told to stop. Each request's moment is the
/// one it was sent at.
fn kept_busy(apis: &[Api], key: &str, stop: &Arc<AtomicBool>) -> JoinSet<Seen> {
    let mut clients = JoinSet::new();
    for api in apis.iter().flat_map(|api| std::iter::repeat_n(api, 4)) {
        let (api, key, stop) = (api.clone(), key.to_owned(), Arc::clone(stop));
        clients.spawn(async move {
            let mut seen = Seen::default();
            while !stop.load(Ordering::SeqCst) {
                let sent = Instant::now();
                let answer = with_key(&api, &key).await;
                match (answer.status, answer.code()) {
                    (200, _) => seen.taken.push(sent),
                    (401, "invalid_api_key") => seen.refused.push(sent),
                    _ => panic!("{}", answer.text),
                }
            }
            seen
        });
    }
    clients
}

#[tokio::test]
async fn a_revoked_key_is_refused_within_a_second_on_busy_nodes_with_redis_and_without() {
    let (stub, database, mut redis) = (StubUpstream::start().await, fresh_database().await, PrivateRedis::start().await);
    let url = redis.url();
    let cluster = Serve { database: &database.url, redis: &url, prefix: "keys:" };
    let settings = [&UNLIMITED[..], &[("RATE_LIMIT_API_KEY", "1000000")]].concat();
    let nodes = cluster.start_with(2, &stub, &settings).await;
    let apis: Vec<_> = nodes.iter().map(|node| Api::at(node.url(""))).collect();
    eventually("the nodes are ready", SOON, async || nodes[0].get("/readyz").await.0 == 200).await;
    let ada = apis[0].sign_up(&somebody()).await;
    let mut secrets = Vec::new();
    for with_redis in [true, false] {
        if !with_redis {
            redis.stop().await;
            for (node, api) in nodes.iter().zip(&apis) {
                eventually("each node counts alone", SOON, async || {
                    let _ = api.get("/api/connections").await;
                    node.metric(FALLBACK).await == 1
                })
                .await;
            }
        }
        let (id, key) = a_key(&apis[0], &ada).await;
        let stop = Arc::new(AtomicBool::new(false));
        let clients = kept_busy(&apis, &key, &stop);
        sleep(Duration::from_secs(2)).await;
        let revoke = apis[0].request(Method::DELETE, &format!("{KEYS}/{id}")).bearer_auth(&ada.access);
        let _ = apis[0].send(revoke).await.expect(200);
        let revoked = Instant::now();
        // Long past the promise, so that a key that came back would be seen.
        sleep(Duration::from_secs(4)).await;
        stop.store(true, Ordering::SeqCst);
        let mut latest = Duration::ZERO;
        for seen in clients.join_all().await {
            assert!(seen.taken.len() > 5 && seen.refused.len() > 5, "{} {}", seen.taken.len(), seen.refused.len());
            let late = seen.taken.last().unwrap().saturating_duration_since(revoked);
            latest = latest.max(late);
            assert!(seen.refused.iter().all(|refused| seen.taken.iter().all(|taken| taken < refused)), "once refused, for ever");
        }
        assert!(latest < REFUSED_WITHIN, "{latest:?}");
        secrets.push(key.split('_').nth(2).unwrap().to_owned());
    }
    for (node, secret) in nodes.iter().flat_map(|node| secrets.iter().map(move |secret| (node, secret))) {
        let log = node.process.log();
        assert!(!log.contains(secret.as_str()) && !log.contains("panicked"), "a secret or a panic in the log");
    }
}

#[tokio::test]
async fn the_last_use_of_a_key_is_told_soon_and_wherever_it_was() {
    let (stub, database, redis) = (StubUpstream::start().await, fresh_database().await, PrivateRedis::start().await);
    let url = redis.url();
    let nodes = Serve { database: &database.url, redis: &url, prefix: "uses:" }.start_with(2, &stub, &UNLIMITED).await;
    let apis: Vec<_> = nodes.iter().map(|node| Api::at(node.url(""))).collect();
    eventually("the node is ready", SOON, async || nodes[0].get("/readyz").await.0 == 200).await;
    let ada = apis[0].sign_up(&somebody()).await;
    let (_, key) = a_key(&apis[0], &ada).await;
    let last_used = async || apis[0].get_as(&ada.access, KEYS).await.expect(200).json["data"][0]["last_used_at"].clone();
    assert_eq!(last_used().await, Value::Null);
    let _ = with_key(&apis[1], &key).await.expect(200);
    eventually("the use is noted", SOON, async || last_used().await.is_string()).await;
    let noted = last_used().await;
    for _ in 0..20 {
        for api in &apis {
            let _ = with_key(api, &key).await.expect(200);
        }
        sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(last_used().await, noted, "at most once a minute");
}
