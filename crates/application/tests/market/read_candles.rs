use std::sync::Arc;

use coinlink_application::market::{AskedCandles, CandlePage, ReadCandles, ReadCandlesError};
use coinlink_domain::market::{
    Source, Symbol, Tick, TickItem,
    candles::{CandleOrigin, CandleRecord, Interval, Span},
};
use coinlink_ports::market::CandleStore;
use coinlink_testkit::{
    market::{MemoryCandles, NOON, ShownPrices, a_quote, a_tick, candles_contract::a_candle},
    shared::StoppedClock,
};
use time::{Duration, OffsetDateTime};

fn minute(n: i64) -> OffsetDateTime {
    NOON + Duration::minutes(n)
}

/// Of these minutes there is a candle; it is half past the sixtieth.
async fn with(minutes: &[i64]) -> ReadCandles {
    let store = MemoryCandles::default();
    let candles: Vec<_> = minutes.iter().map(|n| a_candle(minute(*n), ["1"; 4])).collect();
    store.record(Interval::Minute, &candles).await.unwrap();
    let prices = ShownPrices::default();
    let items = [TickItem { quote: a_quote("NEW", "1"), stale: false }].into();
    prices.show(Tick { items, ..a_tick(1, 1) });
    let clock = StoppedClock::at(minute(60) + Duration::seconds(30));
    ReadCandles::new(Arc::new(store), Arc::new(prices), Arc::new(clock))
}

fn asked(limit: u32) -> AskedCandles {
    AskedCandles { symbol: Symbol::btc(), interval: Interval::Minute, from: None, to: None, limit }
}

fn minutes(records: &[CandleRecord]) -> Vec<i64> {
    records.iter().map(|record| (record.candle.open_at - NOON).whole_minutes()).collect()
}

fn gaps(page: &CandlePage) -> Vec<(i64, i64)> {
    page.gaps.iter().map(|Span { from, to }| ((*from - NOON).whole_minutes(), (*to - NOON).whole_minutes())).collect()
}

#[tokio::test]
async fn without_a_start_the_newest_come_with_the_running_one_and_what_is_missing_among_and_after_them() {
    let read = with(&[1, 55, 56, 58, 60]).await;
    let page = read.execute(asked(4)).await.unwrap();
    assert_eq!(
        (minutes(&page.records), gaps(&page), page.next),
        (vec![55, 56, 58, 60], vec![(57, 58), (59, 60)], Some(minute(55)))
    );
    assert_eq!(page.records.iter().map(|record| record.candle.closed).collect::<Vec<_>>(), [true, true, true, false]);
    let before = read.execute(AskedCandles { to: page.next, ..asked(4) }).await.unwrap();
    assert_eq!((minutes(&before.records), gaps(&before), before.next), (vec![1], vec![(2, 55)], None));
}

#[tokio::test]
async fn with_a_start_the_oldest_come_first_and_what_is_missing_before_them_is_told() {
    let read = with(&[5, 6, 58]).await;
    let from = AskedCandles { from: Some(minute(0)), ..asked(2) };
    let page = read.execute(from.clone()).await.unwrap();
    assert_eq!((minutes(&page.records), gaps(&page), page.next), (vec![5, 6], vec![(0, 5), (7, 58)], Some(minute(58))));
    let rest = read.execute(AskedCandles { from: page.next, ..from }).await.unwrap();
    assert_eq!((minutes(&rest.records), gaps(&rest), rest.next), (vec![58], vec![(59, 60)], None));
}

#[tokio::test]
async fn an_asset_of_the_list_has_an_empty_history_and_an_unknown_one_has_none() {
    let read = with(&[1]).await;
    let of = |name: &str| AskedCandles { symbol: Symbol::try_new(name).unwrap(), ..asked(5) };
    assert_eq!(read.execute(of("new")).await.unwrap().records, []);
    assert!(matches!(read.execute(of("NONE")).await, Err(ReadCandlesError::UnknownSymbol)));
    let later = AskedCandles { from: Some(minute(30)), ..asked(5) };
    assert_eq!(gaps(&read.execute(later).await.unwrap()), [(30, 60)], "known by its history");
}

#[tokio::test]
async fn the_last_of_a_period_are_the_newest_of_it() {
    let read = with(&[0, 1, 30, 59, 60]).await;
    let last = async |period, limit| minutes(&read.last(Symbol::btc(), Interval::Minute, period, limit).await.unwrap());
    assert_eq!(last(Duration::HOUR, 10).await, [1, 30, 59, 60]);
    assert_eq!(last(Duration::HOUR, 2).await, [59, 60]);
}

/// Page by page, forwards and backwards, nothing comes twice and nothing is left out.
#[tokio::test]
async fn pages_come_to_the_whole() {
    for (step, limit) in (1..8).flat_map(|step| (1..10).map(move |limit| (step, limit))) {
        let there: Vec<i64> = (0..60).filter(|n| (n * n) % (step + 3) < step).collect();
        let read = with(&there).await;
        let (mut forwards, mut from) = (Vec::new(), Some(minute(0)));
        while from.is_some() {
            let page = read.execute(AskedCandles { from, ..asked(limit) }).await.unwrap();
            forwards.extend(minutes(&page.records));
            from = page.next;
        }
        let (mut backwards, mut to) = (Vec::new(), None);
        loop {
            let page = read.execute(AskedCandles { to, ..asked(limit) }).await.unwrap();
            backwards.splice(0..0, minutes(&page.records));
            to = page.next;
            if to.is_none() {
                break;
            }
        }
        assert_eq!((&forwards, &backwards), (&there, &there), "{step} {limit}");
    }
}

/// Of a provider's whole hours, hours that were collected, and when collecting began within them.
#[tokio::test]
async fn of_a_candle_that_collecting_began_within_it_is_told_since_when_it_is_known() {
    let store = MemoryCandles::default();
    let provider = |open_at| CandleRecord { origin: CandleOrigin::Provider(Source::Kraken), ..a_candle(open_at, ["1"; 4]) };
    let hour = |n| NOON + Duration::hours(n);
    let ticks = [hour(-5), hour(-2), hour(-1), hour(0)].map(|at| a_candle(at, ["1"; 4]));
    store.record(Interval::Hour, &ticks).await.unwrap();
    store.record(Interval::Hour, &[hour(-4), hour(-3)].map(provider)).await.unwrap();
    // Of the first hour no minute is kept any more; a provider's hour is whole, however few minutes of it there are.
    let fives = [hour(-5) + Duration::minutes(10), hour(-3) + Duration::minutes(20), hour(-2) + Duration::minutes(30)];
    store.record(Interval::FiveMinutes, &fives.map(|at| a_candle(at, ["1"; 4]))).await.unwrap();
    let seen = [hour(-2) + Duration::minutes(33), hour(-2) + Duration::minutes(34), minute(0)];
    store.record(Interval::Minute, &seen.map(|at| a_candle(at, ["1"; 4]))).await.unwrap();
    let clock = StoppedClock::at(minute(3));
    let read = ReadCandles::new(Arc::new(store), Arc::new(ShownPrices::default()), Arc::new(clock));
    let page = read.execute(AskedCandles { interval: Interval::Hour, ..asked(10) }).await.unwrap();
    let known: Vec<_> =
        page.known_from.iter().map(|(of, from)| ((*of - NOON).whole_hours(), (*from - *of).whole_minutes())).collect();
    assert_eq!(known, [(-5, 10), (-2, 33)]);
    assert_eq!(page.known_from(&page.records[0].candle), hour(-5) + Duration::minutes(10));
    assert_eq!(page.known_from(&page.records[1].candle), hour(-4), "whole");
}
