//! Limits and ended sessions while Redis is stopped, frozen, wiped and started again; and a window, watched as it passes.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use coinlink_end_to_end_tests::{Answer, Api, Held, Node, Serve, UNLIMITED, eventually, somebody};
use coinlink_testkit::{
    servers::{PrivateRedis, TestDatabase, fresh_database, shared_redis},
    upstream_stub::StubUpstream,
};
use reqwest::Method;
use serde_json::json;
use tokio::{task::JoinSet, time::sleep};

const PRICE: &str = "/api/bitcoin/price";
const VERIFY: &str = "/api/v2/auth/verify";
const FALLBACK: &str = "coinlink_rate_limiter_fallback";
const SOON: Duration = Duration::from_secs(20);
const WINDOW: Duration = Duration::from_mins(1);

/// Two nodes with a Redis of their own.
struct Cluster {
    nodes: Vec<Node>,
    apis: Vec<Api>,
    redis: PrivateRedis,
    _database: TestDatabase,
    _stub: StubUpstream,
}

impl Cluster {
    async fn start(settings: &[(&str, &str)]) -> Self {
        let (stub, database, redis) = (StubUpstream::start().await, fresh_database().await, PrivateRedis::start().await);
        let url = redis.url();
        let cluster = Serve { database: &database.url, redis: &url, prefix: "limits:" };
        let nodes = cluster.start_with(2, &stub, settings).await;
        for node in &nodes {
            eventually("prices", SOON, async || node.get("/readyz").await.0 == 200 && node.get(PRICE).await.0 == 200).await;
        }
        let apis = nodes.iter().map(|node| Api::at(node.url(""))).collect();
        Self { nodes, apis, redis, _database: database, _stub: stub }
    }

    /// Every node counts alone, or all count together; something has to be counted for a node to notice.
    async fn counts_alone(&self, alone: bool) {
        for (node, api) in self.nodes.iter().zip(&self.apis) {
            eventually("each node knows whether it counts alone", SOON, async || {
                let _ = from(api, "192.0.2.250", Method::GET, PRICE).await;
                node.metric(FALLBACK).await == u64::from(alone)
            })
            .await;
        }
    }
}

async fn from(api: &Api, address: &str, method: Method, path: &str) -> Answer {
    api.send(api.request(method, path).header("X-Forwarded-For", address)).await
}

/// How many of these pass before one is refused for being too many.
async fn passed(mut ask: impl AsyncFnMut() -> Answer) -> u32 {
    for count in 0..1_000 {
        let answer = ask().await;
        assert!(answer.status < 500, "{}", answer.text);
        if answer.status == 429 {
            assert_eq!(answer.code(), "rate_limited");
            assert!((1..=60).contains(&answer.header("retry-after").parse::<u32>().unwrap()));
            return count;
        }
    }
    panic!("the limit is open");
}

#[tokio::test]
async fn without_redis_each_node_holds_half_of_every_limit_and_a_third_of_the_passwords() {
    let mut cluster = Cluster::start(&[("TRUSTED_PROXIES", "127.0.0.1/32")]).await;
    let email = somebody();
    let held = cluster.apis[0].sign_up(&email).await;
    cluster.redis.stop().await;
    cluster.counts_alone(true).await;
    for (node, api) in cluster.apis.iter().enumerate() {
        let with_token = async |path| api.get_as(&held.access, path).await;
        // Refused before it is hashed, and a try nevertheless.
        let weak = async |address: &str, email: &str| {
            let body = json!({"email": email, "password": "short"});
            api.send(api.with_json(Method::POST, "/api/v2/auth/signup", &body).header("X-Forwarded-For", address)).await
        };
        let counted = [
            ("anonymous", 50, passed(async || from(api, "198.51.100.1", Method::GET, "/openapi.json").await).await),
            ("price, address", 30, passed(async || from(api, "198.51.100.1", Method::GET, PRICE).await).await),
            ("authenticated", 60, passed(async || with_token("/api/v2/auth/rate-limit").await).await),
            ("price, user", 30, passed(async || with_token(PRICE).await).await),
            ("credentials, address", 4, passed(async || weak("198.51.100.2", &somebody()).await).await),
        ];
        for (class, expected, found) in counted {
            assert_eq!(found, expected, "{class} on node {node}");
        }
        let (nobody, mut client) = (somebody(), 0);
        let of_an_account = passed(async || {
            client += 1;
            weak(&format!("203.0.113.{client}"), &nobody).await
        });
        assert_eq!(of_an_account.await, 4, "credentials, account on node {node}");
        let mut token = api.sign_in(&email).await.refresh;
        let refreshed = passed(async || {
            let answer = api.refresh(&token).await;
            token = answer.json["refresh_token"].as_str().unwrap_or(&token).to_owned();
            answer
        });
        assert_eq!(refreshed.await, 30, "session on node {node}");
    }
    cluster.redis.start_again().await;
    cluster.counts_alone(false).await;
    let whole = from(&cluster.apis[0], "198.51.100.9", Method::GET, PRICE).await.expect(200);
    assert_eq!(whole.header("x-ratelimit-limit"), "60", "together again, by the whole limit");
}

