//! What the end-to-end tests share: nodes of the real binary, and socket clients. The tests are in `tests/`.
#![expect(clippy::missing_panics_doc, clippy::expect_used, reason = "a test fails by panicking")]

mod api;
mod browser;
mod cable;
mod client;
mod cluster;
mod collector;
mod front_end;
mod node;
mod prometheus;
mod raw;
mod recorder;
mod skipped;
mod test_proxy;

pub use api::{Answer, Api, Held, PASSWORD, UNLIMITED, somebody};
pub use browser::Browser;
pub use cable::Cable;
pub use client::{Client, Frame};
pub use cluster::{Serve, leader};
pub use collector::{Collector, Manner, Posted, attribute, hex};
pub use front_end::{Pace, Tab, Tally};
pub use node::{Node, resident_kib, upstreams};
pub use prometheus::{Override, Prometheus, deploy};
pub use raw::{RawFrame, RawSocket, masked};
pub use recorder::{Heard, Recorder, assert_one_story};
pub use skipped::not_tested;
pub use test_proxy::{Exchange, TestProxy};

use std::time::{Duration, Instant};

/// Waits until `condition` holds; panics with `what` when it does not in time.
pub async fn eventually(what: &str, within: Duration, mut condition: impl AsyncFnMut() -> bool) {
    let started = Instant::now();
    while !condition().await {
        assert!(started.elapsed() < within, "not within {within:?}: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
