//! What every [`TickerBus`] must do.
#![expect(clippy::unwrap_used, reason = "a contract suite is test code")]

use std::sync::Arc;

use coinlink_domain::market::{Tick, TickId};
use coinlink_ports::{
    market::{LeaderLease, PublishError, TickFollower, TickerBus},
    operations::ClearableCache,
};
use time::Duration;

use super::{a_full_tick, a_tick};

/// How many ticks the bus under test keeps.
pub const HISTORY_KEPT: usize = 5;

/// An empty bus that keeps [`HISTORY_KEPT`] ticks, and the lease that fences it.
pub struct TickerNode {
    /// The bus.
    pub bus: Arc<dyn TickerBus>,
    /// The lease.
    pub lease: Arc<dyn LeaderLease>,
    /// The bus, as what may be forgotten.
    pub cache: Arc<dyn ClearableCache>,
}

const SOON: Duration = Duration::seconds(2);
const NOT_LONG: Duration = Duration::milliseconds(50);

async fn arrival(follower: &mut dyn TickFollower) -> Tick {
    follower.next(SOON).await.unwrap().expect("a tick within two seconds")
}

pub async fn an_empty_bus_knows_nothing(node: TickerNode) {
    assert_eq!(node.bus.snapshot().await.unwrap(), None);
    assert_eq!(node.bus.newest_id().await.unwrap(), None);
    assert_eq!(node.bus.history(10).await.unwrap(), []);
    assert_eq!(node.bus.follow().await.unwrap().next(NOT_LONG).await.unwrap(), None);
}

pub async fn a_tick_arrives_and_is_kept_to_the_last_digit(node: TickerNode) {
    let mut follower = node.bus.follow().await.unwrap();
    let tick = a_full_tick(7, 1);
    assert_eq!(node.bus.publish(&tick).await.unwrap(), 1, "followers reached");
    assert_eq!(arrival(&mut *follower).await, tick);
    assert_eq!(node.bus.snapshot().await.unwrap(), Some(tick.clone()));
    assert_eq!(node.bus.newest_id().await.unwrap(), Some(TickId { epoch: 7, seq: 1 }));
    assert_eq!(node.bus.history(10).await.unwrap(), [tick]);
}

pub async fn a_tick_of_an_empty_list_is_a_tick(node: TickerNode) {
    let tick = Tick { source: None, as_of: None, items: [].into(), ..a_tick(7, 1) };
    node.bus.publish(&tick).await.unwrap();
    assert_eq!(node.bus.snapshot().await.unwrap(), Some(tick));
}

pub async fn a_tick_that_is_not_newer_is_refused_and_leaves_no_trace(node: TickerNode) {
    node.bus.publish(&a_tick(7, 2)).await.unwrap();
    let mut follower = node.bus.follow().await.unwrap();
    for seq in [2, 1] {
        let refused = node.bus.publish(&Tick { stale: true, ..a_tick(7, seq) }).await;
        assert!(matches!(refused, Err(PublishError::NotNewer)), "{refused:?}");
    }
    assert_eq!(node.bus.history(10).await.unwrap(), [a_tick(7, 2)]);
    assert_eq!(node.bus.snapshot().await.unwrap(), Some(a_tick(7, 2)));
    assert_eq!(follower.next(NOT_LONG).await.unwrap(), None);
}

pub async fn a_tick_of_an_older_epoch_is_fenced_and_leaves_no_trace(node: TickerNode) {
    node.bus.publish(&a_tick(8, 1)).await.unwrap();
    let mut follower = node.bus.follow().await.unwrap();
    let fenced = node.bus.publish(&a_tick(7, 99)).await;
    assert!(matches!(fenced, Err(PublishError::Fenced { newer: 8 })), "{fenced:?}");
    assert_eq!(node.bus.history(10).await.unwrap(), [a_tick(8, 1)]);
    assert_eq!(node.bus.snapshot().await.unwrap(), Some(a_tick(8, 1)));
    assert_eq!(follower.next(NOT_LONG).await.unwrap(), None);
}

pub async fn a_leader_is_fenced_as_soon_as_the_lease_was_taken_anew(node: TickerNode) {
    let older = node.lease.acquire(SOON).await.unwrap().unwrap().epoch;
    node.bus.publish(&a_tick(older, 1)).await.unwrap();
    let newer = node.lease.acquire(SOON).await.unwrap().unwrap().epoch;
    let fenced = node.bus.publish(&a_tick(older, 2)).await;
    assert!(matches!(fenced, Err(PublishError::Fenced { newer: by }) if by == newer), "{fenced:?}");
    node.bus.publish(&a_tick(newer, 1)).await.unwrap();
    assert_eq!(node.bus.newest_id().await.unwrap(), Some(TickId { epoch: newer, seq: 1 }));
}

pub async fn history_is_capped_and_oldest_first(node: TickerNode) {
    for seq in 1..=8 {
        node.bus.publish(&a_tick(7, seq)).await.unwrap();
    }
    let seqs = async |count| node.bus.history(count).await.unwrap().iter().map(|tick| tick.id.seq).collect::<Vec<_>>();
    assert_eq!(seqs(100).await, [4, 5, 6, 7, 8]);
    assert_eq!(seqs(2).await, [7, 8]);
    assert_eq!(seqs(0).await, [0_u64; 0]);
}

