//! What happens when Redis stops, freezes, forgets or cuts a connection.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::{sync::Arc, time::Instant};

use coinlink_domain::{
    market::Source,
    shared::quota::{QuotaPolicy, QuotaVerdict},
};
use coinlink_ports::{
    market::{LeaderLease, PublishError, QuotaLedger, TickFollower, TickerBus},
    operations::DependencyProbe,
};
use coinlink_redis::{RedisBus, RedisLease, RedisLink, RedisProbe, RedisQuota, RedisSettings};
use coinlink_testkit::{
    market::{NOON, a_tick},
    servers::PrivateRedis,
    shared::LoadedDice,
};
use time::Duration;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// What one process holds.
struct Node {
    bus: RedisBus,
    lease: RedisLease,
    probe: RedisProbe,
}

/// The longest wait between attempts to connect is drawn every time.
fn link(url: &str) -> RedisLink {
    RedisLink::try_new(&RedisSettings::new(url), Arc::new(LoadedDice::rolling([100, 200, 400, 800, 1_600, 2_000]))).unwrap()
}

fn node(url: &str) -> Node {
    let link = link(url);
    Node { bus: RedisBus::new(link.clone(), 10), lease: RedisLease::new(link.clone(), "node"), probe: RedisProbe::new(link) }
}

const TERM: Duration = Duration::seconds(10);
/// The usual command time-out and a little for a busy machine.
const AN_ANSWER: std::time::Duration = std::time::Duration::from_millis(900);

async fn sleep(milliseconds: u64) {
    tokio::time::sleep(std::time::Duration::from_millis(milliseconds)).await;
}

/// Tries until the probe is content; how long that took.
async fn recovery(node: &Node) -> std::time::Duration {
    let start = Instant::now();
    while node.probe.check().await.is_err() {
        assert!(start.elapsed().as_secs() < 10, "no recovery within 10 s");
        sleep(20).await;
    }
    start.elapsed()
}

/// Waits for the error that ends the subscription; how long that took.
async fn end_of(follower: &mut dyn TickFollower) -> std::time::Duration {
    let start = Instant::now();
    loop {
        assert!(start.elapsed().as_secs() < 15, "the follower never noticed");
        match follower.next(Duration::seconds(1)).await {
            Ok(None) => {}
            Ok(Some(tick)) => panic!("a tick out of nowhere: {tick:?}"),
            Err(_) => return start.elapsed(),
        }
    }
}

#[tokio::test]
async fn after_a_stop_of_two_seconds_everything_goes_on_and_epochs_still_grow() {
    let mut server = PrivateRedis::start().await;
    let node = node(&server.url());
    let before = node.lease.acquire(TERM).await.unwrap().unwrap();
    node.bus.publish(&a_tick(before.epoch, 1)).await.unwrap();
    let mut follower = node.bus.follow().await.unwrap();

    server.stop().await;
    assert!(end_of(&mut *follower).await.as_millis() < 500, "a closed connection is noticed at once");
    assert!(follower.next(TERM).await.is_err(), "an ended subscription stays ended");
    let outage = Instant::now();
    while outage.elapsed().as_secs() < 2 {
        let asked = Instant::now();
        assert!(matches!(node.bus.publish(&a_tick(before.epoch, 2)).await, Err(PublishError::Unavailable(_))));
        assert!(node.bus.follow().await.is_err());
        assert!(asked.elapsed() < AN_ANSWER, "{:?}", asked.elapsed());
        sleep(50).await;
    }
    server.start_again().await;

    let recovery = recovery(&node).await;
    assert!(recovery.as_millis() < 2_500, "{recovery:?}");
    assert_eq!(node.bus.snapshot().await.unwrap(), None, "it came back empty");
    assert!(!node.lease.renew(before, TERM).await.unwrap());
    let after = node.lease.acquire(TERM).await.unwrap().unwrap();
    assert!(after.epoch > before.epoch);
    let mut follower = node.bus.follow().await.unwrap();
    assert_eq!(node.bus.publish(&a_tick(after.epoch, 1)).await.unwrap(), 1);
    assert_eq!(follower.next(TERM).await.unwrap(), Some(a_tick(after.epoch, 1)));
}

#[tokio::test]
async fn a_restart_nobody_was_talking_through_costs_no_command() {
    let mut server = PrivateRedis::start().await;
    let node = node(&server.url());
    node.probe.check().await.unwrap();
    server.stop().await;
    server.start_again().await;
    node.probe.check().await.unwrap();
    node.bus.publish(&a_tick(7, 1)).await.unwrap();
}

