//! What a fault happens to: nodes on servers of their own, and somebody who uses them.

use std::time::{Duration, Instant};

use coinlink_end_to_end_tests::{Api, Frame, Held, Node, Recorder, Serve, eventually, somebody};
use coinlink_testkit::{
    servers::{PrivatePostgres, PrivateRedis, TestDatabase},
    upstream_stub::StubUpstream,
};

/// Longer than anything takes on a busy machine where nothing is promised.
pub(super) const SOON: Duration = Duration::from_secs(20);
/// The promise for every recovery.
pub(super) const RECOVERS_WITHIN: Duration = Duration::from_secs(10);
/// One wait for a connection (1 s), one statement (2 s), and what a busy machine adds.
pub(super) const ANSWERED_WITHIN: Duration = Duration::from_secs(4);
/// Needs neither the database nor Redis.
pub(super) const PRICE: &str = "/api/bitcoin/price";
/// Needs the database.
pub(super) const PROFILE: &str = "/api/v2/user/profile";

/// Servers that nobody else uses.
pub(super) struct Scene {
    pub stub: StubUpstream,
    pub postgres: PrivatePostgres,
    pub redis: PrivateRedis,
    pub database: TestDatabase,
}

impl Scene {
    pub(super) async fn start() -> Self {
        let (stub, postgres, redis) = (StubUpstream::start().await, PrivatePostgres::start().await, PrivateRedis::start().await);
        let database = postgres.fresh_database().await;
        Self { stub, postgres, redis, database }
    }

    /// Nodes that tick every second, ready and with prices.
    pub(super) async fn nodes(&self, count: usize, settings: &[(&str, &str)]) -> Vec<Node> {
        self.nodes_at(&self.database.url, count, settings).await
    }

    /// The same with another way to the database.
    pub(super) async fn nodes_at(&self, database: &str, count: usize, settings: &[(&str, &str)]) -> Vec<Node> {
        let redis = self.redis.url();
        let nodes = Serve { database, redis: &redis, prefix: "chaos:" }.start_with(count, &self.stub, settings).await;
        for node in &nodes {
            eventually("it is ready and has prices", SOON, async || is_ready(node).await && node.get(PRICE).await.0 == 200).await;
        }
        nodes
    }
}

pub(super) async fn is_ready(node: &Node) -> bool {
    node.get("/readyz").await.0 == 200
}

/// How long from `since` until it is ready.
pub(super) async fn ready(node: &Node, since: Instant) -> Duration {
    eventually("it is ready", RECOVERS_WITHIN, async || is_ready(node).await).await;
    since.elapsed()
}

/// Somebody with an account at the node.
pub(super) async fn user_of(node: &Node) -> (Api, String, Held) {
    let (api, email) = (Api::at(node.url("")), somebody());
    let held = api.sign_up(&email).await;
    (api, email, held)
}

/// Prices as they are.
pub(super) fn is_fresh(frame: &Frame) -> bool {
    !frame.is_stale() && !frame.is_replay() && frame.line("BTC").is_some()
}

/// Listens to the node, from a fresh list on.
pub(super) async fn listener(node: &Node) -> Recorder {
    let recorder = Recorder::start(node.address).await;
    recorder.list_after(Instant::now(), SOON, is_fresh).await;
    recorder
}

/// The same process, and nothing in it panicked.
pub(super) fn went_on(node: &Node, pid: u32) {
    assert_eq!(node.process.pid(), pid, "nothing was restarted");
    assert!(!node.process.log().contains("panicked"), "{}", node.process.log());
}
