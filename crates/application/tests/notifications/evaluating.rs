//! Alert rules, evaluated: what is stored when whoever evaluates is ended at any moment, and who comes after.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use coinlink_application::notifications::{EvaluateAlerts, EvaluatorParts};
use coinlink_domain::{
    market::{Percent, Price, Quote, Source, Symbol, Tick, TickId, TickItem},
    notifications::alerts::{AlertChange, AlertCondition, AlertRule, AlertRuleId},
    shared::user_id::UserId,
};
use coinlink_ports::{
    market::{PublishError, TickFollower, TickerBus},
    notifications::NotificationsStore as _,
    shared::BusError,
};
use coinlink_testkit::{
    market::MemoryCandles,
    notifications::MemoryNotifications,
    shared::{CountingEntropy, StoppedClock},
};
use time::{Duration, OffsetDateTime, macros::datetime};
use uuid::Uuid;

const NOON: OffsetDateTime = datetime!(2026-11-21 12:00 UTC);

/// What was published.
#[derive(Default)]
struct Published(Mutex<Vec<Tick>>);

#[async_trait]
impl TickerBus for Published {
    async fn publish(&self, tick: &Tick) -> Result<u64, PublishError> {
        self.0.lock().unwrap().push(tick.clone());
        Ok(1)
    }
    async fn snapshot(&self) -> Result<Option<Tick>, BusError> {
        Ok(self.0.lock().unwrap().last().cloned())
    }
    async fn history(&self, count: usize) -> Result<Vec<Tick>, BusError> {
        let published = self.0.lock().unwrap();
        Ok(published.iter().skip(published.len().saturating_sub(count)).cloned().collect())
    }
    async fn follow(&self) -> Result<Box<dyn TickFollower>, BusError> {
        Err(BusError("nobody follows here".to_owned()))
    }
}

/// A store, what was published, and who evaluates.
struct Place {
    store: MemoryNotifications,
    bus: Arc<Published>,
    parts: EvaluatorParts,
    clock: Arc<StoppedClock>,
    evaluator: EvaluateAlerts,
}

impl Place {
    fn new() -> Self {
        let (store, bus) = (MemoryNotifications::default(), Arc::new(Published::default()));
        let clock = Arc::new(StoppedClock::at(NOON));
        let parts = EvaluatorParts {
            store: Arc::new(store.clone()),
            reads: Arc::new(store.clone()),
            bus: bus.clone(),
            candles: Arc::new(MemoryCandles::default()),
            clock: clock.clone(),
            entropy: Arc::new(CountingEntropy::default()),
        };
        Self { store, bus, evaluator: EvaluateAlerts::new(parts.clone()), parts, clock }
    }

    /// Whoever evaluated is gone; another one knows what is stored.
    fn crash(&mut self) {
        self.evaluator = EvaluateAlerts::new(self.parts.clone());
    }

