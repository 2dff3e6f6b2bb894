//! Redis is stopped, does not answer, or forgets everything.

use std::time::{Duration, Instant};

use coinlink_end_to_end_tests::{Api, Frame, Node, eventually, somebody};
use coinlink_testkit::servers::PrivateRedis;
use serde_json::json;
use tokio::time::sleep;

use super::{
    results::{Fault, REDIS_FLUSHED, REDIS_HANGS, REDIS_STOPPED, held, seconds},
    scene::{PRICE, PROFILE, RECOVERS_WITHIN, SOON, Scene, is_fresh, listener, user_of, went_on},
    watch::{Watch, longest},
};

const AWAY_FOR: Duration = Duration::from_secs(6);
/// Longer than the wait for an answer of Redis, and what a busy machine adds.
const SERVED_WITHIN: Duration = Duration::from_secs(1);
const FALLBACK: &str = "coinlink_rate_limiter_fallback";
/// The test's clients name their own addresses; one address asks no more than the others.
const SETTINGS: [(&str, &str); 4] = [
    ("TRUSTED_PROXIES", "127.0.0.1/32"),
    ("RATE_LIMIT_ANONYMOUS", "1000000"),
    ("RATE_LIMIT_AUTHENTICATED", "1000000"),
    ("RATE_LIMIT_PRICE", "1000000"),
];

#[tokio::test(flavor = "multi_thread")]
#[ignore = "`just chaos`; limits_fault and takeover_fault hold the same in `tests/run`"]
async fn redis_stopped_and_started_empty_revives_no_token_and_silences_no_socket() {
    survives(&REDIS_STOPPED).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "`just chaos`; limits_fault and takeover_fault hold the same in `tests/run`"]
async fn redis_hangs_and_nobody_waits_for_it() {
    survives(&REDIS_HANGS).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "`just chaos`; limits_fault and takeover_fault hold the same in `tests/run`"]
async fn redis_flushed_is_filled_again_from_what_is_known() {
    survives(&REDIS_FLUSHED).await;
}

/// How many passwords one address may try: those that are refused before they are hashed count too.
async fn tries_of(api: &Api, address: &str) -> u32 {
    let body = json!({"email": somebody(), "password": "short"});
    for tried in 0..50 {
        let request = api.with_json(reqwest::Method::POST, "/api/v2/auth/signup", &body).header("X-Forwarded-For", address);
        let answer = api.send(request).await;
        if answer.status == 429 {
            return tried;
        }
        let _ = answer.expect(400);
    }
    panic!("the limit is open");
}

/// Everything is gone at one moment, whatever is written the next; with a look at that moment.
const FORGET: &str = "redis.call('FLUSHALL') return redis.call('DBSIZE')";
/// Ends of sessions that the nodes share.
const ENDS: &str = "return #redis.call('KEYS', 'chaos:revoked:*')";

fn ends_known_to(redis: &PrivateRedis) -> String {
    redis.ask(&["EVAL", ENDS, "0"])
}

async fn counts_alone(node: &Node, alone: bool) {
    let told = async || node.metric(FALLBACK).await == u64::from(alone);
    eventually("it knows whether it counts alone", RECOVERS_WITHIN, told).await;
}

async fn survives(fault: &Fault) {
    let mut scene = Scene::start().await;
    let node = scene.nodes(1, &SETTINGS).await.remove(0);
    let (pid, (api, email, user)) = (node.process.pid(), user_of(&node).await);
    let ended = api.sign_in(&email).await;
    let _ = api.post("/api/v2/auth/logout", &json!({"refresh_token": ended.refresh})).await.expect(200);
    let (over, good) = (Watch::of(&api, Some(&ended.access), PRICE), Watch::of(&api, Some(&user.access), PROFILE));
    let recorder = listener(&node).await;
    over.answers(401, Instant::now(), SOON).await;
    assert_eq!(tries_of(&api, "198.51.100.1").await, 10, "together with other nodes");
    assert_eq!(ends_known_to(&scene.redis), "1");

    let away = Instant::now();
    let alone = match *fault {
        REDIS_STOPPED => {
            scene.redis.stop().await;
            None
        }
        REDIS_HANGS => {
            scene.redis.freeze();
            None
        }
        _ => {
            assert_eq!(scene.redis.ask(&["EVAL", FORGET, "0"]), "0", "keys that are left");
            Some("counted from nothing")
        }
    };
    let mut stale = Duration::ZERO;
    if alone.is_none() {
        counts_alone(&node, true).await;
        assert_eq!(tries_of(&api, "198.51.100.2").await, 4, "the limiter is stricter where it counts alone");
        stale = recorder.list_after(away, RECOVERS_WITHIN, Frame::is_stale).await.at - away;
        sleep(AWAY_FOR.saturating_sub(away.elapsed())).await;
        let told = recorder.lists().iter().filter(|heard| heard.at > away && heard.frame.is_stale()).count();
        assert!(told >= 2, "{told} stale lists");
    }
    let back = match *fault {
        REDIS_STOPPED => {
            scene.redis.start_again().await;
            Instant::now()
        }
        REDIS_HANGS => {
            scene.redis.thaw();
            Instant::now()
        }
        _ => away,
    };
    let fresh = recorder.list_after(back, RECOVERS_WITHIN, is_fresh).await.at - back;
    counts_alone(&node, false).await;
    let together = back.elapsed();
    assert_eq!(tries_of(&api, "198.51.100.3").await, 10, "the whole limit again");
    let mut others = "";
    if *fault != REDIS_HANGS {
        assert_eq!(tries_of(&api, "198.51.100.1").await, 10, "what was used up is forgotten");
        // It was not there when the session ended, and Redis does not know of it: it has that from the database.
        let other = scene.nodes(1, &SETTINGS).await.remove(0);
        assert_eq!(Api::at(other.url("")).get_as(&ended.access, PRICE).await.expect(401).code(), "session_revoked");
        assert_eq!(ends_known_to(&scene.redis), "0", "Redis forgot it");
        others = ", and by a node that was started since";
    }
    sleep(Duration::from_secs(2)).await;

    let revived: Vec<_> = over.between(away, Instant::now()).into_iter().filter(|seen| seen.status() != 401).collect();
    assert!(revived.is_empty(), "a session that is over was taken: {revived:?}");
    let served = good.between(away, Instant::now());
    assert!(served.iter().all(|seen| seen.status() == 200) && longest(&served) < SERVED_WITHIN, "{:?}", longest(&served));
    went_on(&node, pid);
    let meanwhile = alone.map_or_else(|| format!("counted alone; stale lists from {} on", seconds(stale)), str::to_owned);
    held(
        fault,
        &format!(
            "{meanwhile}; a token of an ended session was refused {} times of {0}{others}; requests within {}; fresh lists after {}, counted together after {}",
            over.between(away, Instant::now()).len(),
            seconds(longest(&served)),
            seconds(fresh),
            seconds(together),
        ),
    );
}
