//! What to ask a provider's history for next.

use time::{Duration, OffsetDateTime};

use super::{Interval, Span};

/// What is left of `missing` once `empty` is taken out of it, oldest first. Both may overlap and come in any order.
#[must_use]
pub fn without(missing: &[Span], empty: &[Span]) -> Vec<Span> {
    let mut left: Vec<Span> = missing.iter().copied().filter(|span| span.from < span.to).collect();
    for gap in empty {
        left = left.into_iter().flat_map(|span| cut(span, *gap)).collect();
    }
    left.sort_by_key(|span| span.from);
    left
}

/// `span` without `gap`: nothing, one piece or two.
fn cut(span: Span, gap: Span) -> impl Iterator<Item = Span> {
    let before = Span { from: span.from, to: span.to.min(gap.from) };
    let after = Span { from: span.from.max(gap.to), to: span.to };
    let apart = gap.to <= span.from || span.to <= gap.from || gap.to <= gap.from;
    let pieces = if apart { [Some(span), None] } else { [Some(before), Some(after)] };
    pieces.into_iter().flatten().filter(|piece| piece.from < piece.to)
}

/// The span of one call: the newest of what is wanted, and whatever else is wanted within `longest` before its end, since one call
/// brings it all. `reach` is how far back from `now` the provider goes. `None` where it has nothing of it.
#[must_use]
pub fn next_call(
    wanted: &[Span],
    interval: Interval,
    longest: Duration,
    reach: Option<Duration>,
    now: OffsetDateTime,
) -> Option<Span> {
    let earliest = reach.map(|reach| {
        let opened = interval.open_of(now - reach);
        if opened < now - reach { opened + interval.length() } else { opened }
    });
    let within = |span: &Span| Span { from: earliest.map_or(span.from, |earliest| span.from.max(earliest)), to: span.to };
    let reachable: Vec<Span> = wanted.iter().map(within).filter(|span| span.from < span.to).collect();
    let to = reachable.iter().map(|span| span.to).max()?;
    let start = to - longest;
    let from = reachable.iter().filter(|span| span.to > start).map(|span| span.from.max(start)).min()?;
    Some(Span { from, to })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use time::macros::datetime;

    const START: OffsetDateTime = datetime!(2026-01-01 0:00 UTC);

    fn span(from: i64, to: i64) -> Span {
        Span { from: START + Duration::minutes(from), to: START + Duration::minutes(to) }
    }

    fn minutes(spans: &[Span]) -> Vec<i64> {
        let each = |span: &Span| (span.from - START).whole_minutes()..(span.to - START).whole_minutes();
        spans.iter().flat_map(each).collect()
    }

    #[test]
    fn what_is_known_to_be_empty_is_not_asked_for() {
        assert_eq!(without(&[span(0, 10), span(20, 30)], &[span(5, 22), span(25, 26)]), [span(0, 5), span(22, 25), span(26, 30)]);
        assert_eq!(without(&[span(0, 10)], &[span(0, 10)]), []);
    }

    #[test]
    fn a_call_brings_the_newest_and_what_lies_within_its_reach() {
        let wanted = [span(0, 5), span(50, 60), span(90, 100)];
        let call = |longest, reach: Option<i64>| {
            let reach = reach.map(Duration::minutes);
            next_call(&wanted, Interval::Minute, Duration::minutes(longest), reach, START + Duration::minutes(100))
        };
        assert_eq!(call(5, None), Some(span(95, 100)));
        assert_eq!(call(45, None), Some(span(55, 100)), "no more than a call may ask for");
        assert_eq!(call(60, None), Some(span(50, 100)), "no more than is wanted");
        assert_eq!(call(300, Some(60)), Some(span(50, 100)));
        assert_eq!(next_call(&[span(0, 5)], Interval::Minute, Duration::HOUR, Some(Duration::MINUTE), span(100, 101).from), None);
        assert_eq!(next_call(&[], Interval::Minute, Duration::HOUR, None, START), None);
    }

    proptest! {
        #[test]
        fn what_is_left_is_what_is_missing_and_not_empty(
            missing in prop::collection::vec((0_i64..100, 0_i64..20), 0..6),
            empty in prop::collection::vec((0_i64..100, 0_i64..20), 0..6),
        ) {
            let spans = |list: Vec<(i64, i64)>| list.into_iter().map(|(from, length)| span(from, from + length)).collect::<Vec<_>>();
            let (missing, empty) = (spans(missing), spans(empty));
            let mut left = minutes(&without(&missing, &empty));
            left.sort_unstable();
            left.dedup();
            let (there, gone) = (minutes(&missing), minutes(&empty));
            let expected: Vec<i64> = (0..130).filter(|n| there.contains(n) && !gone.contains(n)).collect();
            prop_assert_eq!(left, expected);
        }

        #[test]
        fn calls_that_are_answered_come_to_an_end(wanted in prop::collection::vec((0_i64..200, 1_i64..30), 0..8), longest in 1_i64..60) {
            let mut left: Vec<Span> = wanted.into_iter().map(|(from, length)| span(from, from + length)).collect();
            let mut calls = 0;
            while let Some(call) = next_call(&left, Interval::Minute, Duration::minutes(longest), None, START) {
                prop_assert!(call.to - call.from <= Duration::minutes(longest));
                left = without(&left, &[call]);
                calls += 1;
                prop_assert!(calls <= 300);
            }
            prop_assert!(left.is_empty());
        }
    }
}
