//! The lowest and the highest price of any time that ends now.

use std::collections::VecDeque;

use time::{Duration, OffsetDateTime};

use crate::{market::Price, notifications::alerts::AlertCondition};

/// Only what can still be the lowest or the highest of a window is kept: a price that a later one undercuts never is again.
#[derive(Debug, Default)]
pub(super) struct PriceWindow {
    /// Ever later, ever higher.
    lows: VecDeque<(OffsetDateTime, Price)>,
    /// Ever later, ever lower.
    highs: VecDeque<(OffsetDateTime, Price)>,
}

impl PriceWindow {
    /// A price was between `low` and `high` at `at`. A clock that goes back stands still here.
    pub(super) fn push(&mut self, at: OffsetDateTime, low: Price, high: Price) {
        let newest = self.lows.back().into_iter().chain(self.highs.back()).map(|(at, _)| *at).max();
        let at = newest.map_or(at, |newest| newest.max(at));
        while self.lows.back().is_some_and(|(_, kept)| *kept >= low) {
            self.lows.pop_back();
        }
        self.lows.push_back((at, low));
        while self.highs.back().is_some_and(|(_, kept)| *kept <= high) {
            self.highs.pop_back();
        }
        self.highs.push_back((at, high));
        let oldest = at.checked_sub(AlertCondition::LONGEST).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        for prices in [&mut self.lows, &mut self.highs] {
            while prices.front().is_some_and(|(at, _)| *at < oldest) {
                prices.pop_front();
            }
        }
    }

    /// The lowest and the highest price since `start`, itself included.
    pub(super) fn since(&self, start: OffsetDateTime) -> Option<(Price, Price)> {
        let first = |prices: &VecDeque<(OffsetDateTime, Price)>| {
            prices.get(prices.partition_point(|(at, _)| *at < start)).map(|(_, price)| *price)
        };
        Some((first(&self.lows)?, first(&self.highs)?))
    }

    /// The start of a window of this length that ends at `now`.
    pub(super) fn start(now: OffsetDateTime, within: Duration) -> OffsetDateTime {
        now.checked_sub(within).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }
}