#[tokio::test]
async fn a_frozen_server_costs_no_caller_more_than_the_time_out_and_followers_find_out() {
    let server = PrivateRedis::start().await;
    let node = node(&server.url());
    let lease = node.lease.acquire(TERM).await.unwrap().unwrap();
    node.bus.publish(&a_tick(lease.epoch, 1)).await.unwrap();
    let mut follower = node.bus.follow().await.unwrap();

    server.freeze();
    let asked = Instant::now();
    assert!(matches!(node.bus.publish(&a_tick(lease.epoch, 2)).await, Err(PublishError::Unavailable(_))));
    assert!(asked.elapsed() < AN_ANSWER, "{:?}", asked.elapsed());
    let many: Vec<_> = (0..20)
        .map(|_| {
            let quota = RedisQuota::new(link(&server.url()));
            tokio::spawn(async move { quota.spend(Source::Kraken, QuotaPolicy::default(), NOON).await.is_err() })
        })
        .collect();
    for one in many {
        assert!(one.await.unwrap());
    }
    assert!(node.probe.check().await.is_err());
    assert!(asked.elapsed() < AN_ANSWER * 3, "{:?}", asked.elapsed());
    let noticed = end_of(&mut *follower).await;
    assert!(noticed.as_millis() < 8_000, "{noticed:?}");
    assert!(node.bus.follow().await.is_err(), "connections are accepted, but nobody answers");

    server.thaw();
    recovery(&node).await;
    let mut follower = node.bus.follow().await.unwrap();
    node.bus.publish(&a_tick(lease.epoch, 3)).await.unwrap();
    assert_eq!(follower.next(TERM).await.unwrap(), Some(a_tick(lease.epoch, 3)));
}

/// A network in front of the server that can swallow what is sent over the connections of a moment, and keep them open.
struct Network {
    url: String,
    swallowed: watch::Sender<u32>,
}

impl Network {
    async fn before(server: &PrivateRedis) -> Self {
        let port = server.address().port;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("redis://{}", listener.local_addr().unwrap());
        let swallowed = watch::Sender::new(0);
        let swallowing = swallowed.clone();
        tokio::spawn(async move {
            loop {
                let (mut near, _) = listener.accept().await.unwrap();
                let mut far = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                let mut swallowed = swallowing.subscribe();
                tokio::spawn(async move {
                    tokio::select! {
                        _ = copy_bidirectional(&mut near, &mut far) => {}
                        _ = swallowed.changed() => std::future::pending().await,
                    }
                });
            }
        });
        Self { url, swallowed }
    }

    fn swallow(&self) {
        self.swallowed.send_modify(|times| *times += 1);
    }
}

#[tokio::test]
async fn connections_into_a_black_hole_are_given_up_and_made_anew() {
    let server = PrivateRedis::start().await;
    let network = Network::before(&server).await;
    let node = node(&network.url);
    node.bus.publish(&a_tick(7, 1)).await.unwrap();
    let mut follower = node.bus.follow().await.unwrap();

    network.swallow();
    let asked = Instant::now();
    assert!(matches!(node.bus.publish(&a_tick(7, 2)).await, Err(PublishError::Unavailable(_))));
    assert!(asked.elapsed() < AN_ANSWER, "{:?}", asked.elapsed());
    node.bus.publish(&a_tick(7, 3)).await.unwrap();
    let noticed = end_of(&mut *follower).await;
    assert!(noticed.as_millis() < 8_000, "{noticed:?}");
    let mut follower = node.bus.follow().await.unwrap();
    node.bus.publish(&a_tick(7, 4)).await.unwrap();
    assert_eq!(follower.next(TERM).await.unwrap(), Some(a_tick(7, 4)));
}

#[tokio::test]
async fn a_quiet_subscription_on_a_well_server_is_not_given_up() {
    let server = PrivateRedis::start().await;
    let node = node(&server.url());
    let mut follower = node.bus.follow().await.unwrap();
    assert_eq!(follower.next(Duration::seconds(12)).await.unwrap(), None, "two PINGs and their answers are no ticks");
    node.bus.publish(&a_tick(7, 1)).await.unwrap();
    assert_eq!(follower.next(TERM).await.unwrap(), Some(a_tick(7, 1)));
}

#[tokio::test]
async fn a_leader_that_froze_is_fenced_after_another_took_over() {
    let server = PrivateRedis::start().await;
    let (frozen, other) = (node(&server.url()), node(&server.url()));
    let old = frozen.lease.acquire(Duration::milliseconds(300)).await.unwrap().unwrap();
    frozen.bus.publish(&a_tick(old.epoch, 1)).await.unwrap();
    sleep(400).await;
    let new = other.lease.acquire(TERM).await.unwrap().unwrap();
    // It thaws before the new leader has published anything.
    let fenced = frozen.bus.publish(&a_tick(old.epoch, 2)).await;
    assert!(matches!(fenced, Err(PublishError::Fenced { newer }) if newer == new.epoch), "{fenced:?}");
    assert!(!frozen.lease.renew(old, TERM).await.unwrap());
    other.bus.publish(&a_tick(new.epoch, 1)).await.unwrap();
    assert_eq!(other.bus.snapshot().await.unwrap(), Some(a_tick(new.epoch, 1)));
}

