//! From a provider's rows to our candles.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use time::OffsetDateTime;

use super::{Candle, Interval, Span};
use crate::market::Price;

/// Which moment of a candle a provider writes beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stamp {
    /// Its first.
    Open,
    /// The first one after it.
    Close,
}

/// A provider's row, its columns put in our order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CandleRow {
    /// As the provider writes it: see [`Stamp`].
    pub at: OffsetDateTime,
    /// The first price, US dollars.
    pub open: Price,
    /// The highest.
    pub high: Price,
    /// The lowest.
    pub low: Price,
    /// The last.
    pub close: Price,
    /// In units of the asset.
    pub volume: Option<Decimal>,
}

/// Candles of `interval` within `span`, oldest first, one a time, whatever order the rows came in. `length` is how long a row
/// lasts, at most as long as the interval: shorter ones are rolled up, and a candle of which not every row is there is left out
/// unless its time is not over. Rows that contradict themselves (a high below the open) or open off the grid are left out; of two
/// rows of one time the later one counts. What is not there stays a gap.
#[must_use]
pub fn normalise(
    rows: impl IntoIterator<Item = CandleRow>,
    stamp: Stamp,
    length: time::Duration,
    interval: Interval,
    span: Span,
    now: OffsetDateTime,
) -> Vec<Candle> {
    let Some(parts) = parts_of(interval, length) else { return Vec::new() };
    let mut known = BTreeMap::new();
    for row in rows {
        let open_at = match stamp {
            Stamp::Open => Some(row.at),
            Stamp::Close => row.at.checked_sub(length),
        };
        // A row still to come is made up.
        let Some(open_at) = open_at.filter(|at| on_grid(*at, length) && *at <= now) else { continue };
        if is_sound(&row) {
            known.insert(open_at, row);
        }
    }
    let mut candles: BTreeMap<OffsetDateTime, (Candle, usize)> = BTreeMap::new();
    for (at, row) in known {
        let open_at = interval.open_of(at);
        let part = candle_of(open_at, &row, interval.is_over(open_at, now));
        candles.entry(open_at).and_modify(|(candle, count)| (candle.continue_with(part), *count += 1).0).or_insert((part, 1));
    }
    let whole = |(candle, count): (Candle, usize)| (count == parts || !candle.closed).then_some(candle);
    candles.into_values().filter_map(whole).filter(|candle| span.from <= candle.open_at && candle.open_at < span.to).collect()
}

/// How many rows make one candle; `None` where they do not.
fn parts_of(interval: Interval, length: time::Duration) -> Option<usize> {
    let (whole, part) = (interval.length().whole_seconds(), length.whole_seconds());
    (part > 0 && whole % part == 0).then(|| usize::try_from(whole / part).ok()).flatten()
}

fn on_grid(at: OffsetDateTime, length: time::Duration) -> bool {
    at.nanosecond() == 0 && at.unix_timestamp().rem_euclid(length.whole_seconds()) == 0
}

fn is_sound(row: &CandleRow) -> bool {
    let (highest, lowest) = (row.open.max(row.close), row.open.min(row.close));
    row.low <= lowest && highest <= row.high && row.volume.is_none_or(|volume| volume >= Decimal::ZERO)
}

