//! Whether one class of times can be told from another.

use crate::table::figure;

/// The area under the ROC curve (Mann and Whitney's U over all pairs): how likely a time of `one` is longer than a time of
/// `other`, where equal ones count half. ½ where they cannot be told apart.
pub(super) fn auc(one: &[u64], other: &[u64]) -> f64 {
    let mut other = other.to_vec();
    other.sort_unstable();
    let mut halves = 0;
    for time in one {
        let (shorter, not_longer) = (other.partition_point(|it| it < time), other.partition_point(|it| it <= time));
        halves += shorter + not_longer;
    }
    figure(halves as u64) / figure(2 * one.len() as u64 * other.len() as u64)
}

/// The standard deviation of [`auc`] where there is nothing to tell, with `each` times in either class.
pub(super) fn deviation(each: usize) -> f64 {
    let each = figure(each as u64);
    ((2.0 * each + 1.0) / (12.0 * each * each)).sqrt()
}

/// `items` in an order that `seed` gives (xorshift); the next call's is another.
pub(super) fn shuffled<T, const N: usize>(mut items: [T; N], seed: &mut u64) -> [T; N] {
    for at in (1..N).rev() {
        *seed ^= *seed << 13;
        *seed ^= *seed >> 7;
        *seed ^= *seed << 17;
        let chosen = usize::try_from((*seed >> 16) % (at as u64 + 1)).unwrap_or(0);
        items.swap(at, chosen);
    }
    items
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn is(value: f64, expected: f64) -> bool {
        (value - expected).abs() < 1e-9
    }

    #[test]
    fn classes_that_are_apart_are_told_and_equal_ones_are_not() {
        assert!(is(auc(&[4, 5, 6], &[1, 2, 3]), 1.0) && is(auc(&[1, 2, 3], &[4, 5, 6]), 0.0));
        assert!(is(auc(&[1, 2, 3], &[3, 2, 1]), 0.5) && is(auc(&[7, 7], &[7]), 0.5));
        assert!(is(auc(&[1, 3], &[2]), 0.5) && is(auc(&[2, 3], &[1, 2]), 0.875));
    }

    #[test]
    fn chance_moves_it_less_the_more_there_are() {
        assert!(is((deviation(500) * 10_000.0).round(), 183.0) && deviation(30) > 4.0 * deviation(500));
    }

    #[test]
    fn every_order_comes_as_often() {
        let (mut seed, mut counts) = (1, std::collections::HashMap::<_, u32>::new());
        for _ in 0..6_000 {
            *counts.entry(shuffled([0, 1, 2], &mut seed)).or_default() += 1;
        }
        assert!(counts.len() == 6 && counts.values().all(|count| (850..1_150).contains(count)), "{counts:?}");
    }

    proptest! {
        #[test]
        fn it_is_the_share_of_pairs(
            one in prop::collection::vec(0..20_u64, 1..30),
            other in prop::collection::vec(0..20_u64, 1..30),
        ) {
            let pairs = one.iter().flat_map(|a| other.iter().map(move |b| match a.cmp(b) {
                std::cmp::Ordering::Less => 0.0,
                std::cmp::Ordering::Equal => 0.5,
                std::cmp::Ordering::Greater => 1.0,
            }));
            let share = pairs.sum::<f64>() / figure((one.len() * other.len()) as u64);
            prop_assert!(is(auc(&one, &other), share) && is(auc(&other, &one), 1.0 - share));
        }
    }
}
