use std::collections::VecDeque;

use time::OffsetDateTime;

use super::{Aggregate, Span, Value};

/// Something measured at a moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// When.
    pub at: OffsetDateTime,
    /// What.
    pub value: Value,
}

/// What one metric came to, oldest first.
#[derive(Debug, Clone, Default)]
pub struct Series(VecDeque<Sample>);

impl Series {
    /// Samples that are its history: what is unusual is judged by them.
    pub const HISTORY: usize = 1_000;
    /// Samples that are kept for aggregates beside it: a day of them at one a minute, and some.
    pub const KEPT: usize = 1_500;

    /// Adds the newest. Samples from then or later go: the clock was set back, and nobody knows their time any more.
    pub fn push(&mut self, sample: Sample) {
        while self.0.back().is_some_and(|last| last.at >= sample.at) {
            self.0.pop_back();
        }
        if self.0.len() == Self::KEPT {
            self.0.pop_front();
        }
        self.0.push_back(sample);
    }

    /// The newest.
    #[must_use]
    pub fn last(&self) -> Option<Sample> {
        self.0.back().copied()
    }

    /// The newest [`Series::HISTORY`], oldest first.
    pub fn history(&self) -> impl ExactSizeIterator<Item = Sample> + '_ {
        self.0.iter().skip(self.0.len().saturating_sub(Self::HISTORY)).copied()
    }

    /// What the samples of this span that ends `now` come to; `None` where there is none.
    #[must_use]
    pub fn aggregate(&self, span: Span, now: OffsetDateTime) -> Option<Aggregate> {
        let from = now.checked_sub(span.duration());
        let within = |sample: &&Sample| sample.at <= now && from.is_none_or(|from| sample.at > from);
        Aggregate::of(self.0.iter().rev().filter(within).copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use time::{Duration, macros::datetime};

    const T0: OffsetDateTime = datetime!(2026-11-24 0:00 UTC);

    fn at(second: i64, value: f64) -> Sample {
        Sample { at: T0 + Duration::seconds(second), value: Value::try_new(value).unwrap() }
    }

    #[test]
    fn the_history_is_the_newest_thousand_and_a_day_of_minutes_is_kept() {
        let mut series = Series::default();
        for minute in 0..2_000 {
            series.push(at(minute * 60, f64::from(i32::try_from(minute).unwrap())));
        }
        let history: Vec<_> = series.history().collect();
        assert_eq!((history.len(), history[0].value.get(), history[999].value.get()), (1_000, 1_000.0, 1_999.0));
        let day = series.aggregate(Span::Day, T0 + Duration::minutes(1_999)).unwrap();
        assert_eq!((day.count, day.min, day.max), (1_440, 560.0, 1_999.0));
        assert!(series.0.len() <= Series::KEPT);
    }

    #[test]
    fn a_clock_that_is_set_back_takes_back_what_it_said() {
        let mut series = Series::default();
        for second in [0, 60, 120, 70] {
            series.push(at(second, 1.0));
        }
        let seconds: Vec<_> = series.history().map(|sample| (sample.at - T0).whole_seconds()).collect();
        assert_eq!(seconds, [0, 60, 70]);
    }

    #[test]
    fn a_span_ends_now_and_leaves_out_its_own_beginning() {
        let mut series = Series::default();
        for second in [0, 30, 60, 61] {
            series.push(at(second, f64::from(i32::try_from(second).unwrap())));
        }
        let minute = series.aggregate(Span::Minute, T0 + Duration::seconds(60)).unwrap();
        assert_eq!((minute.count, minute.min, minute.max, minute.since), (2, 30.0, 60.0, T0 + Duration::seconds(30)));
        assert_eq!(series.aggregate(Span::Minute, T0 - Duration::SECOND), None);
        assert!(series.aggregate(Span::Day, time::PrimitiveDateTime::MIN.assume_utc()).is_none());
    }

    /// As anybody would write it down, over all samples that ever came.
    fn brute_force(all: &[Sample], span: Span, now: OffsetDateTime) -> Option<(f64, f64, f64, f64, f64, usize)> {
        let mut values: Vec<f64> =
            all.iter().filter(|s| s.at > now - span.duration() && s.at <= now).map(|s| s.value.get()).collect();
        let n = values.len();
        if n == 0 {
            return None;
        }
        values.sort_by(f64::total_cmp);
        let count = f64::from(u32::try_from(n).unwrap());
        let mean = values.iter().sum::<f64>() / count;
        let median = if n % 2 == 1 { values[n / 2] } else { f64::midpoint(values[n / 2 - 1], values[n / 2]) };
        let variance = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / count;
        Some((values[0], values[n - 1], mean, median, variance.sqrt(), n))
    }

    proptest! {
        #[test]
        fn aggregates_equal_a_brute_force_recomputation(
            values in proptest::collection::vec(-1e6..1e6_f64, 0..300),
            step in 1_i64..900,
            back in 0_i64..2_000,
        ) {
            let mut series = Series::default();
            let all: Vec<_> = values.iter().zip(0..).map(|(value, n)| at(n * step, *value)).collect();
            for sample in &all {
                series.push(*sample);
            }
            let now = all.last().map_or(T0, |last| last.at) - Duration::seconds(back);
            for span in Span::ALL {
                let got = series.aggregate(span, now);
                let expected = brute_force(&all, span, now);
                prop_assert_eq!(got.is_some(), expected.is_some());
                if let (Some(got), Some((min, max, mean, median, stddev, count))) = (got, expected) {
                    prop_assert_eq!((got.min, got.max, got.count), (min, max, count));
                    for (ours, theirs) in [(got.mean, mean), (got.median, median), (got.stddev, stddev)] {
                        prop_assert!((ours - theirs).abs() <= 1e-6 * (1.0 + theirs.abs()), "{ours} {theirs}");
                    }
                }
            }
        }

        #[test]
        fn whatever_is_measured_comes_to_finite_numbers_in_order(
            values in proptest::collection::vec(proptest::num::f64::ANY, 1..60),
            times in proptest::collection::vec(-200_i64..200, 60),
        ) {
            let mut series = Series::default();
            for (value, second) in values.iter().zip(times) {
                if let Some(value) = Value::try_new(*value) {
                    let _ = super::super::anomaly(&series, value, 0.0);
                    series.push(Sample { at: T0 + Duration::seconds(second), value });
                }
            }
            for span in Span::ALL {
                if let Some(of) = series.aggregate(span, T0 + Duration::seconds(200)) {
                    prop_assert!([of.min, of.max, of.mean, of.median, of.stddev].iter().all(|number| number.is_finite()));
                    prop_assert!(of.min <= of.mean && of.mean <= of.max && of.min <= of.median && of.median <= of.max);
                    prop_assert!(of.stddev >= 0.0 && of.count > 0);
                }
            }
        }
    }
}
