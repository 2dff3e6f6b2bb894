//! The request gate on a real Redis: the contract, what is kept there, and for how long.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::sync::Arc;

use coinlink_domain::shared::{
    rate_limit::{Charge, RateClass, RateSubject},
    sliding_window::WindowPolicy,
};
use coinlink_ports::shared::{Admission, Clock as _, RequestGate};
use coinlink_redis::{RedisGate, RedisLink, RedisSettings};
use coinlink_testkit::{
    servers::{PrivateRedis, shared_redis},
    shared::{GateNodes, LoadedDice, SystemClock, TokioPause},
};
use time::Duration;
use uuid::Uuid;

/// A node's own connection.
fn gate(settings: &RedisSettings) -> RedisGate {
    RedisGate::new(RedisLink::try_new(settings, Arc::new(LoadedDice::always(0))).unwrap())
}

/// Two nodes in a corner of the shared server that no other test has.
async fn nodes() -> GateNodes {
    let server = shared_redis().await;
    let settings = RedisSettings { prefix: server.fresh_prefix(), ..RedisSettings::new(server.url()) };
    let [one, other] = [0, 1].map(|_| Arc::new(gate(&settings)));
    GateNodes { one, other, pause: Arc::new(TokioPause), clock: Arc::new(SystemClock::default()) }
}

coinlink_testkit::request_gate_contract!(nodes().await);

const WINDOW: WindowPolicy = WindowPolicy { limit: 3, window: Duration::seconds(60) };
const KEY: &str = "coinlink:rl:pi:203.0.113.9";

fn charge() -> Charge {
    Charge { class: RateClass::Price, subject: RateSubject::Address("203.0.113.9".parse().unwrap()) }
}

fn request() -> Admission {
    Admission { charges: vec![(charge(), WINDOW)], session: None }
}

fn number(answer: &str) -> i64 {
    answer.trim_start_matches(':').trim().parse().unwrap()
}

fn keys(server: &PrivateRedis) -> i64 {
    number(&server.ask(&["DBSIZE"]))
}

#[tokio::test]
async fn a_window_and_a_mark_are_gone_from_redis_when_they_are_over() {
    let server = PrivateRedis::start().await;
    let gate = gate(&RedisSettings::new(server.url()));
    gate.admit(&request()).await.unwrap();
    gate.revoke(&[Uuid::from_u128(1)], Duration::minutes(15)).await.unwrap();
    assert!((50_000..=60_000).contains(&number(&server.ask(&["PTTL", KEY]))));
    let mark = "coinlink:revoked:00000000-0000-0000-0000-000000000001";
    assert!((800_000..=900_000).contains(&number(&server.ask(&["PTTL", mark]))));
    assert_eq!(keys(&server), 2);
    server.flush();

    let brief = WindowPolicy { window: Duration::milliseconds(200), ..WINDOW };
    gate.admit(&Admission { charges: vec![(charge(), brief)], session: None }).await.unwrap();
    gate.revoke(&[Uuid::from_u128(1)], Duration::milliseconds(200)).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(keys(&server), 0);
}

#[tokio::test]
async fn refused_requests_looks_and_sessions_that_go_on_leave_nothing_in_redis() {
    let server = PrivateRedis::start().await;
    let gate = gate(&RedisSettings::new(server.url()));
    let none = WindowPolicy { limit: 0, ..WINDOW };
    gate.admit(&Admission { charges: vec![(charge(), none)], session: Some(Uuid::from_u128(1)) }).await.unwrap();
    gate.peek(&[(charge(), WINDOW)]).await.unwrap();
    assert_eq!(keys(&server), 0);
    for _ in 0..10 {
        gate.admit(&request()).await.unwrap();
    }
    assert_eq!(number(&server.ask(&["ZCARD", KEY])), 3);
    server.ask(&["PEXPIRE", KEY, "100000"]);
    gate.admit(&request()).await.unwrap();
    assert!(number(&server.ask(&["PTTL", KEY])) > 90_000, "a refused request does not touch how long it is kept");
}

#[tokio::test]
async fn requests_of_the_same_microsecond_are_all_counted() {
    let server = PrivateRedis::start().await;
    let gate = gate(&RedisSettings::new(server.url()));
    let ten = WindowPolicy { limit: 10, ..WINDOW };
    // Time stands still within a script.
    let admitted = gate.admit(&Admission { charges: vec![(charge(), ten); 10], session: None }).await.unwrap();
    assert!(!admitted.limited && admitted.windows[9].remaining == 0);
    assert_eq!(number(&server.ask(&["ZCARD", KEY])), 10);
}

#[tokio::test]
async fn a_moment_is_kept_to_the_microsecond() {
    let server = PrivateRedis::start().await;
    let gate = gate(&RedisSettings::new(server.url()));
    for _ in 0..3 {
        gate.admit(&request()).await.unwrap();
    }
    for place in ["0", "1", "2"] {
        let member =
            "local kept = redis.call('ZRANGE', KEYS[1], ARGV[1], ARGV[1], 'WITHSCORES'); return kept[1] .. ' ' .. kept[2]";
        let kept = server.ask(&["EVAL", member, "1", KEY, place]);
        let (member, score) = kept.lines().last().unwrap().split_once(' ').unwrap();
        assert!(member == score && member.len() == 16 && member.bytes().all(|byte| byte.is_ascii_digit()), "{kept}");
    }
}

#[tokio::test]
async fn a_clock_set_back_costs_nobody_more_than_a_window() {
    let server = PrivateRedis::start().await;
    let gate = gate(&RedisSettings::new(server.url()));
    let now = SystemClock::default().now().unix_timestamp_nanos() / 1_000;
    let requests_at = |ahead: i128| {
        for member in ["a", "b", "c"] {
            server.ask(&["ZADD", KEY, &(now + ahead).to_string(), member]);
        }
    };
    requests_at(30_000_000);
    let refused = gate.admit(&request()).await.unwrap();
    assert!(refused.limited, "a little ahead they still count");
    assert_eq!(refused.windows[0].next_free_in, WINDOW.window, "and no wait is longer than the window");
    requests_at(3_600_000_000);
    let looked = gate.peek(&[(charge(), WINDOW)]).await.unwrap();
    assert_eq!((looked[0].remaining, looked[0].next_free_in), (3, WINDOW.window));
    let admitted = gate.admit(&request()).await.unwrap();
    assert!(!admitted.limited && admitted.windows[0].remaining == 2, "{admitted:?}");
}

#[tokio::test]
async fn a_request_costs_one_command() {
    let server = PrivateRedis::start().await;
    let gate = gate(&RedisSettings::new(server.url()));
    gate.admit(&request()).await.unwrap();
    server.ask(&["CONFIG", "RESETSTAT"]);
    let admission = Admission { charges: vec![(charge(), WINDOW); 2], session: Some(Uuid::from_u128(1)) };
    for _ in 0..10 {
        gate.admit(&admission).await.unwrap();
    }
    let statistics = server.ask(&["INFO", "commandstats"]);
    assert!(statistics.contains("cmdstat_evalsha:calls=10,"), "{statistics}");
    for other in ["cmdstat_eval:", "cmdstat_script|load", "cmdstat_ping"] {
        assert!(!statistics.contains(other), "{statistics}");
    }
}
