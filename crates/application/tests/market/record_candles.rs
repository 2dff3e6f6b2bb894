use std::sync::Arc;

use coinlink_application::market::{CandleRetention, PruneCandles, RecordCandles, RecordPolicy, RollUpCandles};
use coinlink_domain::market::Source;
use coinlink_domain::market::{
    Symbol, Tick, TickItem,
    candles::{Candle, CandleOrigin, CandleRecord, Interval, Span},
};
use coinlink_ports::market::{CandleQuery, CandleStore, Keep, Pruned};
use coinlink_testkit::{
    market::{MemoryCandles, NOON, a_quote, a_tick, candles_contract::a_candle},
    shared::StoppedClock,
};
use time::{Duration, OffsetDateTime};

struct Recording {
    store: Arc<MemoryCandles>,
    clock: Arc<StoppedClock>,
    record: RecordCandles,
}

impl Recording {
    fn with_room(room: usize) -> Self {
        Self::on(Arc::default(), Arc::new(StoppedClock::at(NOON)), room)
    }

    fn on(store: Arc<MemoryCandles>, clock: Arc<StoppedClock>, room: usize) -> Self {
        let policy = RecordPolicy { room, ..RecordPolicy::default() };
        let record = RecordCandles::new(Arc::clone(&store) as _, Arc::clone(&clock) as _, policy);
        Self { store, clock, record }
    }

    /// `seconds` pass, and then a tick comes at which bitcoin is worth that.
    async fn after(&mut self, seconds: i64, usd: &str) -> bool {
        self.clock.advance(Duration::seconds(seconds));
        self.record.execute(&tick(self.now(), usd)).await.is_ok()
    }

    fn now(&self) -> OffsetDateTime {
        coinlink_ports::shared::Clock::now(&*self.clock)
    }

    async fn kept(&self, interval: Interval) -> Vec<Candle> {
        kept(&*self.store, interval, self.now()).await
    }
}

fn tick(at: OffsetDateTime, usd: &str) -> Tick {
    let mut quote = a_quote("BTC", usd);
    quote.as_of = at;
    Tick { timestamp: at, as_of: Some(at), items: [TickItem { quote, stale: false }].into(), ..a_tick(1, 1) }
}

async fn kept(store: &dyn CandleStore, interval: Interval, now: OffsetDateTime) -> Vec<Candle> {
    let span = Span { from: NOON - Duration::days(900), to: NOON + Duration::days(10) };
    let query = CandleQuery { symbol: Symbol::btc(), interval, span, limit: 10_000, keep: Keep::Oldest, now };
    store.read(&query).await.unwrap().into_iter().map(|record| record.candle).collect()
}

fn candle(open_at: OffsetDateTime, prices: [&str; 4], closed: bool) -> Candle {
    Candle { closed, ..a_candle(open_at, prices).candle }
}

#[tokio::test]
async fn a_running_minute_is_stored_now_and_then_and_when_it_ends_and_is_part_of_each_longer_candle() {
    let mut on = Recording::with_room(100);
    on.after(0, "10").await;
    assert_eq!(on.kept(Interval::Minute).await, [candle(NOON, ["10"; 4], false)], "the first tick at once");
    let writes = on.store.writes();
    on.after(5, "14").await;
    on.after(5, "8").await;
    assert_eq!(on.store.writes(), writes, "not with each tick");
    on.after(5, "11").await;
    let running = candle(NOON, ["10", "14", "8", "11"], false);
    for interval in Interval::ALL {
        let open_at = interval.open_of(NOON);
        assert_eq!(on.kept(interval).await, [Candle { open_at, ..running }], "{}", interval.name());
    }
    on.after(40, "9").await;
    on.after(5, "20").await;
    assert_eq!(
        on.kept(Interval::Minute).await,
        [candle(NOON, ["10", "14", "8", "9"], true), candle(NOON + Duration::MINUTE, ["20"; 4], false)]
    );
    let hour = candle(NOON, ["10", "20", "8", "20"], false);
    assert_eq!(on.kept(Interval::Hour).await, [hour]);
}

#[tokio::test]
async fn a_store_that_is_away_loses_nothing_that_there_is_room_for() {
    let mut on = Recording::with_room(100);
    on.store.fail(true);
    for minute in 0..10 {
        assert!(!on.after(60, &format!("{}", 100 - minute)).await);
    }
    on.store.fail(false);
    assert!(on.after(60, "50").await);
    let minutes = on.kept(Interval::Minute).await;
    assert_eq!(minutes.len(), 11);
    assert_eq!(minutes[0].open.usd().to_string(), "100");
    let fives = on.kept(Interval::FiveMinutes).await;
    assert_eq!(fives.iter().map(|candle| candle.close.usd().to_string()).collect::<Vec<_>>(), ["97", "92", "50"]);
    assert_eq!(on.record.left_out(), 0);
}