pub async fn every_follower_gets_each_tick_in_order(node: TickerNode) {
    let mut followers = [node.bus.follow().await.unwrap(), node.bus.follow().await.unwrap()];
    for (epoch, seq) in [(7, 1), (7, 2), (8, 1), (8, 3)] {
        assert_eq!(node.bus.publish(&a_tick(epoch, seq)).await.unwrap(), 2);
        for follower in &mut followers {
            assert_eq!(arrival(&mut **follower).await.id, TickId { epoch, seq });
        }
    }
}

pub async fn a_follower_is_not_told_of_what_came_before_it(node: TickerNode) {
    node.bus.publish(&a_tick(7, 1)).await.unwrap();
    let mut follower = node.bus.follow().await.unwrap();
    assert_eq!(follower.next(NOT_LONG).await.unwrap(), None);
    node.bus.publish(&a_tick(7, 2)).await.unwrap();
    assert_eq!(arrival(&mut *follower).await.id.seq, 2);
}

/// A joiner that reads the snapshot after a message must not go back in time.
pub async fn the_snapshot_is_never_older_than_a_message_that_arrived(node: TickerNode) {
    let mut follower = node.bus.follow().await.unwrap();
    let bus = node.bus.clone();
    let publishing = tokio::spawn(async move {
        for seq in 1..=50 {
            bus.publish(&a_tick(7, seq)).await.unwrap();
        }
    });
    loop {
        let arrived = arrival(&mut *follower).await.id;
        assert!(node.bus.newest_id().await.unwrap() >= Some(arrived));
        if arrived.seq == 50 {
            break;
        }
    }
    publishing.await.unwrap();
}

pub async fn a_wait_that_is_given_up_loses_no_tick(node: TickerNode) {
    let mut follower = node.bus.follow().await.unwrap();
    for seq in 1..=20 {
        let given_up = tokio::time::timeout(std::time::Duration::from_micros(50), follower.next(SOON)).await;
        assert!(given_up.is_err(), "nothing was published");
        node.bus.publish(&a_tick(7, seq)).await.unwrap();
        assert_eq!(arrival(&mut *follower).await.id.seq, seq);
    }
}

pub async fn of_one_tick_published_by_many_at_once_exactly_one_is_taken(node: TickerNode) {
    let racing: Vec<_> = (0..10)
        .map(|_| {
            let bus = node.bus.clone();
            tokio::spawn(async move { bus.publish(&a_tick(7, 1)).await.is_ok() })
        })
        .collect();
    let mut taken = 0;
    for racer in racing {
        taken += usize::from(racer.await.unwrap());
    }
    assert_eq!(taken, 1);
    assert_eq!(node.bus.history(10).await.unwrap().len(), 1);
}

pub async fn clearing_forgets_the_ticks_and_neither_followers_nor_the_fence(node: TickerNode) {
    assert_eq!(node.cache.clear().await.unwrap(), 0);
    let older = node.lease.acquire(SOON).await.unwrap().unwrap().epoch;
    let newer = node.lease.acquire(SOON).await.unwrap().unwrap().epoch;
    node.bus.publish(&a_tick(newer, 1)).await.unwrap();
    node.bus.publish(&a_tick(newer, 2)).await.unwrap();
    let mut follower = node.bus.follow().await.unwrap();
    assert_eq!(node.cache.clear().await.unwrap(), 3, "two of the history, and the snapshot");
    assert_eq!(node.bus.snapshot().await.unwrap(), None);
    assert_eq!(node.bus.newest_id().await.unwrap(), None);
    assert_eq!(node.bus.history(10).await.unwrap(), []);
    let fenced = node.bus.publish(&a_tick(older, 9)).await;
    assert!(matches!(fenced, Err(PublishError::Fenced { newer: by }) if by == newer), "{fenced:?}");
    node.bus.publish(&a_tick(newer, 3)).await.unwrap();
    assert_eq!(arrival(&mut *follower).await.id, TickId { epoch: newer, seq: 3 });
    assert_eq!(node.bus.history(10).await.unwrap(), [a_tick(newer, 3)]);
}

/// Runs the suite on `$node`, an expression of type [`TickerNode`] that is evaluated anew for each case.
#[macro_export]
macro_rules! ticker_bus_contract {
    ($($case:ident),+ $(,)? => $node:expr) => {
        $(#[tokio::test]
        async fn $case() {
            $crate::market::bus_contract::$case($node).await;
        })+
    };
    ($node:expr) => {
        $crate::ticker_bus_contract!(
            an_empty_bus_knows_nothing,
            a_tick_arrives_and_is_kept_to_the_last_digit,
            a_tick_of_an_empty_list_is_a_tick,
            a_tick_that_is_not_newer_is_refused_and_leaves_no_trace,
            a_tick_of_an_older_epoch_is_fenced_and_leaves_no_trace,
            a_leader_is_fenced_as_soon_as_the_lease_was_taken_anew,
            history_is_capped_and_oldest_first,
            every_follower_gets_each_tick_in_order,
            a_follower_is_not_told_of_what_came_before_it,
            the_snapshot_is_never_older_than_a_message_that_arrived,
            a_wait_that_is_given_up_loses_no_tick,
            of_one_tick_published_by_many_at_once_exactly_one_is_taken,
            clearing_forgets_the_ticks_and_neither_followers_nor_the_fence,
            => $node
        );
    };
}
