//! Who leads when the leader dies, sleeps, or Redis forgets: clients hear one story, with gaps no longer than promised.

use std::time::{Duration, Instant};

use coinlink_end_to_end_tests::{Frame, Node, Recorder, Serve, assert_one_story, eventually, leader};
use coinlink_testkit::{
    servers::{PrivateRedis, fresh_database, shared_redis},
    upstream_stub::{Provider, StubUpstream},
};

const SOON: Duration = Duration::from_secs(20);
/// The lease, one tick, and a second for the machine.
const TAKE_OVER: Duration = Duration::from_secs(10 + 1 + 1);
/// From the moment Redis is back.
const RECOVERY: Duration = Duration::from_secs(10);

fn is_fresh(frame: &Frame) -> bool {
    !frame.is_stale() && !frame.is_replay() && frame.line("BTC").is_some()
}

/// One recorder a node, all of them with fresh prices.
async fn record(nodes: &[Node]) -> Vec<Recorder> {
    let mut recorders = Vec::new();
    for node in nodes {
        recorders.push(Recorder::start(node.address).await);
    }
    let now = Instant::now();
    for recorder in &recorders {
        recorder.list_after(now, SOON, is_fresh).await;
    }
    recorders
}

#[tokio::test]
async fn a_killed_leader_leaves_a_gap_of_its_lease_and_a_tick_at_most() {
    let (stub, database, redis) = (StubUpstream::start().await, fresh_database().await, shared_redis().await);
    let cluster = Serve { database: &database.url, redis: &redis.url(), prefix: &redis.fresh_prefix() };
    let mut nodes = cluster.start(2, &stub).await;
    let recorders = record(&nodes).await;
    let first = leader(&nodes).await;
    let before = recorders[1 - first].lists().last().unwrap().frame.id();

    nodes[first].process.kill();
    let killed = Instant::now();
    let survivor = &recorders[1 - first];
    let replay = survivor.list_after(killed, Duration::from_secs(4), Frame::is_replay).await;
    assert!(replay.frame.is_stale() && replay.frame.line("BTC").is_some(), "no silence meanwhile: {}", replay.frame.text);
    let next = survivor.list_after(killed, TAKE_OVER, |frame| frame.id().0 > before.0).await;
    assert_eq!((next.frame.id().1, next.frame.is_stale()), (1, false), "the new leader goes on with the old one's list");
    survivor.list_after(killed, SOON, |frame| frame.id() > next.frame.id()).await;
    assert!(survivor.longest_gap() <= TAKE_OVER, "{:?}", survivor.longest_gap());
    assert_one_story(&recorders.iter().collect::<Vec<_>>());
    assert_eq!(stub.calls(Provider::CoinGecko), 1, "the list was taken over, not asked for again");
}

#[tokio::test]
async fn a_leader_that_slept_past_its_lease_is_fenced_when_it_wakes() {
    let (stub, database, redis) = (StubUpstream::start().await, fresh_database().await, shared_redis().await);
    let cluster = Serve { database: &database.url, redis: &redis.url(), prefix: &redis.fresh_prefix() };
    let nodes = cluster.start(2, &stub).await;
    let recorders = record(&nodes).await;
    let sleeper = leader(&nodes).await;
    let before = recorders[sleeper].lists().last().unwrap().frame.id();

    nodes[sleeper].process.freeze();
    let frozen = Instant::now();
    let taken = recorders[1 - sleeper].list_after(frozen, TAKE_OVER, |frame| frame.id().0 > before.0).await.frame.id();
    nodes[sleeper].process.thaw();
    let thawed = Instant::now();
    for recorder in &recorders {
        recorder.list_after(thawed, SOON, |frame| frame.id().0 == taken.0 && frame.id().1 >= taken.1 + 3).await;
    }
    let shared = assert_one_story(&recorders.iter().collect::<Vec<_>>());
    assert!(shared >= 4, "{shared} lists were seen on both nodes");
    eventually("the sleeper knows that it no longer leads", SOON, async || nodes[sleeper].metric("coinlink_leader").await == 0)
        .await;
}

