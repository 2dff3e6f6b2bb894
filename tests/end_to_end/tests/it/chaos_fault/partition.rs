//! The network between a node and its database goes, in each of the ways networks do.

use std::time::{Duration, Instant};

use coinlink_end_to_end_tests::{Cable, UNLIMITED, eventually};
use futures_util::future::join_all;
use tokio::time::sleep;

use super::{
    results::{Fault, PARTITION_CUT, PARTITION_FORGETS, PARTITION_SILENT, held, seconds},
    scene::{ANSWERED_WITHIN, PRICE, PROFILE, RECOVERS_WITHIN, SOON, Scene, is_ready, ready, user_of, went_on},
    watch::{Watch, longest, says_that_it_is_away},
};

const AWAY_FOR: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread")]
#[ignore = "`just chaos`; the way that is hardest to survive is in `tests/run`"]
async fn partition_cut_is_over_when_the_network_is_back() {
    survives(&PARTITION_CUT).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "`just chaos`; the way that is hardest to survive is in `tests/run`"]
async fn partition_silent_is_over_when_packets_get_through_again() {
    survives(&PARTITION_SILENT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn partition_forgets_old_connections_and_is_over_all_the_same() {
    survives(&PARTITION_FORGETS).await;
}

async fn survives(fault: &Fault) {
    let scene = Scene::start().await;
    let port = scene.postgres.address().port;
    let cable = Cable::to(port).await;
    let database = cable.instead_of(port, &scene.database.url);
    let node = scene.nodes_at(&database, 1, &UNLIMITED).await.remove(0);
    let (pid, (api, email, user)) = (node.process.pid(), user_of(&node).await);
    // As many connections as the pool has.
    join_all((0..40).map(|_| api.get_as(&user.access, PROFILE))).await;
    let (profile, price) = (Watch::of(&api, Some(&user.access), PROFILE), Watch::of(&api, None, PRICE));
    profile.answers(200, Instant::now(), SOON).await;

    if *fault == PARTITION_CUT {
        cable.cut();
    } else {
        cable.silence();
    }
    let away = Instant::now();
    eventually("readiness tells", RECOVERS_WITHIN, async || !is_ready(&node).await).await;
    sleep(AWAY_FOR.saturating_sub(away.elapsed())).await;
    let back = Instant::now();
    if *fault == PARTITION_FORGETS {
        cable.mend_for_new_ones();
    } else {
        cable.mend();
    }
    let recovered = profile.answers(200, back, RECOVERS_WITHIN).await;
    let ready = ready(&node, back).await;
    let _ = api.sign_in(&email).await;
    for answer in join_all((0..40).map(|_| api.get_as(&user.access, PROFILE))).await {
        let _ = answer.expect(200);
    }
    assert!(back.elapsed() < RECOVERS_WITHIN, "{:?}", back.elapsed());

    let refused = profile.between(away, back);
    for seen in &refused {
        says_that_it_is_away(seen, &node, ANSWERED_WITHIN);
    }
    let prices = price.between(away, back);
    assert!(prices.iter().all(|seen| seen.status() == 200), "{prices:?}");
    went_on(&node, pid);
    held(
        fault,
        &format!(
            "503 within {} at most, prices within {}; recovered after {}, ready after {}",
            seconds(longest(&refused)),
            seconds(longest(&prices)),
            seconds(recovered),
            seconds(ready),
        ),
    );
}
