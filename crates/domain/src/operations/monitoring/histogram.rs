use super::{Value, value::number};

/// What a histogram counted in some time: how much lay in each bucket.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Buckets {
    /// Upper bounds, ascending and finite.
    bounds: Vec<f64>,
    /// What lay up to each bound and above the one before; the last one is what lay above all of them.
    counts: Vec<u64>,
}

/// These are no buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("bounds ascend, and no bucket holds less than the one below it")]
pub struct BucketsError;

impl Buckets {
    /// Of the cumulative counts up to each bound, and of the count of everything.
    pub fn try_new(cumulative: impl IntoIterator<Item = (f64, u64)>, all: u64) -> Result<Self, BucketsError> {
        let (mut bounds, mut counts, mut below) = (Vec::<f64>::new(), Vec::new(), 0_u64);
        for (bound, count) in cumulative.into_iter().filter(|(bound, _)| *bound < f64::INFINITY) {
            if bounds.last().is_some_and(|last| *last >= bound) || !bound.is_finite() {
                return Err(BucketsError);
            }
            bounds.push(bound);
            counts.push(count.checked_sub(below).ok_or(BucketsError)?);
            below = count;
        }
        counts.push(all.checked_sub(below).ok_or(BucketsError)?);
        Ok(Self { bounds, counts })
    }

    /// How much was counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// Adds what another histogram with the same bounds counted; one with others is left out.
    pub fn add(&mut self, other: &Self) {
        if self.counts.is_empty() {
            self.clone_from(other);
        } else if self.bounds == other.bounds {
            for (count, more) in self.counts.iter_mut().zip(&other.counts) {
                *count = count.saturating_add(*more);
            }
        }
    }

    /// What was counted since `earlier`. A histogram that began anew was at nothing.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let grew = self.bounds == earlier.bounds && self.counts.iter().zip(&earlier.counts).all(|(now, then)| now >= then);
        if !grew {
            return self.clone();
        }
        let counts = self.counts.iter().zip(&earlier.counts).map(|(now, then)| now - then).collect();
        Self { bounds: self.bounds.clone(), counts }
    }

    /// What the share `quantile` (0..=1) of all that was counted does not exceed: within its bucket evenly spread, as Prometheus's
    /// `histogram_quantile` has it, and the highest bound for what lies above it. `None` where nothing was counted.
    #[must_use]
    pub fn quantile(&self, quantile: f64) -> Option<Value> {
        let all = self.count();
        let highest = *self.bounds.last()?;
        if all == 0 || !(0.0..=1.0).contains(&quantile) {
            return None;
        }
        let number = |count: u64| number(usize::try_from(count).unwrap_or(usize::MAX));
        let rank = quantile * number(all);
        let (mut below, mut lower) = (0_u64, 0.0);
        for (bound, count) in self.bounds.iter().zip(&self.counts) {
            let up_to = below.saturating_add(*count);
            if *count > 0 && number(up_to) >= rank {
                let share = ((rank - number(below)) / number(*count)).clamp(0.0, 1.0);
                let lower = if *bound < lower { *bound } else { lower };
                return Value::try_new(lower + (bound - lower) * share);
            }
            (below, lower) = (up_to, *bound);
        }
        Value::try_new(highest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn buckets(cumulative: &[(f64, u64)], all: u64) -> Buckets {
        Buckets::try_new(cumulative.iter().copied(), all).unwrap()
    }

    fn quantile(of: &Buckets, quantile: f64) -> Option<f64> {
        of.quantile(quantile).map(Value::get)
    }

    #[test]
    fn a_quantile_lies_in_its_bucket_evenly_spread() {
        let of = buckets(&[(0.1, 50), (0.2, 90), (0.4, 100)], 100);
        assert_eq!((quantile(&of, 0.5), quantile(&of, 0.9), quantile(&of, 1.0)), (Some(0.1), Some(0.2), Some(0.4)));
        assert!((quantile(&of, 0.25).unwrap() - 0.05).abs() < 1e-12);
        assert!((quantile(&of, 0.95).unwrap() - 0.3).abs() < 1e-12);
    }

    #[test]
    fn what_lies_above_all_bounds_counts_as_the_highest_and_nothing_has_no_quantile() {
        assert_eq!(quantile(&buckets(&[(0.1, 1), (0.2, 1)], 10), 0.99), Some(0.2));
        assert_eq!(quantile(&buckets(&[(0.1, 0), (f64::INFINITY, 0)], 0), 0.5), None);
        assert_eq!(quantile(&Buckets::default(), 0.5), None);
        assert_eq!(quantile(&buckets(&[(0.1, 1)], 1), f64::NAN), None);
    }

    #[test]
    fn of_the_last_minute_is_what_the_minute_before_had_not() {
        let (then, now) = (buckets(&[(0.1, 50), (0.2, 60)], 60), buckets(&[(0.1, 50), (0.2, 70)], 72));
        let minute = now.since(&then);
        assert_eq!(minute.count(), 12);
        assert!((quantile(&minute, 0.5).unwrap() - 0.16).abs() < 1e-12);
        assert_eq!(then.since(&now), then, "it began anew");
        let mut both = Buckets::default();
        both.add(&minute);
        both.add(&minute);
        both.add(&buckets(&[(7.0, 1)], 1));
        assert_eq!(both.count(), 24);
    }

    #[test]
    fn what_goes_down_is_no_histogram() {
        for (cumulative, all) in [(vec![(0.1, 5), (0.2, 4)], 5), (vec![(0.1, 5)], 4), (vec![(0.2, 1), (0.1, 1)], 1)] {
            assert_eq!(Buckets::try_new(cumulative, all), Err(BucketsError));
        }
        assert_eq!(Buckets::try_new([(f64::NAN, 1)], 1).map(|of| of.count()), Ok(1), "what is no bound is none");
    }

    proptest! {
        #[test]
        fn whatever_was_counted_a_quantile_is_between_nothing_and_the_highest_bound(
            counts in proptest::collection::vec(0_u64..u64::from(u32::MAX), 1..20),
            above: u32,
            share in 0.0..=1.0_f64,
        ) {
            let mut sum = 0;
            let cumulative: Vec<_> = counts.iter().zip(1_u32..).map(|(count, n)| { sum += count; (f64::from(n), sum) }).collect();
            let highest = cumulative.last().unwrap().0;
            let of = Buckets::try_new(cumulative, sum + u64::from(above)).unwrap();
            if let Some(value) = of.quantile(share) {
                prop_assert!((0.0..=highest).contains(&value.get()));
            } else {
                prop_assert_eq!(of.count(), 0);
            }
        }
    }
}