#[tokio::test]
async fn after_a_flush_an_older_leader_is_fenced_by_the_next_one() {
    let server = PrivateRedis::start().await;
    let (one, other) = (node(&server.url()), node(&server.url()));
    let old = one.lease.acquire(TERM).await.unwrap().unwrap();
    one.bus.publish(&a_tick(old.epoch, 5)).await.unwrap();
    server.flush();
    let new = other.lease.acquire(TERM).await.unwrap().unwrap();
    assert!(new.epoch > old.epoch);
    let fenced = one.bus.publish(&a_tick(old.epoch, 6)).await;
    assert!(matches!(fenced, Err(PublishError::Fenced { newer }) if newer == new.epoch), "{fenced:?}");
    assert!(!one.lease.renew(old, TERM).await.unwrap());
}

#[tokio::test]
async fn after_a_flush_the_next_epoch_is_newer_than_any_tick_this_node_saw_even_from_a_clock_ahead() {
    let server = PrivateRedis::start().await;
    let (one, other) = (node(&server.url()), node(&server.url()));
    let ahead = one.lease.acquire(TERM).await.unwrap().unwrap().epoch + 1_000_000_000;
    let mut follower = other.bus.follow().await.unwrap();
    one.bus.publish(&a_tick(ahead, 1)).await.unwrap();
    assert_eq!(follower.next(TERM).await.unwrap(), Some(a_tick(ahead, 1)));
    server.flush();
    assert_eq!(other.lease.acquire(TERM).await.unwrap().unwrap().epoch, ahead + 1);
}

#[tokio::test]
async fn a_tick_published_into_a_wiped_redis_still_bounds_the_next_epoch() {
    let server = PrivateRedis::start().await;
    let (one, other) = (node(&server.url()), node(&server.url()));
    let ahead = one.lease.acquire(TERM).await.unwrap().unwrap().epoch + 1_000_000_000;
    server.flush();
    one.bus.publish(&a_tick(ahead, 1)).await.unwrap();
    assert_eq!(other.lease.acquire(TERM).await.unwrap().unwrap().epoch, ahead + 1);
}

#[tokio::test]
async fn an_epoch_key_that_was_evicted_does_not_let_an_older_leader_back_in() {
    let server = PrivateRedis::start().await;
    let node = node(&server.url());
    node.bus.publish(&a_tick(8, 1)).await.unwrap();
    server.ask(&["DEL", "coinlink:{ticker}:epoch"]);
    let fenced = node.bus.publish(&a_tick(7, 99)).await;
    assert!(matches!(fenced, Err(PublishError::Fenced { newer: 8 })), "{fenced:?}");
}

#[tokio::test]
async fn a_killed_subscription_is_noticed_at_once_and_a_killed_command_connection_is_made_anew() {
    let server = PrivateRedis::start().await;
    let node = node(&server.url());
    let mut follower = node.bus.follow().await.unwrap();
    node.bus.publish(&a_tick(7, 1)).await.unwrap();
    assert_eq!(follower.next(TERM).await.unwrap(), Some(a_tick(7, 1)));

    server.ask(&["CLIENT", "KILL", "TYPE", "pubsub"]);
    let noticed = end_of(&mut *follower).await;
    assert!(noticed.as_millis() < 500, "{noticed:?}");

    server.ask(&["CLIENT", "KILL", "TYPE", "normal"]);
    recovery(&node).await;
    node.bus.publish(&a_tick(7, 2)).await.unwrap();
}

#[tokio::test]
async fn a_dropped_follower_closes_its_connection() {
    let server = PrivateRedis::start().await;
    let node = node(&server.url());
    let subscribers = || server.ask(&["CLIENT", "LIST", "TYPE", "pubsub"]).lines().filter(|line| line.contains("id=")).count();
    let followers = [node.bus.follow().await.unwrap(), node.bus.follow().await.unwrap()];
    assert_eq!(subscribers(), 2);
    drop(followers);
    let start = Instant::now();
    while subscribers() > 0 {
        assert!(start.elapsed().as_secs() < 2, "still subscribed");
        sleep(10).await;
    }
}

#[tokio::test]
async fn a_reader_that_sleeps_through_a_burst_is_told_instead_of_silently_left_out() {
    let server = PrivateRedis::start().await;
    let node = node(&server.url());
    let mut follower = node.bus.follow().await.unwrap();
    for seq in 1..=200 {
        node.bus.publish(&a_tick(7, seq)).await.unwrap();
    }
    sleep(200).await;
    let error = follower.next(TERM).await.unwrap_err();
    assert!(error.0.contains("messages behind"), "{error}");
    assert_eq!(node.bus.snapshot().await.unwrap(), Some(a_tick(7, 200)), "the newest is there to be read again");
}

