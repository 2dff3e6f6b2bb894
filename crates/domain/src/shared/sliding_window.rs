//! Sliding-window limiter for one key, exact in every window offset.

use std::collections::VecDeque;

use time::{Duration, OffsetDateTime};

/// At most `limit` events in any span of `window`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowPolicy {
    /// Events allowed in one window.
    pub limit: u32,
    /// The window's length.
    pub window: Duration,
}

/// The moments of the events still inside the window, oldest first. Empty, it holds no memory.
#[derive(Debug, Clone, Default)]
pub struct SlidingWindow {
    taken: VecDeque<OffsetDateTime>,
}

impl SlidingWindow {
    /// Takes one event at `now`; when the window is full, the error is how long to wait for the next one.
    pub fn take(&mut self, now: OffsetDateTime, policy: WindowPolicy) -> Result<(), Duration> {
        while self.taken.front().is_some_and(|&first| first + policy.window <= now) {
            self.taken.pop_front();
        }
        if self.taken.len() < policy.limit as usize {
            self.taken.push_back(now);
            return Ok(());
        }
        Err(self.next_free_in(now, policy))
    }

    /// Events in the window at `now`.
    pub fn taken(&self, now: OffsetDateTime, policy: WindowPolicy) -> u32 {
        u32::try_from(self.taken.len() - self.left(now, policy)).unwrap_or(u32::MAX)
    }

    /// How long until the oldest event leaves the window; the whole window where there is none.
    pub fn next_free_in(&self, now: OffsetDateTime, policy: WindowPolicy) -> Duration {
        let oldest = self.taken.get(self.left(now, policy));
        oldest.map_or(policy.window, |&first| (first + policy.window - now).max(Duration::ZERO))
    }

    /// How many of the events have left the window: the first ones, for they are in order.
    fn left(&self, now: OffsetDateTime, policy: WindowPolicy) -> usize {
        self.taken.partition_point(|&at| at + policy.window <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use time::macros::datetime;

    const START: OffsetDateTime = datetime!(2026-01-01 0:00 UTC);
    const POLICY: WindowPolicy = WindowPolicy { limit: 3, window: Duration::minutes(1) };

    #[test]
    fn the_wait_it_names_is_exactly_long_enough() {
        let mut window = SlidingWindow::default();
        for second in [0, 10, 20] {
            assert_eq!(window.take(START + Duration::seconds(second), POLICY), Ok(()));
        }
        let now = START + Duration::seconds(30);
        let wait = window.take(now, POLICY).unwrap_err();
        assert_eq!(wait, Duration::seconds(30));
        assert!(window.take(now + wait - Duration::MILLISECOND, POLICY).is_err());
        assert_eq!(window.take(now + wait, POLICY), Ok(()));
    }

    proptest! {
        #[test]
        fn no_window_offset_ever_holds_more_than_the_limit(steps in prop::collection::vec(0_i64..40_000, 1..200)) {
            let mut window = SlidingWindow::default();
            let mut now = START;
            let mut accepted = Vec::new();
            for step in steps {
                now += Duration::milliseconds(step);
                if window.take(now, POLICY).is_ok() {
                    accepted.push(now);
                }
            }
            for (i, &first) in accepted.iter().enumerate() {
                let inside = accepted[i..].iter().filter(|&&at| at < first + POLICY.window).count();
                prop_assert!(inside <= POLICY.limit as usize);
            }
        }
    }
}
