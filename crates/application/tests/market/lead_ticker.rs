//! Who leads, and what is published, on virtual time.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use crate::support::{FixedDice, START, ScriptedProvider, TIME_OUT, VirtualTime, answers, answers_after};
use async_trait::async_trait;
use coinlink_application::market::{CollectQuotes, LeadTicker, LeaderParts, LeaderPolicy, TickOutcome};
use coinlink_domain::{
    market::{OverlayPolicy, Price, Quote, Source, SourcePolicy, Sourcing, Symbol, Tick, Ticker, TickerPolicy},
    shared::breaker::BreakerPolicy,
};
use coinlink_embedded::{EmbeddedBus, EmbeddedLease, EmbeddedQuota};
use coinlink_ports::{
    market::{LastKnownPrices, LeaderLease, PriceProvider, TickerBus},
    shared::{Clock as _, Pause as _, StoreError},
};
use time::Duration;

#[derive(Default)]
struct Kept {
    quotes: Mutex<Vec<Quote>>,
    writes: AtomicUsize,
}

impl Kept {
    fn writes(&self) -> usize {
        self.writes.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl LastKnownPrices for Kept {
    async fn remember(&self, quotes: &[Quote]) -> Result<(), StoreError> {
        self.writes.fetch_add(1, Ordering::SeqCst);
        *self.quotes.lock().unwrap() = quotes.to_vec();
        Ok(())
    }

    async fn recall(&self) -> Result<Vec<Quote>, StoreError> {
        Ok(self.quotes.lock().unwrap().clone())
    }
}

const TTL: Duration = Duration::seconds(10);

struct Cluster {
    clock: Arc<VirtualTime>,
    leases: Arc<EmbeddedLease>,
    bus: Arc<EmbeddedBus>,
    kept: Arc<Kept>,
    provider: Arc<ScriptedProvider>,
}

impl Cluster {
    fn new() -> Self {
        Self::of(Source::CoinGecko)
    }

    fn of(source: Source) -> Self {
        let clock = VirtualTime::start();
        let leases = Arc::new(EmbeddedLease::new(clock.clone()));
        let bus = Arc::new(EmbeddedBus::new(&leases, 60));
        let provider = ScriptedProvider::new(source, &clock, [answers(100)]);
        Self { clock, leases, bus, kept: Arc::default(), provider }
    }

    fn node(&self, leases: Arc<dyn LeaderLease>, ttl: Duration) -> LeadTicker {
        let period = Duration::seconds(60);
        let source = self.provider.source();
        let policy = SourcePolicy { source, period, breaker: BreakerPolicy::default() };
        let collect = CollectQuotes {
            providers: vec![Arc::clone(&self.provider) as Arc<dyn PriceProvider>],
            sourcing: Sourcing::new(&[policy]),
            metering: vec![],
            ledger: Arc::new(EmbeddedQuota::default()),
            clock: self.clock.clone(),
            pause: self.clock.clone(),
            dice: Arc::new(FixedDice),
        };
        let periods = vec![(source, period)];
        LeadTicker::new(LeaderParts {
            collect,
            ticker: Ticker::new(TickerPolicy { size: 50, periods, overlay: OverlayPolicy::default() }),
            leases,
            bus: self.bus.clone(),
            live: None,
            last_known: self.kept.clone(),
            clock: self.clock.clone(),
            policy: LeaderPolicy { ttl, margin: Duration::milliseconds(500), remember_every: Duration::seconds(60) },
            defaults: vec![Symbol::btc()],
        })
    }

    fn first(&self) -> LeadTicker {
        self.node(self.leases.clone(), TTL)
    }

    fn second(&self) -> LeadTicker {
        self.node(Arc::new(self.leases.rival()), TTL)
    }

    async fn later(&self, seconds: i64) {
        self.clock.pause(Duration::seconds(seconds)).await;
    }
}

fn published(outcome: TickOutcome) -> Arc<Tick> {
    match outcome {
        TickOutcome::Published { tick, .. } => tick,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_leader_counts_its_ticks_and_the_other_node_asks_nobody() {
    let cluster = Cluster::new();
    let (mut first, mut second) = (cluster.first(), cluster.second());
    for seq in 1..=4 {
        let tick = published(first.execute().await);
        assert_eq!(tick.id.seq, seq);
        assert!(matches!(second.execute().await, TickOutcome::Following));
        cluster.later(5).await;
    }
    assert_eq!(cluster.provider.calls(), 1, "one call in a 60 s period, for the whole cluster");
}

#[tokio::test(start_paused = true)]
async fn a_tick_says_how_long_its_new_answer_was_held_and_one_without_says_nothing() {
    let cluster = Cluster::new();
    let mut leader = cluster.first();
    assert_eq!(published(leader.execute().await).held, Some(Duration::ZERO));
    cluster.later(5).await;
    assert_eq!(published(leader.execute().await).held, None, "the list is what was answered before");
}

#[tokio::test(start_paused = true)]
async fn when_the_leader_is_gone_the_other_goes_on_after_the_lease_with_a_newer_epoch_and_its_prices() {
    let cluster = Cluster::new();
    let (mut first, mut second) = (cluster.first(), cluster.second());
    let before = published(first.execute().await);
    drop(first);
    cluster.later(9).await;
    assert!(matches!(second.execute().await, TickOutcome::Following));
    cluster.later(2).await;
    let after = published(second.execute().await);
    assert!(after.id.epoch > before.id.epoch && after.id.seq == 1);
    assert!(!after.stale, "CoinGecko would still answer the same");
    assert_eq!(after.items, before.items);
    assert_eq!(cluster.provider.calls(), 1, "so it is not asked again");
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_wakes_up_after_its_lease_publishes_nothing() {
    let cluster = Cluster::new();
    let (mut first, mut second) = (cluster.first(), cluster.second());
    published(first.execute().await);
    cluster.later(11).await;
    let new = published(second.execute().await);
    assert!(matches!(first.execute().await, TickOutcome::Following));
    assert_eq!(cluster.bus.snapshot().await.unwrap().unwrap().id, new.id);
}

#[tokio::test(start_paused = true)]
async fn a_leader_frozen_while_it_collects_is_fenced_by_its_own_clock() {
    let cluster = Cluster::new();
    cluster.provider.now_does(answers_after(3_000, 100));
    let mut leader = cluster.node(cluster.leases.clone(), Duration::seconds(2));
    assert!(matches!(leader.execute().await, TickOutcome::Fenced { .. }));
    assert!(cluster.bus.snapshot().await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_released_lease_is_taken_at_once() {
    let cluster = Cluster::new();
    let (mut first, mut second) = (cluster.first(), cluster.second());
    let before = published(first.execute().await);
    first.release().await.unwrap();
    assert!(published(second.execute().await).id.epoch > before.id.epoch);
}

#[tokio::test(start_paused = true)]
async fn a_start_without_a_network_shows_what_the_last_run_knew_and_marks_it() {
    let cluster = Cluster::new();
    published(cluster.first().execute().await);

    let next_run = Cluster { kept: cluster.kept.clone(), ..Cluster::new() };
    next_run.provider.now_does(TIME_OUT);
    let tick = published(next_run.first().execute().await);
    assert!(tick.stale && tick.items[0].stale);
    assert_eq!(tick.item("BTC").unwrap().quote.price.usd(), 100.into());
}

#[tokio::test(start_paused = true)]
async fn what_is_known_is_shown_before_the_providers_have_answered() {
    let cluster = Cluster::new();
    published(cluster.first().execute().await);

    let next_run = Cluster { kept: cluster.kept.clone(), ..Cluster::new() };
    next_run.provider.now_does(TIME_OUT);
    let mut leader = next_run.first();
    assert!(tokio::time::timeout(std::time::Duration::from_secs(1), leader.execute()).await.is_err(), "it still asks");
    let shown = next_run.bus.snapshot().await.unwrap().unwrap();
    assert!(shown.stale && shown.items.len() == 1);
}

#[tokio::test(start_paused = true)]
async fn simulated_prices_are_neither_kept_nor_mixed_with_real_ones() {
    let simulated = Cluster::of(Source::Simulated);
    published(simulated.first().execute().await);
    assert_eq!(simulated.kept.writes(), 0);

    let real = Cluster::new();
    let quote = Quote::bare(Symbol::btc(), Price::try_new(1.into()).unwrap(), Source::Simulated, START);
    real.kept.remember(&[quote]).await.unwrap();
    real.provider.now_does(TIME_OUT);
    assert_eq!(published(real.first().execute().await).items.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn providers_that_stop_answering_leave_the_list_carried_and_growing_old() {
    let cluster = Cluster::new();
    let mut leader = cluster.first();
    published(leader.execute().await);
    cluster.provider.now_does(TIME_OUT);
    let mut ages = Vec::new();
    for _ in 0..30 {
        cluster.later(5).await;
        let tick = published(leader.execute().await);
        assert_eq!(tick.items.len(), 1);
        ages.push((tick.stale, tick.age(cluster.clock.now()).unwrap()));
    }
    assert!(ages.is_sorted_by_key(|(_, age)| *age));
    assert!(!ages[0].0 && ages.last().unwrap().0);
}