#[tokio::test]
async fn what_there_is_no_room_for_is_counted_and_it_is_the_oldest() {
    let mut on = Recording::with_room(3);
    on.store.fail(true);
    for _ in 0..5 {
        on.after(60, "1").await;
    }
    on.store.fail(false);
    assert_eq!(on.record.left_out(), 2);
    on.record.store().await.unwrap();
    assert_eq!(on.kept(Interval::Minute).await.first().unwrap().open_at, NOON + Duration::minutes(3));
}

#[tokio::test]
async fn another_leader_in_the_middle_of_a_minute_loses_neither_open_nor_high_nor_low() {
    let mut first = Recording::with_room(100);
    first.after(0, "10").await;
    first.after(15, "30").await;
    first.after(5, "5").await;
    first.record.store().await.unwrap();
    let mut second = Recording::on(Arc::clone(&first.store), Arc::clone(&first.clock), 100);
    second.after(5, "12").await;
    for interval in Interval::ALL {
        let open_at = interval.open_of(NOON);
        assert_eq!(second.kept(interval).await, [candle(open_at, ["10", "30", "5", "12"], false)], "{}", interval.name());
    }
}

/// The one before was killed after it stored a minute and before it rolled it up.
#[tokio::test]
async fn a_leader_that_begins_rolls_up_what_the_one_before_did_not() {
    let mut on = Recording::with_room(100);
    on.store.record(Interval::Minute, &[a_candle(NOON - Duration::minutes(3), ["40", "90", "40", "50"])]).await.unwrap();
    on.after(0, "60").await;
    let hours = on.kept(Interval::Hour).await;
    assert_eq!(hours, [candle(NOON - Duration::HOUR, ["40", "90", "40", "50"], true), candle(NOON, ["60"; 4], false)]);
}

#[tokio::test]
async fn what_a_provider_knew_of_a_day_is_not_lost_when_ticks_are_rolled_up() {
    let mut on = Recording::with_room(100);
    let day = Interval::Day.open_of(NOON);
    let known = CandleRecord { origin: CandleOrigin::Provider(Source::Kraken), ..a_candle(day, ["7", "99", "1", "8"]) };
    on.store.replace(Interval::Day, &[known]).await.unwrap();
    on.after(0, "50").await;
    assert_eq!(on.kept(Interval::Day).await, [candle(day, ["7", "99", "1", "50"], false)]);
}

#[tokio::test]
async fn minutes_that_were_put_right_are_rolled_up_over_what_was_there_where_no_part_is_missing() {
    let mut on = Recording::with_room(100);
    on.after(0, "50").await;
    let span = Span { from: NOON, to: NOON + Duration::MINUTE };
    on.store.replace(Interval::Minute, &[a_candle(NOON, ["40", "45", "30", "44"])]).await.unwrap();
    let roll_up = RollUpCandles::new(Arc::clone(&on.store) as _, Arc::clone(&on.clock) as _);
    roll_up.mend(&Symbol::btc(), span).await.unwrap();
    for interval in [Interval::FiveMinutes, Interval::Hour] {
        let open_at = interval.open_of(NOON);
        assert_eq!(on.kept(interval).await, [candle(open_at, ["40", "45", "30", "44"], false)], "{}", interval.name());
    }
    let day = Interval::Day.open_of(NOON);
    assert_eq!(on.kept(Interval::Day).await, [candle(day, ["50"; 4], false)], "of its morning nothing is known");
}

#[tokio::test]
async fn each_interval_is_kept_as_long_as_its_setting_says_and_days_for_ever() {
    let (store, clock) = (Arc::new(MemoryCandles::default()), Arc::new(StoppedClock::at(NOON)));
    let of_age = |days| a_candle(Interval::Day.open_of(NOON - Duration::days(days)), ["1"; 4]);
    for interval in Interval::ALL {
        store.record(interval, &[of_age(1), of_age(20), of_age(200), of_age(800)]).await.unwrap();
    }
    let retention =
        CandleRetention { minutes: Duration::days(10), five_minutes: Duration::days(100), hours: Duration::days(400) };
    let prune = PruneCandles::new(Arc::clone(&store) as _, clock, retention);
    prune.prepare().await.unwrap();
    while prune.execute().await.unwrap() != Pruned::Done {}
    for (interval, left) in Interval::ALL.into_iter().zip([1, 2, 3, 4]) {
        assert_eq!(kept(&*store, interval, NOON).await.len(), left, "{}", interval.name());
    }
}