#[tokio::test]
async fn what_cannot_be_read_is_an_error_everywhere() {
    let server = PrivateRedis::start().await;
    let node = node(&server.url());
    let mut follower = node.bus.follow().await.unwrap();
    server.ask(&["PUBLISH", "coinlink:ws:ticker", "not a tick"]);
    assert!(follower.next(TERM).await.is_err());
    server.ask(&["HSET", "coinlink:{ticker}:snapshot", "epoch", "7", "seq", "1", "tick", "{}"]);
    assert!(node.bus.snapshot().await.is_err());
    server.ask(&["XADD", "coinlink:{ticker}:history", "*", "tick", "[]"]);
    assert!(node.bus.history(10).await.is_err());
    server.ask(&["SET", "coinlink:{ticker}:lease", "somebody:else:1"]);
    assert_eq!(node.lease.acquire(TERM).await.unwrap(), None);
    server.ask(&["DEL", "coinlink:{ticker}:history"]);
    server.ask(&["SET", "coinlink:{ticker}:history", "no stream"]);
    assert!(matches!(node.bus.publish(&a_tick(8, 1)).await, Err(PublishError::Unavailable(_))));
    node.probe.check().await.unwrap();
}

#[tokio::test]
async fn counters_of_a_budget_expire() {
    let server = PrivateRedis::start().await;
    let quota = RedisQuota::new(link(&server.url()));
    quota.spend(Source::CoinGecko, QuotaPolicy::default(), NOON).await.unwrap();
    let seconds = |key: &str| server.ask(&["TTL", key]).trim_start_matches(':').trim().parse::<i64>().unwrap();
    let minute = format!("coinlink:{{quota:coingecko}}:minute:{}", NOON.unix_timestamp() / 60);
    assert!((60..=180).contains(&seconds(&minute)));
    assert!((31 * 86_400..=33 * 86_400).contains(&seconds("coinlink:{quota:coingecko}:month:2026-01")));
}

#[tokio::test]
async fn a_month_that_was_used_up_stays_used_up_though_redis_loses_its_count() {
    let server = PrivateRedis::start().await;
    let (quota, other) = (RedisQuota::new(link(&server.url())), RedisQuota::new(link(&server.url())));
    let policy = QuotaPolicy { per_minute: None, per_month: Some(3) };
    let spend = async |quota: &RedisQuota, now| quota.spend(Source::CoinGecko, policy, now).await.unwrap();
    for _ in 0..2 {
        assert_ne!(spend(&quota, NOON).await, QuotaVerdict::Exhausted);
    }
    server.ask(&["FLUSHALL"]);
    assert_ne!(spend(&quota, NOON).await, QuotaVerdict::Exhausted, "two of three");
    assert_eq!(spend(&quota, NOON).await, QuotaVerdict::Exhausted);
    server.ask(&["FLUSHALL"]);
    assert_eq!(spend(&quota, NOON).await, QuotaVerdict::Exhausted);
    assert_eq!(spend(&other, NOON).await, QuotaVerdict::Exhausted, "and the others hear of it");
    assert_ne!(spend(&quota, NOON + Duration::days(31)).await, QuotaVerdict::Exhausted, "the next month is another one");
}

#[tokio::test]
async fn a_stream_holds_no_more_than_it_should() {
    let server = PrivateRedis::start().await;
    let node = node(&server.url());
    for seq in 1..=300 {
        node.bus.publish(&a_tick(7, seq)).await.unwrap();
    }
    assert_eq!(server.ask(&["XLEN", "coinlink:{ticker}:history"]).trim_start_matches(':').trim(), "10");
}

#[tokio::test]
async fn a_server_that_was_never_there_is_an_error_in_time_and_found_once_it_comes() {
    let mut server = PrivateRedis::start().await;
    server.stop().await;
    let node = node(&server.url());
    let asked = Instant::now();
    assert!(node.probe.check().await.is_err());
    assert!(node.lease.acquire(TERM).await.is_err());
    assert!(asked.elapsed() < AN_ANSWER, "{:?}", asked.elapsed());
    server.start_again().await;
    recovery(&node).await;
    assert!(node.lease.acquire(TERM).await.unwrap().is_some());
}

#[tokio::test]
async fn a_tls_address_of_a_server_without_tls_is_an_error() {
    let server = PrivateRedis::start().await;
    let node = node(&server.url().replace("redis://", "rediss://"));
    assert!(node.probe.check().await.is_err());
    assert!(node.bus.follow().await.is_err());
}
