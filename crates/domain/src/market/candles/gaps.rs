//! Which candles are missing.

use time::OffsetDateTime;

use super::Interval;

/// A time from `from` on and before `to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Its first moment.
    pub from: OffsetDateTime,
    /// The first moment after it.
    pub to: OffsetDateTime,
}

/// Finds what is missing between candles that are told one after the other.
#[derive(Debug)]
pub struct GapFinder {
    interval: Interval,
    expected: OffsetDateTime,
    end: OffsetDateTime,
    gaps: Vec<Span>,
}

impl GapFinder {
    /// Of candles that open within `span`.
    #[must_use]
    pub fn new(interval: Interval, span: Span) -> Self {
        let first = interval.open_of(span.from);
        let expected = if first < span.from { first.saturating_add(interval.length()) } else { first };
        Self { interval, expected, end: span.to, gaps: Vec::new() }
    }

    /// There is a candle that opens at `open_at`; they are told oldest first.
    pub fn there_is(&mut self, open_at: OffsetDateTime) {
        if open_at < self.expected || open_at >= self.end {
            return;
        }
        if open_at > self.expected {
            self.gaps.push(Span { from: self.expected, to: open_at });
        }
        self.expected = open_at.saturating_add(self.interval.length());
    }

    /// What is missing, oldest first: each span from the opening of the first candle that is missing to the end of the last one.
    #[must_use]
    pub fn gaps(mut self) -> Vec<Span> {
        if self.expected < self.end {
            let last = self.interval.open_of(self.end);
            let to = if last < self.end { last.saturating_add(self.interval.length()) } else { last };
            self.gaps.push(Span { from: self.expected, to });
        }
        self.gaps
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use time::{Duration, macros::datetime};

    const START: OffsetDateTime = datetime!(2026-01-01 0:00 UTC);

    fn minute(n: i64) -> OffsetDateTime {
        START + Duration::minutes(n)
    }

    #[test]
    fn what_is_missing_before_between_and_after_is_found() {
        let span = Span { from: START - Duration::SECOND, to: minute(10) };
        let mut finder = GapFinder::new(Interval::Minute, span);
        for open_at in [2, 3, 6].map(minute) {
            finder.there_is(open_at);
        }
        let gap = |from, to| Span { from: minute(from), to: minute(to) };
        assert_eq!(finder.gaps(), [gap(0, 2), gap(4, 6), gap(7, 10)]);
    }

    #[test]
    fn the_calendars_end_is_no_panic() {
        for span in [
            Span { from: datetime!(9999-12-31 23:59:59 UTC), to: datetime!(9999-12-31 23:59:59.5 UTC) },
            Span { from: datetime!(9999-12-31 12:00 UTC), to: OffsetDateTime::from_unix_timestamp(253_402_300_799).unwrap() },
        ] {
            for interval in Interval::ALL {
                let mut finder = GapFinder::new(interval, span);
                finder.there_is(span.from);
                let _ = finder.gaps();
            }
        }
    }

    proptest! {
        #[test]
        fn every_candle_is_there_or_in_one_gap(there in prop::collection::btree_set(-5_i64..60, 0..60), from in 0_i64..3_000, length in 0_i64..3_000) {
            let span = Span { from: START + Duration::seconds(from), to: START + Duration::seconds(from + length) };
            let mut finder = GapFinder::new(Interval::Minute, span);
            for n in &there {
                finder.there_is(minute(*n));
            }
            let gaps = finder.gaps();
            for n in -5..120 {
                let open_at = minute(n);
                let within = gaps.iter().filter(|gap| gap.from <= open_at && open_at < gap.to).count();
                let wanted = open_at >= span.from && open_at < span.to && !there.contains(&n);
                prop_assert_eq!(within, usize::from(wanted), "minute {}", n);
            }
        }
    }
}
