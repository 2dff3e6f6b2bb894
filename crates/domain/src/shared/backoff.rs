//! Exponential backoff with full jitter ("Exponential Backoff And Jitter", AWS Architecture Blog, 2015).

use time::Duration;

/// Waits between attempts: uniform in `0..=min(cap, base * 2^attempt)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FullJitter {
    /// The longest wait before the first retry.
    pub base: Duration,
    /// The longest wait before any retry.
    pub cap: Duration,
}

impl FullJitter {
    /// The wait before retry number `attempt` (the first is 0); `roll` is any uniformly random number.
    #[must_use]
    pub fn delay(self, attempt: u32, roll: u64) -> Duration {
        let cap = self.cap.whole_milliseconds().max(0);
        let longest = self.base.whole_milliseconds().max(0).saturating_mul(1_i128 << attempt.min(32)).min(cap);
        let choices = u64::try_from(longest).unwrap_or(u64::MAX - 1).saturating_add(1);
        Duration::milliseconds(i64::try_from(roll % choices).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const JITTER: FullJitter = FullJitter { base: Duration::milliseconds(100), cap: Duration::seconds(5) };

    proptest! {
        #[test]
        fn a_delay_is_never_negative_nor_over_its_ceiling(attempt: u32, roll: u64) {
            let delay = JITTER.delay(attempt, roll);
            let ceiling = if attempt < 6 { JITTER.base * (1 << attempt) } else { JITTER.cap };
            prop_assert!(delay >= Duration::ZERO && delay <= ceiling.min(JITTER.cap));
        }
    }

    #[test]
    fn the_whole_range_can_be_drawn() {
        assert_eq!(JITTER.delay(0, 0), Duration::ZERO);
        assert_eq!(JITTER.delay(0, 100), JITTER.base);
        assert_eq!(JITTER.delay(31, 5000), JITTER.cap);
    }
}
