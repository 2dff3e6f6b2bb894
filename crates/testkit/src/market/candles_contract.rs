//! What every [`CandleStore`] must do. Run by the fake and by the SQL store on each database.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use coinlink_domain::market::{
    Price, Source, Symbol,
    candles::{Candle, CandleOrigin, CandleRecord, Interval, Span},
};
use coinlink_ports::market::{CandleQuery, CandleStore, Keep, Pruned};
use rust_decimal::Decimal;
use time::{Duration, OffsetDateTime, macros::datetime};

use super::NOON;

fn decimal(text: &str) -> Decimal {
    Decimal::from_str_exact(text).unwrap()
}

fn symbol(text: &str) -> Symbol {
    Symbol::try_new(text).unwrap()
}

/// `BTC`'s candle that opened at `open_at`: open, high, low, close.
pub fn a_candle(open_at: OffsetDateTime, prices: [&str; 4]) -> CandleRecord {
    let [open, high, low, close] = prices.map(|text| Price::try_new(decimal(text)).unwrap());
    let candle = Candle { open_at, open, high, low, close, volume: None, closed: true };
    CandleRecord { symbol: Symbol::btc(), candle, origin: CandleOrigin::Ticks }
}

/// One in which the price stood still.
pub fn a_still_candle(name: &str, open_at: OffsetDateTime, usd: &str) -> CandleRecord {
    CandleRecord { symbol: symbol(name), ..a_candle(open_at, [usd; 4]) }
}

fn minute(n: i64) -> OffsetDateTime {
    NOON + Duration::minutes(n)
}

fn span(from: OffsetDateTime, to: OffsetDateTime) -> Span {
    Span { from, to }
}

/// All of `BTC`'s minutes an hour around noon, seen a day later.
fn query() -> CandleQuery {
    CandleQuery {
        symbol: Symbol::btc(),
        interval: Interval::Minute,
        span: span(minute(-60), minute(60)),
        limit: 1_000,
        keep: Keep::Oldest,
        now: NOON + Duration::DAY,
    }
}

async fn all(store: &dyn CandleStore) -> Vec<CandleRecord> {
    store.read(&query()).await.unwrap()
}

pub async fn an_empty_store_knows_nothing(store: &dyn CandleStore) {
    assert_eq!(all(store).await, []);
    assert_eq!(store.newest(&Symbol::btc(), Interval::Day).await.unwrap(), None);
    assert!(!store.knows(&Symbol::btc()).await.unwrap());
    let day = span(NOON, NOON + Duration::DAY);
    assert_eq!(store.missing(&Symbol::btc(), Interval::Hour, day).await.unwrap(), [day]);
    store.record(Interval::Minute, &[]).await.unwrap();
    store.replace(Interval::Minute, &[]).await.unwrap();
    assert_eq!(store.read_all(&[], Interval::Minute, day, NOON).await.unwrap(), []);
}

pub async fn every_digit_of_a_candle_survives_in_each_interval(store: &dyn CandleStore) {
    let prices = [
        "104718.10000000000001",
        "7922816251426433.7593543950335",
        "0.0000000000000000000000000001",
        "0.00000000007821066970851871",
    ];
    let plain = a_candle(datetime!(2026-01-01 0:00 UTC), prices);
    let volume = Some(decimal("7922816251426433759354395033.5"));
    let known = Candle { volume, ..plain.candle };
    let full = CandleRecord { candle: known, origin: CandleOrigin::Provider(Source::Kraken), symbol: symbol("$A.B_C+D-E") };
    for interval in Interval::ALL {
        store.record(interval, &[plain.clone(), full.clone()]).await.unwrap();
        let symbols = [full.symbol.clone(), plain.symbol.clone()];
        let year = span(datetime!(2025-06-01 0:00 UTC), datetime!(2026-06-01 0:00 UTC));
        let found = store.read_all(&symbols, interval, year, datetime!(2026-06-01 0:00 UTC)).await.unwrap();
        assert_eq!(found, [full.clone(), plain.clone()]);
        assert_eq!(found[0].candle.volume.unwrap().to_string(), "7922816251426433759354395033.5");
    }
}

pub async fn a_range_is_read_oldest_first_from_its_start_to_before_its_end(store: &dyn CandleStore) {
    let candles: Vec<_> = (0..6).map(|n| a_candle(minute(n), ["1"; 4])).collect();
    let reversed: Vec<_> = candles.iter().rev().cloned().collect();
    store.record(Interval::Minute, &reversed).await.unwrap();
    store.record(Interval::Minute, &[a_still_candle("ETH", minute(2), "9")]).await.unwrap();
    store.record(Interval::FiveMinutes, &[a_candle(minute(0), ["7"; 4])]).await.unwrap();
    assert_eq!(all(store).await, candles);
    let some = CandleQuery { span: span(minute(1), minute(5)), ..query() };
    assert_eq!(store.read(&some).await.unwrap(), candles[1..5]);
    let between = CandleQuery { span: span(minute(1) + Duration::MICROSECOND, minute(2)), ..query() };
    assert_eq!(store.read(&between).await.unwrap(), []);
    let backwards = CandleQuery { span: span(minute(5), minute(1)), ..query() };
    assert_eq!(store.read(&backwards).await.unwrap(), []);
}