#[tokio::test]
async fn while_redis_is_frozen_nobody_waits_for_it_and_signing_in_works() {
    let cluster = Cluster::start(&UNLIMITED).await;
    let email = somebody();
    let held = cluster.apis[0].sign_up(&email).await;
    cluster.redis.freeze();
    let mut waits = Vec::new();
    for turn in 0..200 {
        let api = &cluster.apis[turn % 2];
        let asked = Instant::now();
        let _ = if turn % 4 < 2 { api.get(PRICE).await } else { api.get_as(&held.access, PRICE).await }.expect(200);
        waits.push(asked.elapsed());
        // Spread, so that several of them are the one that tries Redis again.
        sleep(Duration::from_millis(10)).await;
    }
    waits.sort_unstable();
    assert!(waits[100] < Duration::from_millis(50), "half of them: {:?}", waits[100]);
    assert!(waits[199] < Duration::from_millis(400), "the longest: {:?}", &waits[190..]);
    cluster.counts_alone(true).await;
    for api in &cluster.apis {
        let again = api.sign_in(&email).await;
        let _ = api.get_as(&again.access, VERIFY).await.expect(200);
        let _ = api.refresh(&again.refresh).await.expect(200);
    }
    cluster.redis.thaw();
    cluster.counts_alone(false).await;
}

/// Clients that do not stop asking, and what they were answered.
struct Hammer {
    stop: Arc<AtomicBool>,
    asked: Arc<AtomicU64>,
    tasks: JoinSet<()>,
}

impl Hammer {
    /// Asks every node for what is public and what is the user's, and holds each answer to `right`.
    fn with(cluster: &Cluster, token: &str, right: fn(&Answer) -> bool) -> Self {
        let (stop, asked) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        let mut tasks = JoinSet::new();
        for api in &cluster.apis {
            for path in [PRICE, VERIFY] {
                let (api, token, stop, asked) = (api.clone(), token.to_owned(), Arc::clone(&stop), Arc::clone(&asked));
                tasks.spawn(async move {
                    while !stop.load(Ordering::Relaxed) {
                        let answer = api.get_as(&token, path).await;
                        assert!(right(&answer), "{path}: {} {}", answer.status, answer.text);
                        asked.fetch_add(1, Ordering::Relaxed);
                        sleep(Duration::from_millis(5)).await;
                    }
                });
            }
        }
        Self { stop, asked, tasks }
    }

    /// How many answers there were, all of them right.
    async fn end(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.tasks.join_all().await;
        self.asked.load(Ordering::Relaxed)
    }
}

