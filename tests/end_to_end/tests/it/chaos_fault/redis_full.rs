//! Redis has no memory left: it answers, and takes nothing.

use std::time::{Duration, Instant};

use coinlink_end_to_end_tests::{Frame, UNLIMITED, eventually};
use serde_json::json;
use tokio::time::sleep;

use super::{
    results::{REDIS_FULL, held, seconds},
    scene::{PRICE, PROFILE, RECOVERS_WITHIN, SOON, Scene, is_fresh, listener, user_of, went_on},
    watch::{Watch, longest},
};

/// More than the lease.
const FULL_FOR: Duration = Duration::from_secs(12);

#[tokio::test(flavor = "multi_thread")]
async fn redis_full_is_as_good_as_none_and_used_again_once_it_has_room() {
    let scene = Scene::start().await;
    let node = scene.nodes(1, &UNLIMITED).await.remove(0);
    let (pid, (api, email, user)) = (node.process.pid(), user_of(&node).await);
    let ended = api.sign_in(&email).await;
    let _ = api.post("/api/v2/auth/logout", &json!({"refresh_token": ended.refresh})).await.expect(200);
    let meanwhile = api.sign_in(&email).await;
    let (over, good) = (Watch::of(&api, Some(&ended.access), PRICE), Watch::of(&api, Some(&user.access), PROFILE));
    let recorder = listener(&node).await;
    over.answers(401, Instant::now(), SOON).await;

    scene.redis.ask(&["SETRANGE", "something-else", "2097152", "x"]);
    scene.redis.ask(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
    scene.redis.ask(&["CONFIG", "SET", "maxmemory", "1mb"]);
    let full = Instant::now();
    let stale = recorder.list_after(full, RECOVERS_WITHIN, Frame::is_stale).await.at - full;
    let _ = api.post("/api/v2/auth/logout", &json!({"refresh_token": meanwhile.refresh})).await.expect(200);
    eventually("what ends meanwhile is over", Duration::from_secs(1), async || {
        api.get_as(&meanwhile.access, PRICE).await.code() == "session_revoked"
    })
    .await;
    let _ = api.get_as(&api.sign_in(&email).await.access, PROFILE).await.expect(200);
    assert_eq!(node.metric("coinlink_rate_limiter_fallback").await, 1, "it counts alone");
    sleep(FULL_FOR.saturating_sub(full.elapsed())).await;

    scene.redis.ask(&["CONFIG", "SET", "maxmemory", "0"]);
    let back = Instant::now();
    let fresh = recorder.list_after(back, RECOVERS_WITHIN, is_fresh).await.at - back;
    let together = async || node.metric("coinlink_rate_limiter_fallback").await == 0;
    eventually("it counts together with others", RECOVERS_WITHIN, together).await;
    let together = back.elapsed();

    let revived: Vec<_> = over.between(full, Instant::now()).into_iter().filter(|seen| seen.status() != 401).collect();
    assert!(revived.is_empty(), "a session that is over was taken: {revived:?}");
    let served = good.between(full, Instant::now());
    assert!(served.iter().all(|seen| seen.status() == 200), "{served:?}");
    went_on(&node, pid);
    let log = node.process.log();
    assert!(!log.contains("the connection to Redis is lost"), "a command that was refused is no reason to connect again:\n{log}");
    held(
        &REDIS_FULL,
        &format!(
            "stale lists from {} on, counted alone, no revoked token taken, requests within {}; fresh lists after {}, counted together after {}",
            seconds(stale),
            seconds(longest(&served)),
            seconds(fresh),
            seconds(together),
        ),
    );
}
