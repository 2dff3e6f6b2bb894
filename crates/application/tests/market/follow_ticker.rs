//! What a node's audience gets, on virtual time, while the bus comes and goes.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use crate::support::{FixedDice, START, VirtualTime};
use async_trait::async_trait;
use coinlink_application::market::{FollowTicker, FollowerReport};
use coinlink_domain::market::{Tick, TickId};
use coinlink_embedded::{EmbeddedBus, EmbeddedLease};
use coinlink_ports::{
    market::{PublishError, TickAudience, TickFollower, TickerBus},
    shared::{BusError, Pause as _},
};
use time::Duration;

/// A bus that can be cut off, and can lose messages.
struct ShakyBus {
    bus: Arc<EmbeddedBus>,
    down: AtomicBool,
    lossy: Arc<AtomicBool>,
    history_reads: AtomicUsize,
}

impl ShakyBus {
    fn check(&self) -> Result<(), BusError> {
        if self.down.load(Ordering::SeqCst) { Err(BusError("down".into())) } else { Ok(()) }
    }
}

#[async_trait]
impl TickerBus for ShakyBus {
    async fn publish(&self, tick: &Tick) -> Result<u64, PublishError> {
        self.bus.publish(tick).await
    }

    async fn snapshot(&self) -> Result<Option<Tick>, BusError> {
        self.check()?;
        self.bus.snapshot().await
    }

    async fn history(&self, count: usize) -> Result<Vec<Tick>, BusError> {
        self.check()?;
        self.history_reads.fetch_add(1, Ordering::SeqCst);
        self.bus.history(count).await
    }

    async fn follow(&self) -> Result<Box<dyn TickFollower>, BusError> {
        self.check()?;
        Ok(Box::new(ShakyFollower { follower: self.bus.follow().await?, lossy: self.lossy.clone() }))
    }
}

struct ShakyFollower {
    follower: Box<dyn TickFollower>,
    lossy: Arc<AtomicBool>,
}

#[async_trait]
impl TickFollower for ShakyFollower {
    async fn next(&mut self, wait: Duration) -> Result<Option<Tick>, BusError> {
        loop {
            let next = self.follower.next(wait).await?;
            if !self.lossy.load(Ordering::SeqCst) || next.is_none() {
                return Ok(next);
            }
        }
    }
}

#[derive(Default)]
struct Audience {
    ids: Mutex<Vec<TickId>>,
    replays: AtomicUsize,
    gaps: AtomicUsize,
}

impl TickAudience for Audience {
    fn deliver(&self, tick: Arc<Tick>) {
        self.ids.lock().unwrap().push(tick.id);
    }

    fn replay_stale(&self) {
        self.replays.fetch_add(1, Ordering::SeqCst);
    }
}

impl FollowerReport for Audience {
    fn gap(&self) {
        self.gaps.fetch_add(1, Ordering::SeqCst);
    }
}

struct Rig {
    clock: Arc<VirtualTime>,
    bus: Arc<ShakyBus>,
    audience: Arc<Audience>,
}

fn rig() -> Rig {
    let clock = VirtualTime::start();
    let bus = Arc::new(EmbeddedBus::new(&EmbeddedLease::new(clock.clone()), 60));
    let bus = ShakyBus { bus, down: AtomicBool::default(), lossy: Arc::default(), history_reads: AtomicUsize::default() };
    let rig = Rig { clock: clock.clone(), bus: Arc::new(bus), audience: Arc::default() };
    let follow = FollowTicker {
        bus: rig.bus.clone(),
        audience: rig.audience.clone(),
        report: rig.audience.clone(),
        clock: clock.clone(),
        pause: clock,
        dice: Arc::new(FixedDice),
        interval: Duration::seconds(5),
    };
    tokio::spawn(async move { follow.execute().await });
    rig
}

impl Rig {
    async fn publish(&self, epoch: u64, seq: u64) {
        let id = TickId { epoch, seq };
        let tick = Tick { id, timestamp: START, source: None, as_of: None, stale: true, held: None, items: Arc::new([]) };
        self.bus.publish(&tick).await.unwrap();
        self.clock.pause(Duration::MILLISECOND).await;
    }

    fn seen(&self) -> Vec<(u64, u64)> {
        self.audience.ids.lock().unwrap().iter().map(|id| (id.epoch, id.seq)).collect()
    }

    async fn later(&self, seconds: i64) {
        self.clock.pause(Duration::seconds(seconds)).await;
    }

    fn replays(&self) -> usize {
        self.audience.replays.load(Ordering::SeqCst)
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_published_before_following_began_arrives_too() {
    let rig = rig();
    rig.bus
        .bus
        .publish(&Tick {
            id: TickId { epoch: 1, seq: 1 },
            timestamp: START,
            source: None,
            as_of: None,
            stale: true,
            held: None,
            items: Arc::new([]),
        })
        .await
        .unwrap();
    rig.publish(1, 2).await;
    assert_eq!(rig.seen(), [(1, 1), (1, 2)]);
}

#[tokio::test(start_paused = true)]
async fn lost_messages_are_found_by_their_numbers_and_read_again() {
    let rig = rig();
    rig.publish(1, 1).await;
    rig.bus.lossy.store(true, Ordering::SeqCst);
    rig.publish(1, 2).await;
    rig.publish(1, 3).await;
    rig.bus.lossy.store(false, Ordering::SeqCst);
    rig.publish(1, 4).await;
    assert_eq!(rig.seen(), [(1, 1), (1, 2), (1, 3), (1, 4)]);
    assert_eq!(rig.audience.gaps.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn a_lost_last_message_is_found_within_one_tick() {
    let rig = rig();
    rig.publish(1, 1).await;
    rig.bus.lossy.store(true, Ordering::SeqCst);
    rig.publish(1, 2).await;
    rig.later(8).await;
    assert_eq!(rig.seen(), [(1, 1), (1, 2)]);
}

#[tokio::test(start_paused = true)]
async fn while_the_bus_is_down_the_audience_gets_a_stale_replay_each_interval_and_recovers_by_itself() {
    let rig = rig();
    rig.publish(1, 1).await;
    rig.bus.down.store(true, Ordering::SeqCst);
    rig.later(300).await;
    assert!((58..=61).contains(&rig.replays()), "{}", rig.replays());
    rig.bus.down.store(false, Ordering::SeqCst);
    rig.later(10).await;
    rig.publish(2, 1).await;
    assert_eq!(rig.seen(), [(1, 1), (2, 1)]);
}

#[tokio::test(start_paused = true)]
async fn a_silent_leader_is_told_from_a_quiet_market() {
    let rig = rig();
    rig.publish(1, 1).await;
    rig.later(7).await;
    assert_eq!(rig.replays(), 0);
    rig.later(1).await;
    assert_eq!(rig.replays(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_older_epoch_never_comes_after_a_newer_one() {
    let rig = rig();
    rig.publish(5, 1).await;
    let fenced = Tick {
        id: TickId { epoch: 4, seq: 9 },
        timestamp: START,
        source: None,
        as_of: None,
        stale: true,
        held: None,
        items: Arc::new([]),
    };
    assert!(rig.bus.publish(&fenced).await.is_err());
    assert_eq!(rig.seen(), [(5, 1)]);
}
