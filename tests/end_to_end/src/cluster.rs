//! Several nodes that share a PostgreSQL and a Redis.

use std::time::Duration;

use coinlink_testkit::upstream_stub::StubUpstream;

use crate::{Node, eventually, upstreams};

/// What the nodes of one cluster have in common.
pub struct Serve<'a> {
    /// PostgreSQL.
    pub database: &'a str,
    /// Redis.
    pub redis: &'a str,
    /// Keys begin with this.
    pub prefix: &'a str,
}

impl Serve<'_> {
    /// Nodes started at the same moment that tick every second and ask `stub`; each answers once it waited for.
    #[must_use]
    pub fn launch(&self, count: usize, stub: &StubUpstream) -> Vec<Node> {
        self.launch_with(count, stub, &[])
    }

    /// [`Serve::launch`] with further settings.
    #[must_use]
    pub fn launch_with(&self, count: usize, stub: &StubUpstream, more: &[(&str, &str)]) -> Vec<Node> {
        let upstreams = upstreams(stub);
        let mut settings: Vec<_> = upstreams.iter().map(|(name, url)| (*name, url.as_str())).collect();
        settings.extend([("TICKER_INTERVAL_MS", "1000"), ("TICKER_OVERLAY", "false"), ("COINGECKO_CALLS_PER_MINUTE", "100")]);
        settings.extend(more);
        (0..count).map(|_| Node::serve(self, &settings)).collect()
    }

    /// The same, all of them answering.
    pub async fn start(&self, count: usize, stub: &StubUpstream) -> Vec<Node> {
        self.start_with(count, stub, &[]).await
    }

    /// [`Serve::start`] with further settings.
    pub async fn start_with(&self, count: usize, stub: &StubUpstream, more: &[(&str, &str)]) -> Vec<Node> {
        let mut nodes = self.launch_with(count, stub, more);
        for node in &mut nodes {
            node.is_live().await;
        }
        nodes
    }
}

/// The node that polls, once there is one.
pub async fn leader(nodes: &[Node]) -> usize {
    let mut found = None;
    eventually("a node leads", Duration::from_secs(20), async || {
        for (index, node) in nodes.iter().enumerate() {
            if node.metric("coinlink_leader").await == 1 {
                found = Some(index);
            }
        }
        found.is_some()
    })
    .await;
    found.expect("a node that leads")
}