    async fn add(&self, rule: &AlertRule) {
        let mut tx = self.store.begin().await.unwrap();
        tx.alerts().add(rule, NOON).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn save(&self, rule: &AlertRule) {
        let mut tx = self.store.begin().await.unwrap();
        assert!(tx.alerts().save(rule, NOON).await.unwrap());
        tx.commit().await.unwrap();
    }

    async fn delete(&self, rule: &AlertRule) {
        let mut tx = self.store.begin().await.unwrap();
        assert!(tx.alerts().delete(rule.user, rule.id, NOON).await.unwrap());
        tx.commit().await.unwrap();
    }

    async fn publish(&self, tick: &Tick) {
        self.bus.publish(tick).await.unwrap();
    }

    /// Publishes and evaluates. How many fired.
    async fn tick(&mut self, tick: &Tick) -> usize {
        self.publish(tick).await;
        self.evaluator.execute(tick).await.unwrap().fired
    }

    fn fired(&self) -> Vec<(AlertRuleId, TickId)> {
        let mut fired: Vec<_> = self.store.fired_alerts().iter().map(|fired| (fired.rule, fired.tick)).collect();
        fired.sort_unstable();
        fired
    }
}

fn usd(hundredths: i64) -> Price {
    Price::try_new(rust_decimal::Decimal::new(hundredths, 2)).unwrap()
}

fn rule(n: u128, condition: AlertCondition, at: OffsetDateTime) -> AlertRule {
    AlertRule::new((AlertRuleId(Uuid::from_u128(n)), UserId(Uuid::from_u128(1_000 + n % 3))), Symbol::btc(), condition, at, None)
}

fn tick(id: (u64, u64), seconds: i64, price: Price) -> Tick {
    let at = NOON + Duration::seconds(seconds);
    let items = [TickItem { quote: Quote::bare(Symbol::btc(), price, Source::Kraken, at), stale: false }];
    Tick {
        id: TickId { epoch: id.0, seq: id.1 },
        timestamp: at,
        source: Some(Source::Kraken),
        as_of: Some(at),
        stale: false,
        held: None,
        items: items.into(),
    }
}

#[tokio::test]
async fn a_crossing_over_a_restart_fires_once() {
    let mut it = Place::new();
    it.add(&rule(1, AlertCondition::CrossesAbove(usd(10_000)), NOON)).await;
    assert_eq!(it.tick(&tick((1, 1), 5, usd(9_900))).await, 0);
    it.crash();
    assert_eq!(it.tick(&tick((2, 1), 60, usd(10_100))).await, 1);
    it.crash();
    assert_eq!(it.tick(&tick((3, 1), 65, usd(10_100))).await, 0);
    assert_eq!(it.store.notifications().len(), 1);
}

#[tokio::test]
async fn a_price_that_was_beyond_for_one_tick_that_nobody_evaluated_still_fires() {
    let mut it = Place::new();
    it.add(&rule(1, AlertCondition::CrossesAbove(usd(10_000)), NOON)).await;
    it.tick(&tick((1, 1), 5, usd(9_900))).await;
    it.publish(&tick((1, 2), 10, usd(10_100))).await;
    it.crash();
    assert_eq!(it.tick(&tick((2, 1), 20, usd(9_900))).await, 1);
    assert_eq!(it.fired(), [(AlertRuleId(Uuid::from_u128(1)), TickId { epoch: 1, seq: 2 })]);
}

#[tokio::test]
async fn an_evaluator_that_was_overtaken_changes_nothing() {
    let mut it = Place::new();
    it.add(&rule(1, AlertCondition::Above(usd(10_000)), NOON)).await;
    let mut older = EvaluateAlerts::new(it.parts.clone());
    older.execute(&tick((1, 1), 5, usd(9_900))).await.unwrap();
    assert_eq!(it.tick(&tick((2, 1), 15, usd(9_900))).await, 0);
    let late = older.execute(&tick((1, 2), 10, usd(10_100))).await.unwrap();
    assert!(late.overtaken);
    assert_eq!(it.fired(), []);
}

#[tokio::test]
async fn a_rule_that_is_made_changed_or_deleted_anywhere_counts_from_the_next_tick_on() {
    let mut it = Place::new();
    it.tick(&tick((1, 1), 5, usd(10_100))).await;
    let made = rule(1, AlertCondition::Above(usd(10_000)), NOON + Duration::seconds(7));
    let other = rule(2, AlertCondition::Above(usd(10_000)), NOON + Duration::seconds(7));
    it.add(&made).await;
    it.add(&other).await;
    it.delete(&other).await;
    assert_eq!(it.tick(&tick((1, 2), 10, usd(10_100))).await, 1);
    let stored = it.store.alert_rules().remove(0);
    let change = AlertChange { condition: Some(AlertCondition::Below(usd(20_000))), is_active: None };
    it.save(&stored.changed(change, NOON + Duration::seconds(12), None)).await;
    assert_eq!(it.tick(&tick((1, 3), 15, usd(10_100))).await, 1);
}

#[tokio::test]
async fn a_rule_that_cannot_be_read_keeps_no_other_from_firing() {
    let mut it = Place::new();
    for n in 1..=3 {
        it.add(&rule(n, AlertCondition::Above(usd(10_000)), NOON)).await;
    }
    it.store.garble_alert_rule(AlertRuleId(Uuid::from_u128(3)));
    it.publish(&tick((1, 1), 5, usd(10_100))).await;
    let evaluated = it.evaluator.execute(&tick((1, 1), 5, usd(10_100))).await.unwrap();
    assert_eq!((evaluated.fired, evaluated.rules, evaluated.unreadable), (2, 2, 1));
    it.store.garble_alert_rule(AlertRuleId(Uuid::from_u128(2)));
    it.publish(&tick((1, 2), 10, usd(10_100))).await;
    let evaluated = it.evaluator.execute(&tick((1, 2), 10, usd(10_100))).await.unwrap();
    assert_eq!((evaluated.rules, evaluated.unreadable), (1, 2));
}

/// A leader whose clock was an hour ahead evaluated, and a rule fired by it; then what the nodes share was lost.
async fn after_a_clock_that_was_ahead() -> Place {
    let mut it = Place::new();
    it.add(&rule(1, AlertCondition::Above(usd(10_000)), NOON)).await;
    it.add(&rule(2, AlertCondition::CrossesAbove(usd(10_000)), NOON)).await;
    assert_eq!(it.tick(&tick((3_600, 7), 5, usd(10_100))).await, 1);
    assert_eq!(it.tick(&tick((3_600, 8), 10, usd(9_900))).await, 0);
    it.bus.0.lock().unwrap().clear();
    it.crash();
    it
}

#[tokio::test]
async fn a_leader_that_is_gone_holds_nobody_up_although_its_epoch_was_later() {
    let mut it = after_a_clock_that_was_ahead().await;
    for seq in 1..=7 {
        // The price is beyond for a single tick, while it is not yet certain that the other leader is gone.
        let price = if seq == 3 { 10_100 } else { 9_900 };
        let now = tick((40, seq), 400 + i64::try_from(seq).unwrap() * 5, usd(price));
        it.publish(&now).await;
        let evaluated = it.evaluator.execute(&now).await.unwrap();
        assert_eq!((evaluated.held_up, evaluated.overtaken), (seq < 7, seq < 7), "{seq}");
        assert_eq!(evaluated.fired, if seq < 7 { 0 } else { 2 });
        it.clock.advance(Duration::seconds(5));
    }
    let third = TickId { epoch: 40, seq: 3 };
    let one = |n| AlertRuleId(Uuid::from_u128(n));
    assert_eq!(it.fired(), [(one(1), third), (one(1), TickId { epoch: 3_600, seq: 7 }), (one(2), third)]);
    it.crash();
    assert_eq!(it.tick(&tick((40, 8), 440, usd(9_900))).await, 0, "each tick is evaluated once");
    assert_eq!(it.fired().len(), 3);
}

#[tokio::test]
async fn nobody_takes_over_from_a_later_leader_that_publishes_or_evaluates() {
    // It publishes on the same bus, whatever it does of evaluating.
    let mut it = after_a_clock_that_was_ahead().await;
    it.publish(&tick((40, 1), 400, usd(10_100))).await;
    it.publish(&tick((50, 1), 405, usd(10_100))).await;
    for _ in 0..10 {
        let evaluated = it.evaluator.execute(&tick((40, 1), 400, usd(10_100))).await.unwrap();
        assert!(evaluated.overtaken && !evaluated.held_up);
        it.clock.advance(Duration::seconds(60));
    }
    // It evaluates, on a bus of its own.
    let mut it = after_a_clock_that_was_ahead().await;
    for seq in 1..=20 {
        let mut tx = it.store.begin().await.unwrap();
        assert!(tx.alerts().note_evaluated(TickId { epoch: 3_600, seq: 8 + seq }).await.unwrap());
        tx.commit().await.unwrap();
        let now = tick((40, seq), 400 + i64::try_from(seq).unwrap() * 5, usd(10_100));
        it.publish(&now).await;
        assert!(it.evaluator.execute(&now).await.unwrap().held_up);
        it.clock.advance(Duration::seconds(29));
    }
    assert_eq!(it.fired().len(), 1);
}

/// Numbers of a seed (`SplitMix64`).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }

    fn within(&mut self, from: i64, to: i64) -> i64 {
        from + i64::try_from(self.below(u64::try_from(to - from).unwrap())).unwrap()
    }

    fn condition(&mut self) -> AlertCondition {
        let at = usd(self.within(9_300, 10_700));
        match self.below(5) {
            0 => AlertCondition::Above(at),
            1 => AlertCondition::Below(at),
            2 => AlertCondition::CrossesAbove(at),
            3 => AlertCondition::CrossesBelow(at),
            _ => AlertCondition::PercentMove {
                by: Percent::new(rust_decimal::Decimal::new(self.within(5, 60), 1)),
                within: Duration::seconds(self.within(60, 3_000)),
            },
        }
    }
}

/// What happens in a seed's world, whatever becomes of the evaluators.
enum Event {
    Tick(Tick),
    Add(AlertRule),
    Switch(AlertRuleId, OffsetDateTime),
    Delete(AlertRuleId),
}

fn events(numbers: &mut Numbers) -> Vec<Event> {
    let mut events = Vec::new();
    let (mut seconds, mut id, mut made, mut price) = (0, (1, 0), 0_u128, 10_000);
    for _ in 0..40 {
        while made < 8 || numbers.below(8) == 0 {
            made += 1;
            let at = NOON + Duration::seconds(seconds) + Duration::SECOND;
            events.push(Event::Add(rule(made, numbers.condition(), at)));
        }
        let any = AlertRuleId(Uuid::from_u128(1 + u128::from(numbers.below(u64::try_from(made).unwrap()))));
        match numbers.below(12) {
            0 => events.push(Event::Switch(any, NOON + Duration::seconds(seconds) + Duration::SECOND)),
            1 => events.push(Event::Delete(any)),
            _ => {}
        }
        seconds += numbers.within(5, 120);
        id = if numbers.below(9) == 0 { (id.0 + 1, 1) } else { (id.0, id.1 + 1) };
        price = if numbers.below(10) == 0 { numbers.within(9_200, 10_800) } else { price + numbers.within(-80, 81) };
        events.push(Event::Tick(Tick { stale: numbers.below(10) == 0, ..tick(id, seconds, usd(price)) }));
    }
    events
}