pub async fn where_there_are_more_than_asked_for_either_end_is_kept(store: &dyn CandleStore) {
    let candles: Vec<_> = (0..6).map(|n| a_candle(minute(n), ["1"; 4])).collect();
    store.record(Interval::Minute, &candles).await.unwrap();
    let two = CandleQuery { limit: 2, ..query() };
    assert_eq!(store.read(&two).await.unwrap(), candles[..2]);
    assert_eq!(store.read(&CandleQuery { keep: Keep::Newest, ..two }).await.unwrap(), candles[4..]);
}

pub async fn a_candle_is_closed_once_its_time_is_over(store: &dyn CandleStore) {
    store.record(Interval::Minute, &[a_candle(minute(0), ["1"; 4])]).await.unwrap();
    for (now, closed) in [(minute(1) - Duration::MICROSECOND, false), (minute(1), true)] {
        let found = store.read(&CandleQuery { now, ..query() }).await.unwrap();
        assert_eq!(found[0].candle.closed, closed);
        let found = store.read_all(&[Symbol::btc()], Interval::Minute, query().span, now).await.unwrap();
        assert_eq!(found[0].candle.closed, closed);
    }
}

/// As text `9` is above `10`, and `0.1` below `0.10`.
pub async fn what_is_recorded_of_a_minute_twice_loses_neither_its_open_nor_its_high_nor_its_low(store: &dyn CandleStore) {
    let volume = |text, record: CandleRecord| {
        let candle = Candle { volume: Some(decimal(text)), ..record.candle };
        CandleRecord { candle, ..record }
    };
    let first = volume("9", a_candle(minute(0), ["9.5", "10", "9", "9.75"]));
    store.record(Interval::Minute, &[first]).await.unwrap();
    store.record(Interval::Minute, &[a_candle(minute(0), ["9.8", "9.9", "9.7", "9.8"])]).await.unwrap();
    assert_eq!(all(store).await, [volume("9", a_candle(minute(0), ["9.5", "10", "9", "9.8"]))]);
    let last = volume("10", a_candle(minute(0), ["100", "100", "0.5", "0.5"]));
    store.record(Interval::Minute, &[last]).await.unwrap();
    let joined = [volume("10", a_candle(minute(0), ["9.5", "100", "0.5", "0.5"]))];
    assert_eq!(all(store).await, joined);
    store.record(Interval::Minute, &joined).await.unwrap();
    assert_eq!(all(store).await, joined, "the same again changes nothing");
}

pub async fn of_a_time_twice_in_a_list_the_second_is_the_later(store: &dyn CandleStore) {
    let [one, two] = ["1", "2"].map(|usd| a_candle(minute(0), [usd; 4]));
    store.record(Interval::Minute, &[one.clone(), two.clone()]).await.unwrap();
    assert_eq!(all(store).await, [a_candle(minute(0), ["1", "2", "1", "2"])]);
    store.replace(Interval::Minute, &[one, two.clone()]).await.unwrap();
    assert_eq!(all(store).await, [two]);
}

pub async fn what_replaces_a_candle_leaves_nothing_of_it(store: &dyn CandleStore) {
    store.record(Interval::Minute, &[a_candle(minute(0), ["5", "9", "1", "5"]), a_candle(minute(1), ["1"; 4])]).await.unwrap();
    let better = CandleRecord { origin: CandleOrigin::Provider(Source::Coinbase), ..a_candle(minute(0), ["6", "7", "5", "6"]) };
    store.replace(Interval::Minute, std::slice::from_ref(&better)).await.unwrap();
    assert_eq!(all(store).await, [better, a_candle(minute(1), ["1"; 4])]);
}

pub async fn the_newest_is_by_asset_and_interval(store: &dyn CandleStore) {
    store.record(Interval::Minute, &[a_candle(minute(1), ["1"; 4]), a_candle(minute(3), ["1"; 4])]).await.unwrap();
    store.record(Interval::Minute, &[a_still_candle("ETH", minute(9), "1")]).await.unwrap();
    assert_eq!(store.newest(&Symbol::btc(), Interval::Minute).await.unwrap(), Some(minute(3)));
    assert_eq!(store.newest(&Symbol::btc(), Interval::Hour).await.unwrap(), None);
    assert!(store.knows(&symbol("ETH")).await.unwrap() && !store.knows(&symbol("SOL")).await.unwrap());
    store.record(Interval::Day, &[a_still_candle("SOL", datetime!(2026-01-01 0:00 UTC), "1")]).await.unwrap();
    assert!(store.knows(&symbol("SOL")).await.unwrap());
}

