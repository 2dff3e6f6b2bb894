use super::{Aggregate, Series, Value};

/// Why something measured is unusual.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anomaly {
    /// It is more than three standard deviations from the mean of what came before.
    Outlier,
    /// It is more than five standard deviations from what came just before.
    Jump,
}

impl Anomaly {
    /// Samples without which nothing is known to be usual.
    pub const ENOUGH: usize = 20;
    const OUTLIER_SIGMAS: f64 = 3.0;
    const JUMP_SIGMAS: f64 = 5.0;

    /// As told.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Outlier => "outlier",
            Self::Jump => "jump",
        }
    }
}

/// Whether `value` is unusual after what `before` holds. What differs by less than `grain` never is: where nothing ever moved,
/// the deviation is zero, and any movement would be.
#[must_use]
pub fn anomaly(before: &Series, value: Value, grain: f64) -> Option<Anomaly> {
    let last = before.last()?.value.get();
    let usual = Aggregate::of(before.history()).filter(|usual| usual.count >= Anomaly::ENOUGH)?;
    let beyond = |from: f64, sigmas: f64| {
        let off = (value.get() - from).abs();
        off > sigmas * usual.stddev && off >= grain
    };
    if beyond(last, Anomaly::JUMP_SIGMAS) {
        Some(Anomaly::Jump)
    } else {
        beyond(usual.mean, Anomaly::OUTLIER_SIGMAS).then_some(Anomaly::Outlier)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::monitoring::Sample;
    use time::{Duration, macros::datetime};

    fn series(values: impl IntoIterator<Item = f64>) -> Series {
        let mut series = Series::default();
        for (value, n) in values.into_iter().zip(0..) {
            let at = datetime!(2026-11-24 0:00 UTC) + Duration::minutes(n);
            series.push(Sample { at, value: Value::try_new(value).unwrap() });
        }
        series
    }

    fn judged(before: &Series, value: f64, grain: f64) -> Option<Anomaly> {
        anomaly(before, Value::try_new(value).unwrap(), grain)
    }

    /// 9 and 11 in turn: mean 10, deviation 1, and 11 came last.
    fn around_ten(samples: usize) -> Series {
        series([9.0, 11.0].into_iter().cycle().take(samples))
    }

    #[test]
    fn beyond_three_deviations_of_twenty_samples_is_unusual_and_less_is_not() {
        let before = around_ten(20);
        for usual in [7.0, 10.0, 13.0] {
            assert_eq!(judged(&before, usual, 0.0), None, "{usual}");
        }
        assert_eq!(judged(&before, 13.01, 0.0), Some(Anomaly::Outlier));
        assert_eq!(judged(&before, 6.99, 0.0), Some(Anomaly::Outlier));
        assert_eq!(judged(&around_ten(18), 1_000.0, 0.0), None, "of eighteen nobody knows what is usual");
    }

    #[test]
    fn more_than_five_deviations_from_one_sample_to_the_next_is_a_jump() {
        let before = around_ten(20);
        assert_eq!(judged(&before, 16.01, 0.0), Some(Anomaly::Jump));
        assert_eq!(judged(&before, 16.0, 0.0), Some(Anomaly::Outlier));
        // The other way round from the same mean: 11 came last.
        assert_eq!(judged(&before, 5.99, 0.0), Some(Anomaly::Jump));
    }

    #[test]
    fn where_nothing_ever_moved_a_small_movement_is_nothing_unusual() {
        let before = series([5.0; 30]);
        assert_eq!(judged(&before, 5.0, 0.0), None);
        assert_eq!(judged(&before, 5.4, 0.5), None);
        assert_eq!(judged(&before, 5.5, 0.5), Some(Anomaly::Jump));
    }
}