#[tokio::test]
async fn a_leader_that_slept_while_redis_was_wiped_is_fenced_too() {
    let (stub, database, redis) = (StubUpstream::start().await, fresh_database().await, PrivateRedis::start().await);
    let url = redis.url();
    let cluster = Serve { database: &database.url, redis: &url, prefix: "e2e:" };
    let nodes = cluster.start(2, &stub).await;
    let recorders = record(&nodes).await;
    let sleeper = leader(&nodes).await;
    let before = recorders[sleeper].lists().last().unwrap().frame.id();

    nodes[sleeper].process.freeze();
    redis.flush();
    let wiped = Instant::now();
    // Its lease went with the wipe: the other one leads at once, long before the sleeper thinks its own has lapsed.
    let taken =
        recorders[1 - sleeper].list_after(wiped, Duration::from_secs(5), |frame| frame.id().0 > before.0).await.frame.id();
    nodes[sleeper].process.thaw();
    let thawed = Instant::now();
    for recorder in &recorders {
        recorder.list_after(thawed, SOON, |frame| frame.id() >= (taken.0, taken.1 + 3)).await;
    }
    assert_one_story(&recorders.iter().collect::<Vec<_>>());
    let leading = [nodes[0].metric("coinlink_leader").await, nodes[1].metric("coinlink_leader").await];
    assert_eq!(leading.iter().sum::<u64>(), 1, "{leading:?}");
}

#[tokio::test]
async fn two_nodes_are_fresh_within_ten_seconds_after_redis_comes_back_empty() {
    let (stub, database, mut redis) = (StubUpstream::start().await, fresh_database().await, PrivateRedis::start().await);
    let url = redis.url();
    let cluster = Serve { database: &database.url, redis: &url, prefix: "e2e:" };
    let nodes = cluster.start(2, &stub).await;
    let pids: Vec<_> = nodes.iter().map(|node| node.process.pid()).collect();
    let recorders = record(&nodes).await;

    redis.kill();
    let killed = Instant::now();
    for recorder in &recorders {
        let replay = recorder.list_after(killed, Duration::from_secs(5), Frame::is_stale).await;
        let later = recorder.list_after(replay.at, Duration::from_secs(5), Frame::is_stale).await;
        assert!(later.frame.json["age_ms"].as_i64() > replay.frame.json["age_ms"].as_i64(), "the age grows");
    }
    redis.start_again().await;
    let back = Instant::now();
    for recorder in &recorders {
        let fresh = recorder.list_after(back, RECOVERY, is_fresh).await;
        recorder.list_after(fresh.at, RECOVERY, is_fresh).await;
    }
    let shared = assert_one_story(&recorders.iter().collect::<Vec<_>>());
    assert!(shared >= 2, "{shared} lists were seen on both nodes");
    assert_eq!(nodes.iter().map(|node| node.process.pid()).collect::<Vec<_>>(), pids, "nothing was restarted");
}

#[tokio::test]
async fn a_freeze_of_redis_longer_than_the_lease_is_over_ten_seconds_after_it_thaws() {
    let (stub, database, redis) = (StubUpstream::start().await, fresh_database().await, PrivateRedis::start().await);
    let url = redis.url();
    let cluster = Serve { database: &database.url, redis: &url, prefix: "e2e:" };
    let nodes = cluster.start(2, &stub).await;
    let recorders = record(&nodes).await;

    redis.freeze();
    let frozen = Instant::now();
    // Black-holed, not refused: only time-outs tell. Clients hear something every few seconds all the same.
    tokio::time::sleep_until((frozen + Duration::from_secs(12)).into()).await;
    for recorder in &recorders {
        let stale = recorder.lists().into_iter().filter(|heard| heard.at > frozen && heard.frame.is_stale()).count();
        assert!(stale >= 6, "{stale} stale lists in 12 s");
    }
    redis.thaw();
    let back = Instant::now();
    for recorder in &recorders {
        recorder.list_after(back, RECOVERY, is_fresh).await;
    }
    assert_one_story(&recorders.iter().collect::<Vec<_>>());
}
