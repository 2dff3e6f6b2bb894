//! What every [`LeaderLease`] must do.
#![expect(clippy::unwrap_used, reason = "a contract suite is test code")]

use std::sync::Arc;

use coinlink_ports::{market::LeaderLease, shared::Pause};
use time::Duration;

/// One lease as two nodes see it, and how time passes for it.
pub struct LeaseNodes {
    /// A node.
    pub one: Arc<dyn LeaderLease>,
    /// Another.
    pub other: Arc<dyn LeaderLease>,
    /// Waits for real, or moves the clock that the lease goes by.
    pub pause: Arc<dyn Pause>,
}

/// Longer than any case takes.
const LONG: Duration = Duration::seconds(60);
const SHORT: Duration = Duration::milliseconds(900);
const PAST_HALF_OF_SHORT: Duration = Duration::milliseconds(500);
const PAST_SHORT: Duration = Duration::milliseconds(1_100);

pub async fn of_two_nodes_that_race_exactly_one_gets_the_lease(nodes: LeaseNodes) {
    let (one, other) = tokio::join!(nodes.one.acquire(LONG), nodes.other.acquire(LONG));
    let winners = [one.unwrap(), other.unwrap()].iter().flatten().count();
    assert_eq!(winners, 1);
}

pub async fn a_held_lease_is_refused_to_another_node(nodes: LeaseNodes) {
    assert!(nodes.one.acquire(LONG).await.unwrap().is_some());
    assert_eq!(nodes.other.acquire(LONG).await.unwrap(), None);
}

pub async fn a_lapsed_lease_goes_to_the_next_node_with_a_greater_epoch(nodes: LeaseNodes) {
    let first = nodes.one.acquire(SHORT).await.unwrap().unwrap();
    nodes.pause.pause(PAST_SHORT).await;
    let second = nodes.other.acquire(LONG).await.unwrap().unwrap();
    assert!(second.epoch > first.epoch);
    assert!(!nodes.one.renew(first, LONG).await.unwrap(), "it is another's now");
    nodes.one.release(first).await.unwrap();
    assert!(nodes.other.renew(second, LONG).await.unwrap(), "a late release of the old lease leaves the new one alone");
}

pub async fn a_lapsed_lease_cannot_be_renewed(nodes: LeaseNodes) {
    let lease = nodes.one.acquire(SHORT).await.unwrap().unwrap();
    nodes.pause.pause(PAST_SHORT).await;
    assert!(!nodes.one.renew(lease, LONG).await.unwrap());
}

pub async fn a_renewed_lease_outlives_its_first_term(nodes: LeaseNodes) {
    let lease = nodes.one.acquire(SHORT).await.unwrap().unwrap();
    nodes.pause.pause(PAST_HALF_OF_SHORT).await;
    assert!(nodes.one.renew(lease, LONG).await.unwrap());
    nodes.pause.pause(PAST_HALF_OF_SHORT).await;
    assert_eq!(nodes.other.acquire(LONG).await.unwrap(), None);
}

pub async fn a_released_lease_can_be_taken_at_once(nodes: LeaseNodes) {
    let first = nodes.one.acquire(LONG).await.unwrap().unwrap();
    nodes.one.release(first).await.unwrap();
    assert!(!nodes.one.renew(first, LONG).await.unwrap());
    assert!(nodes.other.acquire(LONG).await.unwrap().unwrap().epoch > first.epoch);
}

pub async fn a_node_that_asks_again_gets_a_new_epoch_and_its_older_lease_is_over(nodes: LeaseNodes) {
    let older = nodes.one.acquire(LONG).await.unwrap().unwrap();
    let newer = nodes.one.acquire(LONG).await.unwrap().unwrap();
    assert!(newer.epoch > older.epoch);
    assert!(!nodes.one.renew(older, LONG).await.unwrap());
    nodes.one.release(older).await.unwrap();
    assert_eq!(nodes.other.acquire(LONG).await.unwrap(), None, "the newer lease still holds");
    assert!(nodes.one.renew(newer, LONG).await.unwrap());
}

pub async fn every_epoch_is_greater_than_all_before(nodes: LeaseNodes) {
    let mut newest = 0;
    for turn in 0..20 {
        let node = if turn % 2 == 0 { &nodes.one } else { &nodes.other };
        let lease = node.acquire(LONG).await.unwrap().unwrap();
        assert!(lease.epoch > newest);
        newest = lease.epoch;
        node.release(lease).await.unwrap();
    }
}

/// Runs the suite on `$nodes`, an expression of type [`LeaseNodes`] that is evaluated anew for each case.
#[macro_export]
macro_rules! leader_lease_contract {
    ($($case:ident),+ $(,)? => $nodes:expr) => {
        $(#[tokio::test]
        async fn $case() {
            $crate::market::lease_contract::$case($nodes).await;
        })+
    };
    ($nodes:expr) => {
        $crate::leader_lease_contract!(
            of_two_nodes_that_race_exactly_one_gets_the_lease,
            a_held_lease_is_refused_to_another_node,
            a_lapsed_lease_goes_to_the_next_node_with_a_greater_epoch,
            a_lapsed_lease_cannot_be_renewed,
            a_renewed_lease_outlives_its_first_term,
            a_released_lease_can_be_taken_at_once,
            a_node_that_asks_again_gets_a_new_epoch_and_its_older_lease_is_over,
            every_epoch_is_greater_than_all_before,
            => $nodes
        );
    };
}
