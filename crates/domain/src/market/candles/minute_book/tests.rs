use std::sync::Arc;

use proptest::prelude::*;
use rust_decimal::Decimal;
use time::{Duration, macros::datetime};

use super::*;
use crate::market::{Quote, Source, TickId};

const START: OffsetDateTime = datetime!(2026-01-01 12:00 UTC);

fn at(seconds: i64) -> OffsetDateTime {
    START + Duration::seconds(seconds)
}

fn price(usd: i64) -> Price {
    Price::try_new(Decimal::new(usd, 0)).unwrap()
}

/// Published at `second`, its line as of `as_of`.
fn tick(second: i64, as_of: i64, usd: i64) -> Tick {
    let quote = Quote::bare(Symbol::btc(), price(usd), Source::Kraken, at(as_of));
    let items: Arc<[TickItem]> = [TickItem { quote, stale: false }].into();
    let id = TickId { epoch: 1, seq: 1 };
    Tick { id, timestamp: at(second), source: Some(Source::Kraken), as_of: Some(at(as_of)), stale: false, held: None, items }
}

fn candle(minute: i64, [open, high, low, close]: [i64; 4], closed: bool) -> Candle {
    let [open, high, low, close] = [open, high, low, close].map(price);
    Candle { open_at: START + Duration::minutes(minute), open, high, low, close, volume: None, closed }
}

fn candles(book: &MinuteBook, second: i64) -> Vec<Candle> {
    book.changed(at(second)).into_iter().map(|record| record.candle).collect()
}

fn book_of(ticks: &[(i64, i64, i64)]) -> MinuteBook {
    let mut book = MinuteBook::new(100);
    for &(second, as_of, usd) in ticks {
        book.take(&tick(second, as_of, usd));
    }
    book
}

#[test]
fn a_minute_is_made_of_its_first_highest_lowest_and_last_price() {
    let book = book_of(&[(1, 1, 10), (6, 6, 14), (11, 11, 8), (16, 16, 11), (61, 61, 12)]);
    assert_eq!(candles(&book, 61), [candle(0, [10, 14, 8, 11], true), candle(1, [12, 12, 12, 12], false)]);
}

#[test]
fn a_price_belongs_to_the_minute_its_source_says_and_never_to_the_future() {
    let book = book_of(&[(1, -30, 9), (6, 500, 10)]);
    assert_eq!(candles(&book, 6), [candle(-1, [9, 9, 9, 9], true), candle(0, [10, 10, 10, 10], false)]);
}

#[test]
fn what_is_stale_or_repeated_or_older_moves_no_candle() {
    let mut book = book_of(&[(10, 10, 10), (15, 10, 10), (20, 5, 99)]);
    let mut stale = tick(25, 25, 50);
    stale.stale = true;
    book.take(&stale);
    let line = TickItem { stale: true, ..tick(30, 30, 60).items[0].clone() };
    book.take(&Tick { items: [line].into(), ..tick(30, 30, 60) });
    assert_eq!(candles(&book, 30), [candle(0, [10, 10, 10, 10], false)]);
}

#[test]
fn what_was_stored_waits_no_longer_until_it_moves_again() {
    let mut book = book_of(&[(1, 1, 10), (6, 6, 12)]);
    book.stored(&book.changed(at(6)));
    assert_eq!(candles(&book, 7), []);
    book.take(&tick(11, 11, 9));
    assert_eq!(candles(&book, 11), [candle(0, [10, 12, 9, 9], false)], "the whole minute, not what came since");
    book.stored(&book.changed(at(61)));
    assert!(book.minutes.is_empty(), "nothing is kept of a minute that is over and stored");
}

#[test]
fn the_oldest_minutes_go_once_there_is_no_room_and_it_is_told_once() {
    let mut book = MinuteBook::new(3);
    for minute in 0..5 {
        book.take(&tick(minute * 60, minute * 60, 10 + minute));
    }
    assert_eq!(candles(&book, 300).iter().map(|candle| candle.open_at).collect::<Vec<_>>(), [at(120), at(180), at(240)]);
    assert_eq!((book.left_out(), book.left_out()), (2, 0));
}

proptest! {
    /// A restart or another leader in the middle of a minute loses nothing of what both have seen.
    #[test]
    fn two_halves_of_a_minute_joined_are_the_whole(prices in prop::collection::vec(1_i64..1_000, 2..30), cut in 1_usize..29) {
        let cut = cut.min(prices.len() - 1);
        let ticks: Vec<_> = (0..).zip(&prices).map(|(second, usd)| (second, second, *usd)).collect();
        let whole = candles(&book_of(&ticks), 59);
        let (before, after) = (candles(&book_of(&ticks[..cut]), 59), candles(&book_of(&ticks[cut..]), 59));
        prop_assert_eq!(before[0].join(after[0]), whole[0]);
    }
}

#[test]
fn a_minute_of_prices_that_are_made_up_says_so_and_is_no_minute_of_ticks() {
    let mut book = book_of(&[(1, 1, 10)]);
    assert_eq!(book.changed(at(2))[0].origin, CandleOrigin::Ticks);
    let made_up = |TickItem { quote, stale }: &TickItem| {
        let quote = Quote { source: Source::Simulated, symbol: Symbol::try_new("ETH").unwrap(), ..quote.clone() };
        TickItem { quote, stale: *stale }
    };
    let tick = tick(2, 2, 11);
    book.take(&Tick { items: tick.items.iter().map(made_up).collect(), ..tick });
    let origins: Vec<&str> = book.changed(at(2)).iter().map(|record| record.origin.name()).collect();
    assert_eq!(origins, ["ticks", "simulated"]);
    assert!(book.changed(at(2)).iter().all(|record| record.origin.is_collected()));
}
