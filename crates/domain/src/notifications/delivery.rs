//! When a letter is tried again, and when it is given up.

use time::{Duration, OffsetDateTime};

/// How letters are delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeliveryPolicy {
    /// How long whoever tries a letter has it for itself. Longer than one delivery and the difference between the clocks of two
    /// nodes: a letter is tried by somebody else only when the one who had it is gone.
    pub lease: Duration,
    /// Between the first attempt and the second; each wait after it is twice as long.
    pub first_wait: Duration,
    /// No wait is longer.
    pub longest_wait: Duration,
    /// A letter is not tried more often.
    pub attempts: u32,
}

impl Default for DeliveryPolicy {
    fn default() -> Self {
        Self { lease: Duration::minutes(2), first_wait: Duration::seconds(30), longest_wait: Duration::HOUR, attempts: 10 }
    }
}

/// What came of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempted {
    /// It was handed over.
    Sent,
    /// Not now; it may succeed later.
    Refused,
    /// It will never be taken.
    RefusedForGood,
}

/// What follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Nothing: it is sent.
    Done,
    /// It is tried again then.
    Again(OffsetDateTime),
    /// It is given up.
    Dead,
}

impl DeliveryPolicy {
    /// Whether attempt number `attempt`, the first being 1, may be made. An attempt whose outcome nobody told is one, too: a
    /// letter that brings down whoever tries it is given up some day.
    #[must_use]
    pub const fn may_try(&self, attempt: u32) -> bool {
        attempt <= self.attempts
    }

    /// What follows attempt number `attempt` that ended at `now`.
    #[must_use]
    pub fn after(&self, attempt: u32, outcome: Attempted, now: OffsetDateTime) -> Next {
        match outcome {
            Attempted::Sent => Next::Done,
            Attempted::Refused if attempt < self.attempts => Next::Again(now.checked_add(self.wait(attempt)).unwrap_or(now)),
            Attempted::Refused | Attempted::RefusedForGood => Next::Dead,
        }
    }

    fn wait(&self, attempt: u32) -> Duration {
        let doubled = 1_i32.checked_shl(attempt.saturating_sub(1)).filter(|factor| *factor > 0);
        let wait = doubled.and_then(|factor| self.first_wait.checked_mul(factor));
        wait.map_or(self.longest_wait, |wait| wait.min(self.longest_wait))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use time::macros::datetime;

    const NOON: OffsetDateTime = datetime!(2026-11-21 12:00 UTC);

    fn waits(policy: &DeliveryPolicy) -> Vec<i64> {
        let after = |attempt| match policy.after(attempt, Attempted::Refused, NOON) {
            Next::Again(at) => Some((at - NOON).whole_seconds()),
            Next::Done | Next::Dead => None,
        };
        (1..).map_while(after).collect()
    }

    #[test]
    fn waits_double_from_half_a_minute_to_an_hour_and_the_tenth_attempt_is_the_last() {
        let policy = DeliveryPolicy::default();
        assert_eq!(waits(&policy), [30, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600]);
        assert_eq!(policy.after(10, Attempted::Refused, NOON), Next::Dead);
        assert!(policy.may_try(10) && !policy.may_try(11));
    }

    #[test]
    fn what_is_refused_for_good_is_dead_at_once_and_what_was_sent_is_done_whenever() {
        let policy = DeliveryPolicy::default();
        assert_eq!(policy.after(1, Attempted::RefusedForGood, NOON), Next::Dead);
        assert_eq!(policy.after(u32::MAX, Attempted::Sent, NOON), Next::Done);
    }

    proptest! {
        #[test]
        fn no_wait_is_shorter_than_the_first_or_longer_than_the_longest(attempt: u32, attempts: u32) {
            let policy = DeliveryPolicy { attempts, ..DeliveryPolicy::default() };
            match policy.after(attempt, Attempted::Refused, NOON) {
                Next::Again(at) => prop_assert!((policy.first_wait..=policy.longest_wait).contains(&(at - NOON))),
                next => prop_assert!(next == Next::Dead && attempt >= attempts),
            }
        }
    }
}
