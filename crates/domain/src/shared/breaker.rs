//! Circuit breaker as a value: consecutive failures open it, one probe at a time may close it again.
//!
//! Counting consecutive failures, not a failure ratio: a poller makes about twelve calls a minute, so a window large
//! enough for a ratio would take minutes to fill (the same reasoning stands behind Envoy's outlier detection, whose
//! default is five consecutive failures and 30 s).

use time::{Duration, OffsetDateTime};

/// Clocks are put right by less than this all the time.
const CLOCK_STEP: Duration = Duration::seconds(5);

/// When a breaker opens, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerPolicy {
    /// Consecutive failures that open it; at least 1.
    pub max_failures: u32,
    /// How long it stays open after the first trip, the second, and every one from the third on.
    pub cool_downs: [Duration; 3],
}

impl Default for BreakerPolicy {
    /// Five failures; 30 s, then 60 s, then 120 s.
    fn default() -> Self {
        Self { max_failures: 5, cool_downs: [Duration::seconds(30), Duration::seconds(60), Duration::seconds(120)] }
    }
}

impl BreakerPolicy {
    fn cool_down(self, trips: u32) -> Duration {
        self.cool_downs[(trips.saturating_sub(1) as usize).min(2)]
    }
}

/// Whether calls go through. `trips` counts openings since it was last closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breaker {
    /// Calls go through.
    Closed {
        /// Failures since the last success.
        failures: u32,
    },
    /// Calls are refused.
    Open {
        /// When the next probe is allowed.
        until: OffsetDateTime,
        /// Openings since it was last closed.
        trips: u32,
    },
    /// One call is under way to see whether the other side is back.
    Probing {
        /// When a probe that never reported is given up.
        until: OffsetDateTime,
        /// Openings since it was last closed.
        trips: u32,
    },
}

/// What the caller may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// Call; report with [`Breaker::record`].
    Call,
    /// Call: this is the one probe; report with [`Breaker::record`].
    Probe,
    /// Do not call.
    Refuse {
        /// When to ask again.
        until: OffsetDateTime,
    },
}

impl Default for Breaker {
    fn default() -> Self {
        Self::Closed { failures: 0 }
    }
}

impl Breaker {
    /// Asks to make one call at `now`.
    pub fn admit(&mut self, now: OffsetDateTime, policy: BreakerPolicy) -> Admission {
        match *self {
            Self::Closed { .. } => Admission::Call,
            // A probe that never reported is given up after one cool-down. A wait that is longer than it was made was made by a clock that
            // has since been set back: it would last for as long as that clock was ahead.
            Self::Open { until, trips } | Self::Probing { until, trips }
                if now >= until || until - now > policy.cool_down(trips) + CLOCK_STEP =>
            {
                *self = Self::Probing { until: now + policy.cool_down(trips), trips };
                Admission::Probe
            }
            Self::Open { until, .. } | Self::Probing { until, .. } => Admission::Refuse { until },
        }
    }

    /// Reports how an admitted call ended.
    pub fn record(&mut self, succeeded: bool, now: OffsetDateTime, policy: BreakerPolicy) {
        *self = match (*self, succeeded) {
            // A straggler from before it opened says nothing about now.
            (open @ Self::Open { .. }, _) => open,
            (_, true) => Self::Closed { failures: 0 },
            (Self::Closed { failures }, false) if failures + 1 < policy.max_failures => Self::Closed { failures: failures + 1 },
            (Self::Closed { .. }, false) => Self::Open { until: now + policy.cool_down(1), trips: 1 },
            (Self::Probing { trips, .. }, false) => {
                let trips = trips.saturating_add(1);
                Self::Open { until: now + policy.cool_down(trips), trips }
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-01-01 0:00 UTC);

    fn policy() -> BreakerPolicy {
        BreakerPolicy::default()
    }

    fn opened() -> Breaker {
        let mut breaker = Breaker::default();
        for _ in 0..5 {
            assert_eq!(breaker.admit(NOW, policy()), Admission::Call);
            breaker.record(false, NOW, policy());
        }
        breaker
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_keep_it_open() {
        let ahead = NOW + Duration::HOUR;
        let mut breaker = Breaker::default();
        for _ in 0..policy().max_failures {
            breaker.record(false, ahead, policy());
        }
        assert!(matches!(breaker.admit(ahead - Duration::SECOND, policy()), Admission::Refuse { .. }));
        assert_eq!(breaker.admit(NOW, policy()), Admission::Probe);
        assert!(matches!(breaker.admit(NOW, policy()), Admission::Refuse { .. }), "one probe");
    }

    #[test]
    fn the_fifth_consecutive_failure_opens_it() {
        let mut breaker = Breaker::default();
        for _ in 0..4 {
            breaker.record(false, NOW, policy());
        }
        breaker.record(true, NOW, policy());
        assert_eq!(breaker, Breaker::Closed { failures: 0 }, "a success starts the count again");
        assert_eq!(opened(), Breaker::Open { until: NOW + Duration::seconds(30), trips: 1 });
    }

    #[test]
    fn fifty_callers_share_one_probe_every_cool_down() {
        let mut breaker = opened();
        let later = NOW + Duration::seconds(30);
        let probes = (0..50).filter(|_| breaker.admit(later, policy()) == Admission::Probe).count();
        assert_eq!(probes, 1);
        assert_eq!(breaker.admit(later, policy()), Admission::Refuse { until: later + Duration::seconds(30) });
    }

    #[test]
    fn failed_probes_wait_thirty_then_sixty_then_a_hundred_and_twenty_seconds() {
        let mut breaker = opened();
        let mut now = NOW;
        for seconds in [30, 60, 120, 120] {
            assert!(matches!(
                breaker.admit(now + Duration::seconds(seconds) - Duration::MILLISECOND, policy()),
                Admission::Refuse { .. }
            ));
            now += Duration::seconds(seconds);
            assert_eq!(breaker.admit(now, policy()), Admission::Probe);
            breaker.record(false, now, policy());
        }
        now += Duration::seconds(120);
        assert_eq!(breaker.admit(now, policy()), Admission::Probe);
        breaker.record(true, now, policy());
        assert_eq!(breaker, Breaker::Closed { failures: 0 });
    }

    #[test]
    fn a_straggler_does_not_close_an_open_breaker() {
        let mut breaker = opened();
        breaker.record(true, NOW, policy());
        assert!(matches!(breaker.admit(NOW, policy()), Admission::Refuse { .. }));
    }

    #[test]
    fn a_lost_probe_is_replaced() {
        let mut breaker = opened();
        let later = NOW + Duration::seconds(30);
        assert_eq!(breaker.admit(later, policy()), Admission::Probe);
        assert_eq!(breaker.admit(later + Duration::seconds(30), policy()), Admission::Probe);
    }
}
