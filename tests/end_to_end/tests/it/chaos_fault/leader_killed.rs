//! The node that asks the providers is killed: clients of both nodes go on at the other one.

use std::{collections::BTreeSet, time::Instant};

use coinlink_end_to_end_tests::{Heard, Recorder, assert_one_story, leader};

use super::{
    results::{LEADER_KILLED, TAKE_OVER, held, seconds},
    scene::{SOON, Scene, is_fresh, listener},
};

fn is_new(heard: &Heard) -> bool {
    !heard.frame.is_replay()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "`just chaos`; takeover_fault holds the same in `tests/run`"]
async fn leader_killed_leaves_a_gap_of_the_lease_and_a_tick_and_no_number_twice() {
    let scene = Scene::start().await;
    let mut nodes = scene.nodes(2, &[]).await;
    let first = leader(&nodes).await;
    let (of_the_leader, of_the_other) = (listener(&nodes[first]).await, listener(&nodes[1 - first]).await);
    let before = of_the_other.lists().last().unwrap().frame.id();

    nodes[first].process.kill();
    let killed = Instant::now();
    // Whose node is gone comes to the other one.
    let moved = Recorder::start(nodes[1 - first].address).await;
    let next = of_the_other.list_after(killed, TAKE_OVER, |frame| is_fresh(frame) && frame.id().0 > before.0).await;
    moved.list_after(killed, SOON, |frame| is_fresh(frame) && frame.id().1 > next.frame.id().1 + 4).await;
    let gap = of_the_other.longest_gap();
    assert!(gap <= TAKE_OVER, "{gap:?}");
    assert_one_story(&[&of_the_leader, &of_the_other, &moved]);
    let mut told = 0;
    for recorder in [&of_the_leader, &of_the_other] {
        let lists = recorder.lists();
        let ids: Vec<_> = lists.iter().filter(|heard| is_new(heard)).map(|heard| heard.frame.id()).collect();
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "one number twice: {ids:?}");
        told += ids.len();
    }
    let replays = of_the_other.lists().iter().filter(|heard| heard.at > killed && heard.frame.is_replay()).count();
    held(
        &LEADER_KILLED,
        &format!(
            "the longest gap was {}, with {replays} lists marked stale in it; {told} new lists at two sockets, no number twice",
            seconds(gap)
        ),
    );
}
