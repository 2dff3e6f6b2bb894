//! A name that two nodes go by is noticed by both, and one that a node had before it was started again is not.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::{sync::Arc, time::Duration as StdDuration};

use coinlink_redis::{RedisLink, RedisNodeName, RedisSettings};
use coinlink_testkit::{servers::shared_redis, shared::LoadedDice};
use time::Duration;

const SILENT_FOR: Duration = Duration::milliseconds(600);

struct Place(RedisSettings);

impl Place {
    async fn new() -> Self {
        let server = shared_redis().await;
        Self(RedisSettings { prefix: server.fresh_prefix(), ..RedisSettings::new(server.url()) })
    }

    fn node(&self, name: &str) -> RedisNodeName {
        let link = RedisLink::try_new(&self.0, Arc::new(LoadedDice::always(0))).unwrap();
        RedisNodeName::new(link, name, SILENT_FOR)
    }
}

/// Redis counts milliseconds.
async fn a_moment() {
    tokio::time::sleep(StdDuration::from_millis(5)).await;
}

async fn is_shared(node: &RedisNodeName) -> bool {
    a_moment().await;
    node.is_shared().await.unwrap()
}

#[tokio::test]
async fn two_nodes_of_one_name_both_hear_of_it_and_until_one_is_gone() {
    let place = Place::new().await;
    let (one, other, third) = (place.node("api"), place.node("api"), place.node("api-2"));
    assert!(!is_shared(&one).await && !is_shared(&one).await, "there is one");
    assert!(!is_shared(&third).await, "it has another name");
    assert!(!is_shared(&other).await, "nothing was heard of the first one since");
    assert!(is_shared(&one).await && is_shared(&other).await && is_shared(&one).await);
    assert!(!is_shared(&third).await);
    drop(other);
    tokio::time::sleep(SILENT_FOR.try_into().unwrap()).await;
    assert!(!is_shared(&one).await);
}

#[tokio::test]
async fn a_node_that_is_started_again_does_not_meet_itself() {
    let place = Place::new().await;
    let before = place.node("api");
    assert!(!is_shared(&before).await && !is_shared(&before).await);
    drop(before);
    let again = place.node("api");
    for _ in 0..3 {
        assert!(!is_shared(&again).await);
    }
}
