//! The ports' contracts, held by the ones in this process.

use std::sync::Arc;

use coinlink_embedded::{
    EmbeddedBulletins, EmbeddedBus, EmbeddedLease, EmbeddedLiveEvents, EmbeddedQuota, EmbeddedSocketTickets,
};
use coinlink_ports::market::{LeaderLease, TickerBus};
use coinlink_testkit::{
    identity::TicketNodes,
    market::{BoardNodes, HISTORY_KEPT, LeaseNodes, NOON, TickerNode, a_tick},
    shared::{ManualPause, StoppedClock},
};
use time::Duration;

fn lease() -> EmbeddedLease {
    EmbeddedLease::new(Arc::new(StoppedClock::at(NOON)))
}

mod leases {
    use super::*;

    fn nodes() -> LeaseNodes {
        let clock = Arc::new(StoppedClock::at(NOON));
        let one = EmbeddedLease::new(clock.clone());
        let other = one.rival();
        LeaseNodes { one: Arc::new(one), other: Arc::new(other), pause: Arc::new(ManualPause::advancing(clock)) }
    }

    coinlink_testkit::leader_lease_contract!(nodes());
}

mod buses {
    use super::*;

    fn node() -> TickerNode {
        let lease = lease();
        let bus = Arc::new(EmbeddedBus::new(&lease, HISTORY_KEPT));
        TickerNode { bus: Arc::clone(&bus) as _, lease: Arc::new(lease), cache: bus }
    }

    coinlink_testkit::ticker_bus_contract!(node());
}

mod live_events {
    use super::*;

    coinlink_testkit::live_events_contract!(Arc::new(EmbeddedLiveEvents::default()));
}

mod quotas {
    use super::*;

    coinlink_testkit::quota_ledger_contract!(Arc::new(EmbeddedQuota::default()));
}

mod bulletins {
    use super::*;

    fn nodes() -> BoardNodes {
        let clock = Arc::new(StoppedClock::at(NOON));
        let board = Arc::new(EmbeddedBulletins::new(clock.clone()));
        BoardNodes { one: Arc::clone(&board) as _, other: board, pause: Arc::new(ManualPause::advancing(clock)) }
    }

    coinlink_testkit::bulletin_board_contract!(nodes());
}

mod tickets {
    use super::*;

    fn nodes() -> TicketNodes {
        let clock = Arc::new(StoppedClock::at(NOON));
        let tickets = Arc::new(EmbeddedSocketTickets::new(clock.clone()));
        TicketNodes { one: tickets.clone(), other: tickets, pause: Arc::new(ManualPause::advancing(clock)) }
    }

    coinlink_testkit::socket_tickets_contract!(nodes());
}

#[tokio::test]
async fn the_only_node_always_gets_the_lease() {
    let lease = lease();
    let first = lease.acquire(Duration::seconds(10)).await.unwrap().unwrap();
    let second = lease.acquire(Duration::seconds(10)).await.unwrap().unwrap();
    assert!(second.epoch > first.epoch);
}

#[tokio::test]
async fn an_epoch_is_the_time_in_milliseconds_so_that_it_grows_over_restarts() {
    let now_ms = u64::try_from(NOON.unix_timestamp()).unwrap() * 1_000;
    assert_eq!(lease().acquire(Duration::seconds(10)).await.unwrap().unwrap().epoch, now_ms);
}

#[tokio::test]
async fn a_follower_that_slept_through_many_ticks_is_still_there_and_gets_the_newest() {
    let bus = EmbeddedBus::new(&lease(), HISTORY_KEPT);
    let mut follower = bus.follow().await.unwrap();
    for seq in 1..=1_000 {
        bus.publish(&a_tick(1, seq)).await.unwrap();
    }
    assert_eq!(follower.next(Duration::SECOND).await.unwrap(), Some(a_tick(1, 1_000)));
    bus.publish(&a_tick(1, 1_001)).await.unwrap();
    assert_eq!(follower.next(Duration::SECOND).await.unwrap(), Some(a_tick(1, 1_001)));
}
