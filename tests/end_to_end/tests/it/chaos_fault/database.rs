//! PostgreSQL is stopped, or does not answer.

use std::time::{Duration, Instant};

use coinlink_end_to_end_tests::{UNLIMITED, eventually};
use futures_util::future::join_all;
use reqwest::Method;
use tokio::time::sleep;

use super::{
    results::{DATABASE_HANGS, DATABASE_STOPPED, Fault, held, seconds},
    scene::{
        ANSWERED_WITHIN, PRICE, PROFILE, RECOVERS_WITHIN, SOON, Scene, is_fresh, is_ready, listener, ready, user_of, went_on,
    },
    watch::{Watch, longest, says_that_it_is_away},
};

const AWAY_FOR: Duration = Duration::from_secs(6);
/// More than the pool has connections.
const AT_ONCE: usize = 60;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "`just chaos`; identity_fault and cluster_fault hold the same in `tests/run`"]
async fn database_stopped_is_told_in_time_and_used_again_once_it_is_back() {
    survives(&DATABASE_STOPPED).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "`just chaos`; identity_fault holds the same in `tests/run`"]
async fn database_hangs_and_holds_up_nobody_who_does_not_need_it() {
    survives(&DATABASE_HANGS).await;
}

async fn survives(fault: &Fault) {
    let mut scene = Scene::start().await;
    let node = scene.nodes(1, &UNLIMITED).await.remove(0);
    let (pid, (api, email, user)) = (node.process.pid(), user_of(&node).await);
    let (profile, price) = (Watch::of(&api, Some(&user.access), PROFILE), Watch::of(&api, None, PRICE));
    let recorder = listener(&node).await;
    profile.answers(200, Instant::now(), SOON).await;

    if *fault == DATABASE_HANGS {
        scene.postgres.freeze();
    } else {
        scene.postgres.stop().await;
    }
    let away = Instant::now();
    let asked = (0..AT_ONCE).map(async |_| {
        let asked = Instant::now();
        (api.send(api.request(Method::GET, PROFILE).bearer_auth(&user.access)).await, asked.elapsed())
    });
    for (answer, took) in join_all(asked).await {
        assert_eq!((answer.status, answer.code()), (503, "dependency_unavailable"), "{}", answer.text);
        assert!(took < ANSWERED_WITHIN, "{took:?}");
    }
    eventually("readiness tells", RECOVERS_WITHIN, async || !is_ready(&node).await).await;
    let unready = away.elapsed();
    assert_eq!(node.get("/livez").await.0, 200, "nobody is to restart it for that");
    sleep(AWAY_FOR.saturating_sub(away.elapsed())).await;
    let back = Instant::now();
    if *fault == DATABASE_HANGS {
        scene.postgres.thaw();
    } else {
        scene.postgres.start_again().await;
    }
    // From when it can be used: starting is PostgreSQL's own time.
    let usable = Instant::now();
    let recovered = profile.answers(200, back, RECOVERS_WITHIN).await.saturating_sub(usable - back);
    let ready = ready(&node, usable).await;
    let _ = api.sign_in(&email).await;
    assert!(usable.elapsed() < RECOVERS_WITHIN, "{:?}", usable.elapsed());

    let refused = profile.between(away, back);
    for seen in &refused {
        says_that_it_is_away(seen, &node, ANSWERED_WITHIN);
    }
    let prices = price.between(away, back);
    assert!(prices.iter().all(|seen| seen.status() == 200), "{prices:?}");
    assert!(longest(&prices) < Duration::from_secs(1), "{:?}", longest(&prices));
    let fresh = recorder.lists().iter().filter(|heard| (away..back).contains(&heard.at) && is_fresh(&heard.frame)).count();
    assert!(fresh >= 4 && recorder.longest_gap() < Duration::from_secs(3), "{fresh} in {:?}", recorder.longest_gap());
    went_on(&node, pid);
    held(
        fault,
        &format!(
            "503 with its trace id within {} at most; `/readyz` told after {}; meanwhile prices within {}, a tick every {} at most; recovered after {}, ready after {}",
            seconds(longest(&refused)),
            seconds(unready),
            seconds(longest(&prices)),
            seconds(recorder.longest_gap()),
            seconds(recovered),
            seconds(ready),
        ),
    );
}