async fn is_over(cluster: &Cluster, held: &Held, within: Duration) {
    for api in &cluster.apis {
        eventually("it is over on each node", within, async || {
            api.get_as(&held.access, VERIFY).await.code() == "session_revoked"
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_over_stays_over_while_redis_is_stopped_frozen_wiped_and_started_empty() {
    let mut cluster = Cluster::start(&UNLIMITED).await;
    let email = somebody();
    let goes_on = cluster.apis[0].sign_up(&email).await;
    let ended = cluster.apis[0].sign_in(&email).await;
    let _ = cluster.apis[0].post("/api/v2/auth/logout", &json!({"refresh_token": ended.refresh})).await.expect(200);
    is_over(&cluster, &ended, Duration::from_secs(1)).await;
    let over = Hammer::with(&cluster, &ended.access, |answer| answer.code() == "session_revoked");
    let good = Hammer::with(&cluster, &goes_on.access, |answer| answer.status == 200);
    let mut later = Vec::new();
    for fault in ["stop", "freeze", "wipe"] {
        let meanwhile = cluster.apis[1].sign_in(&email).await;
        match fault {
            "stop" => cluster.redis.stop().await,
            "freeze" => cluster.redis.freeze(),
            _ => cluster.redis.flush(),
        }
        sleep(Duration::from_millis(1_500)).await;
        let _ = cluster.apis[1].post_as(&meanwhile.access, "/api/v2/auth/logout", &json!({})).await.expect(200);
        // Without Redis the other node hears of it from the database, twice a second.
        is_over(&cluster, &meanwhile, Duration::from_secs(1)).await;
        later.push(Hammer::with(&cluster, &meanwhile.access, |answer| answer.code() == "session_revoked"));
        match fault {
            "stop" => cluster.redis.start_again().await,
            "freeze" => cluster.redis.thaw(),
            _ => {}
        }
        cluster.counts_alone(false).await;
        sleep(Duration::from_secs(3)).await;
    }
    let mut asked = over.end().await;
    for hammer in later {
        asked += hammer.end().await;
    }
    assert!(asked > 1_000, "{asked} requests");
    assert!(good.end().await > 500, "another session of the account was served throughout");
}

#[tokio::test]
async fn a_slot_is_free_again_when_the_oldest_request_leaves_the_window_and_not_before() {
    const LIMIT: usize = 12;
    let (stub, database, redis) = (StubUpstream::start().await, fresh_database().await, shared_redis().await);
    let cluster = Serve { database: &database.url, redis: &redis.url(), prefix: &redis.fresh_prefix() };
    let nodes = cluster.start_with(2, &stub, &[("RATE_LIMIT_ANONYMOUS", "12")]).await;
    let apis: Vec<Api> = nodes.iter().map(|node| Api::at(node.url(""))).collect();
    // When each one that passed was sent and answered, and when those that did not were told to come back.
    let mut passed: Vec<(Instant, Instant)> = Vec::new();
    let mut told: Vec<(Instant, u64)> = Vec::new();
    let mut ask = async |turn: usize| {
        let sent = Instant::now();
        let answer = apis[turn % 2].get("/asyncapi.json").await;
        match answer.status {
            200 => passed.push((sent, Instant::now())),
            429 => told.push((Instant::now(), answer.header("retry-after").parse().unwrap())),
            other => panic!("{other}: {}", answer.text),
        }
        passed.len()
    };
    for turn in 0..LIMIT / 2 {
        let _ = ask(turn).await;
    }
    sleep(Duration::from_millis(1_500)).await;
    let started = Instant::now();
    let mut turn = 0;
    while ask(turn).await < 2 * LIMIT && started.elapsed() < WINDOW + Duration::from_secs(5) {
        turn += 1;
        sleep(Duration::from_millis(if turn < 40 { 1 } else { 200 })).await;
    }
    assert_eq!(passed.len(), 2 * LIMIT, "two windows' worth in {:?}", started.elapsed());
    for (earlier, later) in passed.iter().zip(&passed[LIMIT..]) {
        let apart = later.1 - earlier.0;
        assert!(apart >= WINDOW, "more than the limit within {apart:?}");
        assert!(later.0 - earlier.1 < WINDOW + Duration::from_secs(3), "the slot stayed taken: {:?}", later.0 - earlier.1);
    }
    for (at, wait) in told {
        let come_back = at + Duration::from_secs(wait);
        let gone = passed.iter().map(|(_, answered)| *answered + WINDOW).find(|gone| *gone > at).unwrap();
        let off = come_back.max(gone) - come_back.min(gone);
        assert!(off < Duration::from_millis(1_500), "told to wait {wait} s, {off:?} off");
    }
}
