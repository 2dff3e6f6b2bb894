//! Longer candles out of shorter ones.

use time::OffsetDateTime;

use super::{Candle, Interval};

/// The candles of `interval` that `shorter` ones add up to, oldest first. `shorter` are of one asset and one interval that `interval`
/// is a multiple of, oldest first; where there is none of a time, there is none of it here either. A candle is closed once its
/// own time is over at `now`; its volume is known then, where that of every part is.
#[must_use]
pub fn roll_up(shorter: impl IntoIterator<Item = Candle>, interval: Interval, now: OffsetDateTime) -> Vec<Candle> {
    let mut longer: Vec<Candle> = Vec::new();
    for candle in shorter {
        let open_at = interval.open_of(candle.open_at);
        match longer.last_mut().filter(|last| last.open_at == open_at) {
            Some(last) => last.continue_with(candle),
            None => longer.push(Candle { open_at, closed: interval.is_over(open_at, now), ..candle }),
        }
    }
    for candle in longer.iter_mut().filter(|candle| !candle.closed) {
        // A part would be taken for the whole once ticks go on, which know no volume.
        candle.volume = None;
    }
    longer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::Price;
    use proptest::prelude::*;
    use rust_decimal::Decimal;
    use time::{Duration, macros::datetime};

    const START: OffsetDateTime = datetime!(2026-02-27 22:00 UTC);

    fn price(cents: i64) -> Price {
        Price::try_new(Decimal::new(cents, 2)).unwrap()
    }

    /// Some of the minutes of three days: gaps of every length, volumes known or not.
    fn minutes() -> impl Strategy<Value = Vec<Candle>> {
        let one = (0_i64..1_700, prop::array::uniform4(1_i64..100_000), prop::option::of(0_i64..1_000));
        prop::collection::vec(one, 0..80).prop_map(|drawn| {
            let candle = |(minute, mut prices, volume): (i64, [i64; 4], Option<i64>)| {
                prices.sort_unstable();
                let [low, a, b, high] = prices.map(price);
                let (open, close) = if minute % 2 == 0 { (a, b) } else { (b, a) };
                let volume = volume.map(|volume| Decimal::new(volume, 3));
                Candle { open_at: START + Duration::minutes(minute), open, high, low, close, volume, closed: true }
            };
            let mut candles: Vec<_> = drawn.into_iter().map(candle).collect();
            candles.sort_by_key(|candle| candle.open_at);
            candles.dedup_by_key(|candle| candle.open_at);
            candles
        })
    }

    /// Looks at every bucket there could be, and at every minute for each.
    fn brute_force(minutes: &[Candle], interval: Interval, now: OffsetDateTime) -> Vec<Candle> {
        let mut found = Vec::new();
        let mut open_at = interval.open_of(START);
        while open_at < START + Duration::minutes(1_700) {
            let end = open_at + interval.length();
            let within: Vec<_> = minutes.iter().filter(|minute| minute.open_at >= open_at && minute.open_at < end).collect();
            if let (Some(first), Some(last)) = (within.iter().min_by_key(|c| c.open_at), within.iter().max_by_key(|c| c.open_at))
            {
                let known: Option<Decimal> = within.iter().map(|c| c.volume).sum();
                found.push(Candle {
                    open_at,
                    open: first.open,
                    high: within.iter().map(|c| c.high).max().unwrap(),
                    low: within.iter().map(|c| c.low).min().unwrap(),
                    close: last.close,
                    volume: known.filter(|_| now >= end),
                    closed: now >= end,
                });
            }
            open_at = end;
        }
        found
    }

    proptest! {
        #[test]
        fn roll_ups_equal_a_brute_force_recomputation(minutes in minutes(), until in 0_i64..1_700) {
            let now = START + Duration::minutes(until);
            for interval in Interval::ALL {
                prop_assert_eq!(roll_up(minutes.iter().copied(), interval, now), brute_force(&minutes, interval, now));
            }
        }

        /// So that an hour can be made of its five minutes instead of sixty.
        #[test]
        fn rolling_up_step_by_step_comes_to_the_same(minutes in minutes(), until in 0_i64..1_700) {
            let now = START + Duration::minutes(until);
            let mut candles = minutes.clone();
            for interval in Interval::ALL {
                candles = roll_up(candles, interval, now);
                prop_assert_eq!(&candles, &roll_up(minutes.iter().copied(), interval, now));
            }
        }
    }

    #[test]
    fn a_volume_that_cannot_be_added_up_is_not_known_rather_than_a_panic() {
        let most = Candle { volume: Some(Decimal::MAX), ..Candle::first(START, price(1)) };
        let rolled = roll_up([most, Candle { open_at: START + Duration::MINUTE, ..most }], Interval::Hour, START);
        assert_eq!(rolled[0].volume, None);
    }
}