const fn candle_of(open_at: OffsetDateTime, row: &CandleRow, closed: bool) -> Candle {
    Candle { open_at, open: row.open, high: row.high, low: row.low, close: row.close, volume: row.volume, closed }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use time::{Duration, macros::datetime};

    const START: OffsetDateTime = datetime!(2026-01-01 0:00 UTC);

    fn price(cents: i64) -> Price {
        Price::try_new(Decimal::new(cents, 2)).unwrap()
    }

    fn row(at: OffsetDateTime, [open, high, low, close]: [i64; 4]) -> CandleRow {
        let volume = Some(Decimal::ONE);
        CandleRow { at, open: price(open), high: price(high), low: price(low), close: price(close), volume }
    }

    fn all() -> Span {
        Span { from: START - Duration::DAY, to: START + Duration::DAY }
    }

    #[test]
    fn rows_come_in_any_order_and_the_last_one_may_still_be_open() {
        let now = START + Duration::seconds(90);
        let rows = [row(START + Duration::MINUTE, [2, 5, 1, 3]), row(START, [1, 4, 1, 2])];
        let candles = normalise(rows, Stamp::Open, Duration::MINUTE, Interval::Minute, all(), now);
        assert_eq!(candles.iter().map(|candle| candle.open_at).collect::<Vec<_>>(), [START, START + Duration::MINUTE]);
        assert_eq!(candles.iter().map(|candle| candle.closed).collect::<Vec<_>>(), [true, false]);
    }

    #[test]
    fn a_row_that_is_stamped_at_its_close_opened_before() {
        let rows = [row(START + Duration::HOUR, [1, 4, 1, 2])];
        let candles = normalise(rows, Stamp::Close, Duration::HOUR, Interval::Hour, all(), START + Duration::DAY);
        assert_eq!(candles[0].open_at, START);
    }

    #[test]
    fn shorter_rows_make_a_candle_only_when_all_are_there_or_its_time_is_not_over() {
        let half = Duration::minutes(30);
        let rows = [row(START, [1, 4, 1, 2]), row(START + half, [2, 9, 2, 3]), row(START + half * 2, [3, 3, 3, 3])];
        let at = |now| normalise(rows, Stamp::Open, half, Interval::Hour, all(), now);
        let later = at(START + Duration::hours(5));
        assert_eq!(later.len(), 1, "of the second hour half is missing");
        assert_eq!((later[0].high, later[0].close, later[0].volume), (price(9), price(3), Some(Decimal::TWO)));
        assert_eq!(at(START + Duration::minutes(70)).len(), 2, "its second half is still to come");
    }

    #[test]
    fn what_contradicts_itself_is_off_the_grid_or_still_to_come_is_left_out() {
        let now = START + Duration::HOUR;
        let good = [1, 4, 1, 2];
        for bad in [
            row(START, [5, 4, 1, 2]),
            row(START, [2, 4, 3, 2]),
            row(START + Duration::SECOND, good),
            row(now + Duration::MINUTE, good),
            CandleRow { volume: Some(Decimal::NEGATIVE_ONE), ..row(START, good) },
        ] {
            assert_eq!(normalise([bad], Stamp::Open, Duration::MINUTE, Interval::Minute, all(), now), [], "{bad:?}");
        }
        let rows = [row(START, good)];
        assert_eq!(normalise(rows, Stamp::Open, Duration::minutes(7), Interval::Hour, all(), now), []);
        assert_eq!(normalise(rows, Stamp::Open, Duration::ZERO, Interval::Hour, all(), now), []);
    }

    proptest! {
        #[test]
        fn candles_are_sound_ordered_within_the_span_and_never_more_than_the_rows(
            rows in prop::collection::vec((-200_i64..200, [1_i64..50, 1_i64..50, 1_i64..50, 1_i64..50]), 0..60),
            (from, length, late) in (-100_i64..100, 0_i64..200, 0_i64..200),
        ) {
            let minute = |n: i64| START + Duration::minutes(n);
            let span = Span { from: minute(from), to: minute(from + length) };
            let count = rows.len();
            let rows = rows.into_iter().map(|(n, figures)| row(minute(n), figures));
            let candles = normalise(rows, Stamp::Open, Duration::MINUTE, Interval::FiveMinutes, span, minute(late));
            prop_assert!(candles.len() <= count);
            prop_assert!(candles.windows(2).all(|pair| pair[0].open_at < pair[1].open_at));
            for candle in candles {
                prop_assert!(span.from <= candle.open_at && candle.open_at < span.to);
                prop_assert!(candle.low <= candle.open.min(candle.close) && candle.open.max(candle.close) <= candle.high);
            }
        }
    }
}
