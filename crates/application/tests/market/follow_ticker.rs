//! What a node's audience gets, on virtual time, while the bus comes and goes.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use crate::support::{FixedDice, START, VirtualTime};
use async_trait::async_trait;
use coinlink_application::market::{FollowTicker, FollowerReport, RecallTicker};
use coinlink_domain::{
    market::{OverlayPolicy, Price, Quote, Source, SourcePolicy, Sourcing, Symbol, Tick, TickId, Ticker, TickerPolicy},
    shared::breaker::BreakerPolicy,
};
use coinlink_embedded::{EmbeddedBus, EmbeddedLease};
use coinlink_ports::{
    market::{LastKnownPrices, PublishError, TickAudience, TickFollower, TickerBus},
    shared::{BusError, Clock as _, Pause as _, StoreError},
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

/// What the last run left.
#[derive(Default)]
struct Kept {
    quotes: Mutex<Vec<Quote>>,
    fails: AtomicBool,
    hangs: AtomicBool,
    reads: AtomicUsize,
}

#[async_trait]
impl LastKnownPrices for Kept {
    async fn remember(&self, quotes: &[Quote]) -> Result<(), StoreError> {
        *self.quotes.lock().unwrap() = quotes.to_vec();
        Ok(())
    }

    async fn recall(&self) -> Result<Vec<Quote>, StoreError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        if self.hangs.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        if self.fails.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable("away".into()));
        }
        Ok(self.quotes.lock().unwrap().clone())
    }
}

#[derive(Default)]
struct Audience {
    ticks: Mutex<Vec<Arc<Tick>>>,
    replays: AtomicUsize,
    gaps: AtomicUsize,
}

impl TickAudience for Audience {
    fn deliver(&self, tick: Arc<Tick>) {
        self.ticks.lock().unwrap().push(tick);
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
    kept: Arc<Kept>,
    audience: Arc<Audience>,
}

fn rig() -> Rig {
    rig_that_begins(false)
}

/// On a store that keeps nothing yet; the bus may be away from the beginning.
fn rig_that_begins(down: bool) -> Rig {
    let clock = VirtualTime::start();
    let bus = Arc::new(EmbeddedBus::new(&EmbeddedLease::new(clock.clone()), 60));
    let bus = ShakyBus { bus, down: down.into(), lossy: Arc::default(), history_reads: AtomicUsize::default() };
    let rig = Rig { clock: clock.clone(), bus: Arc::new(bus), kept: Arc::default(), audience: Arc::default() };
    let period = Duration::seconds(60);
    let policy = SourcePolicy { source: Source::CoinGecko, period, breaker: BreakerPolicy::default() };
    let periods = vec![(Source::CoinGecko, period), (Source::CoinbaseLive, period)];
    let list = TickerPolicy { size: 50, periods, overlay: OverlayPolicy::default() };
    let follow = FollowTicker {
        bus: rig.bus.clone(),
        recall: RecallTicker {
            last_known: rig.kept.clone(),
            ticker: Ticker::new(list),
            sourcing: Sourcing::new(&[policy]),
            clock: clock.clone(),
        },
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

/// Of ten seconds before the start.
fn quote(symbol: &str, source: Source) -> Quote {
    let (symbol, price) = (Symbol::try_new(symbol).unwrap(), Price::try_new(100.into()).unwrap());
    Quote::bare(symbol, price, source, START - Duration::seconds(10))
}

impl Rig {
    async fn publish(&self, epoch: u64, seq: u64) {
        let id = TickId { epoch, seq };
        let tick = Tick { id, timestamp: START, source: None, as_of: None, stale: true, held: None, items: Arc::new([]) };
        self.bus.publish(&tick).await.unwrap();
        self.clock.pause(Duration::MILLISECOND).await;
    }

    fn seen(&self) -> Vec<(u64, u64)> {
        self.audience.ticks.lock().unwrap().iter().map(|tick| (tick.id.epoch, tick.id.seq)).collect()
    }

    async fn keep(&self, source: Source) {
        self.kept.remember(&[quote("BTC", source)]).await.unwrap();
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

#[tokio::test(start_paused = true)]
async fn a_node_that_never_reached_the_bus_shows_what_was_kept_as_stale_and_no_more_of_it_after_a_tick() {
    let rig = rig_that_begins(true);
    rig.kept.remember(&[quote("BTC", Source::CoinGecko), quote("ETH", Source::CoinbaseLive)]).await.unwrap();
    rig.later(1).await;
    let shown = rig.audience.ticks.lock().unwrap()[0].clone();
    assert_eq!((shown.id.epoch, shown.stale, shown.source), (0, true, Some(Source::CoinGecko)));
    assert_eq!(shown.age(rig.clock.now()), Some(Duration::seconds(11)));
    assert_eq!(shown.items.len(), 2);
    assert!(shown.items.iter().all(|item| item.stale), "a line that is shown until Redis is back may not stay fresh");
    assert_eq!(shown.item("BTC").unwrap().quote.price.usd(), 100.into());
    rig.later(300).await;
    assert!((55..=61).contains(&rig.replays()), "{}", rig.replays());
    rig.bus.down.store(false, Ordering::SeqCst);
    rig.later(10).await;
    rig.publish(1, 7).await;
    assert_eq!(rig.seen(), [(0, shown.id.seq), (1, 7)]);
    assert!(rig.audience.ticks.lock().unwrap()[1].id > shown.id);
    rig.bus.down.store(true, Ordering::SeqCst);
    rig.later(300).await;
    assert_eq!(rig.seen().len(), 2, "what is kept may be older than what is shown");
    assert_eq!(rig.kept.reads.load(Ordering::SeqCst), 1);
    assert_eq!(rig.audience.gaps.load(Ordering::SeqCst), 0);
}

#[tokio::test(start_paused = true)]
async fn where_the_bus_answers_nothing_that_is_kept_is_shown() {
    let rig = rig();
    rig.keep(Source::CoinGecko).await;
    rig.later(30).await;
    rig.publish(1, 1).await;
    rig.bus.down.store(true, Ordering::SeqCst);
    rig.later(300).await;
    assert_eq!(rig.seen(), [(1, 1)]);
    assert_eq!(rig.kept.reads.load(Ordering::SeqCst), 0);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_empty_or_of_a_made_up_market_shows_nothing_and_is_asked_again() {
    let rig = rig_that_begins(true);
    rig.kept.fails.store(true, Ordering::SeqCst);
    rig.later(60).await;
    rig.kept.fails.store(false, Ordering::SeqCst);
    rig.later(60).await;
    rig.keep(Source::Simulated).await;
    rig.later(60).await;
    assert!(rig.seen().is_empty());
    rig.keep(Source::CoinGecko).await;
    rig.later(10).await;
    assert_eq!(rig.seen().len(), 1);
    assert!(rig.replays() > 30, "and meanwhile the audience hears of it: {}", rig.replays());
}

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_holds_no_tick_up() {
    let rig = rig_that_begins(true);
    rig.kept.hangs.store(true, Ordering::SeqCst);
    rig.later(60).await;
    rig.bus.down.store(false, Ordering::SeqCst);
    rig.later(10).await;
    rig.publish(1, 1).await;
    assert_eq!(rig.seen(), [(1, 1)]);
    assert_eq!(rig.kept.reads.load(Ordering::SeqCst), 1);
}