pub async fn gaps_are_found_across_months(store: &dyn CandleStore) {
    let midnight = datetime!(2026-02-01 0:00 UTC);
    let hour = |n| midnight + Duration::hours(n);
    let there: Vec<_> = [-3, -2, 1].map(|n| a_candle(hour(n), ["1"; 4])).into();
    store.record(Interval::Hour, &there).await.unwrap();
    store.record(Interval::Hour, &[a_still_candle("ETH", hour(0), "1")]).await.unwrap();
    let missing = store.missing(&Symbol::btc(), Interval::Hour, span(hour(-4), hour(4))).await.unwrap();
    assert_eq!(missing, [span(hour(-4), hour(-3)), span(hour(-1), hour(1)), span(hour(2), hour(4))]);
}

/// Above what one statement can carry on either database, over years, without a month having been prepared.
pub async fn thousands_over_many_months_are_written_whole(store: &dyn CandleStore) {
    let start = datetime!(2021-11-01 0:00 UTC);
    let candles: Vec<_> = (0..4_500).map(|n| a_candle(start + Duration::hours(n * 6), ["1"; 4])).collect();
    store.record(Interval::Hour, &candles).await.unwrap();
    store.record(Interval::Hour, &candles).await.unwrap();
    let query =
        CandleQuery { interval: Interval::Hour, span: span(start, start + Duration::days(3_000)), limit: 10_000, ..query() };
    let found = store.read(&query).await.unwrap();
    assert_eq!(found.len(), candles.len());
    assert!(found.iter().map(|record| record.candle.open_at).eq(candles.iter().map(|record| record.candle.open_at)));
}

pub async fn pruning_takes_old_months_of_one_interval_and_nothing_else(store: &dyn CandleStore) {
    let months = [datetime!(2025-09-10 0:00 UTC), datetime!(2025-10-10 0:00 UTC), datetime!(2025-11-10 0:00 UTC)];
    let candles: Vec<_> = months.iter().flat_map(|at| [a_candle(*at, ["1"; 4]), a_still_candle("ETH", *at, "2")]).collect();
    for interval in Interval::ALL {
        store.record(interval, &candles).await.unwrap();
    }
    for interval in [Interval::Minute, Interval::FiveMinutes, Interval::Hour] {
        let mut turns = 0;
        while store.prune(interval, datetime!(2025-11-01 0:00 UTC), 3).await.unwrap() != Pruned::Done {
            turns += 1;
            assert!(turns < 10, "pruning comes to an end");
        }
        let years = span(datetime!(2020-01-01 0:00 UTC), datetime!(2030-01-01 0:00 UTC));
        let symbols = [Symbol::btc(), symbol("ETH")];
        let kept = store.read_all(&symbols, interval, years, NOON).await.unwrap();
        assert_eq!(kept, [candles[4].clone(), candles[5].clone()]);
        let days = store.read_all(&symbols, Interval::Day, years, NOON).await.unwrap();
        assert_eq!(days.len(), 6, "days share nothing with {}", interval.name());
    }
    // What was removed can come again.
    store.record(Interval::Minute, &candles).await.unwrap();
    assert_eq!(store.prune(Interval::Minute, datetime!(2025-11-01 0:00 UTC), 1).await.unwrap(), Pruned::More);
}

pub async fn preparing_twice_is_preparing_once(store: &dyn CandleStore) {
    store.prepare(NOON).await.unwrap();
    store.prepare(NOON + Duration::days(40)).await.unwrap();
    store.record(Interval::Minute, &[a_candle(minute(0), ["1"; 4])]).await.unwrap();
    store.prepare(NOON).await.unwrap();
    assert_eq!(all(store).await.len(), 1);
}

/// Two nodes that both think they lead.
pub async fn two_writers_at_once_lose_nothing_of_either(store: &dyn CandleStore) {
    let of = |low: &str, high: &str| -> Vec<_> { (0..40).map(|n| a_candle(minute(n), ["5", high, low, "5"])).collect() };
    let (one, mut other) = (of("1", "6"), of("4", "9"));
    other.reverse();
    let (first, second) = tokio::join!(store.record(Interval::Minute, &one), store.record(Interval::Minute, &other));
    first.and(second).unwrap();
    assert_eq!(all(store).await, of("1", "9"));
}

#[macro_export]
macro_rules! candles_contract {
    ($($case:ident),+ $(,)? => $store:expr) => {
        $(#[tokio::test]
        async fn $case() {
            let store = $store;
            $crate::market::candles_contract::$case(&*store).await;
        })+
    };
    ($store:expr) => {
        $crate::candles_contract!(
            an_empty_store_knows_nothing,
            every_digit_of_a_candle_survives_in_each_interval,
            a_range_is_read_oldest_first_from_its_start_to_before_its_end,
            where_there_are_more_than_asked_for_either_end_is_kept,
            a_candle_is_closed_once_its_time_is_over,
            what_is_recorded_of_a_minute_twice_loses_neither_its_open_nor_its_high_nor_its_low,
            of_a_time_twice_in_a_list_the_second_is_the_later,
            what_replaces_a_candle_leaves_nothing_of_it,
            the_newest_is_by_asset_and_interval,
            gaps_are_found_across_months,
            thousands_over_many_months_are_written_whole,
            pruning_takes_old_months_of_one_interval_and_nothing_else,
            preparing_twice_is_preparing_once,
            two_writers_at_once_lose_nothing_of_either,
            => $store
        );
    };
}