/// Lets it all happen. With `crashes`, calls to the store fail at any moment, and mostly whoever evaluates is ended by that.
async fn live(events: &[Event], mut crashes: Option<Numbers>) -> Place {
    let mut it = Place::new();
    let mut undone: Option<Tick> = None;
    for event in events.iter().map(Some).chain([None]) {
        // What users do in between is done at the same point of every world: once all before it was evaluated.
        if !matches!(event, Some(Event::Tick(_)))
            && let Some(tick) = undone.take()
        {
            it.evaluator.execute(&tick).await.unwrap();
        }
        let stored = |id: &AlertRuleId| it.store.alert_rules().into_iter().find(|rule| rule.id == *id);
        match event {
            Some(Event::Tick(tick)) => {
                it.publish(tick).await;
                let falters = crashes.as_mut().is_some_and(|numbers| numbers.below(3) == 0);
                if let Some(numbers) = crashes.as_mut().filter(|_| falters) {
                    it.store.fail_after(usize::try_from(numbers.below(25)).unwrap());
                }
                undone = it.evaluator.execute(tick).await.is_err().then(|| tick.clone());
                it.store.recover();
                if falters && crashes.as_mut().is_some_and(|numbers| numbers.below(4) > 0) {
                    it.crash();
                }
            }
            Some(Event::Add(rule)) => it.add(rule).await,
            Some(Event::Switch(id, at)) => {
                if let Some(rule) = stored(id) {
                    let change = AlertChange { condition: None, is_active: Some(!rule.is_active) };
                    it.save(&rule.changed(change, *at, None)).await;
                }
            }
            Some(Event::Delete(id)) => {
                if let Some(rule) = stored(id) {
                    it.delete(&rule).await;
                }
            }
            None => {}
        }
    }
    it
}

#[tokio::test]
async fn in_a_thousand_worlds_of_crashes_nothing_is_lost_and_nothing_is_doubled() {
    let mut fired = 0;
    for seed in 0..1_000 {
        let events = events(&mut Numbers(seed));
        let (calm, stormy) = (live(&events, None).await, live(&events, Some(Numbers(seed + 1_000_000))).await);
        let expected = calm.fired();
        assert_eq!(stormy.fired(), expected, "seed {seed}");
        let once: BTreeSet<_> = expected.iter().collect();
        assert_eq!(once.len(), expected.len(), "seed {seed}");
        let told: BTreeSet<_> = stormy.store.notifications().iter().map(|one| one.id).collect();
        let named: BTreeSet<_> = stormy.store.fired_alerts().iter().map(|fired| fired.notification).collect();
        assert_eq!((told.len(), &told), (expected.len(), &named), "seed {seed}: each firing lies in the inbox once");
        fired += expected.len();
    }
    assert!(fired > 3_000, "{fired}: there is something to lose");
}
