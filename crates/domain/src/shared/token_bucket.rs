//! Token bucket for one key: a burst, then a steady rate.

use time::{Duration, OffsetDateTime};

/// A bucket of `burst` tokens, one more every `refill`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BucketPolicy {
    /// Tokens in a full bucket.
    pub burst: u32,
    /// The time one token takes to come back; positive.
    pub refill: Duration,
}

/// When the bucket will be full again: all its state (the generic cell rate algorithm, ITU-T I.371).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenBucket {
    full_at: OffsetDateTime,
}

impl TokenBucket {
    /// A full bucket.
    #[must_use]
    pub const fn full(now: OffsetDateTime) -> Self {
        Self { full_at: now }
    }

    /// Takes one token; when there is none, the error is how long until there is one.
    pub fn take(&mut self, now: OffsetDateTime, policy: BucketPolicy) -> Result<(), Duration> {
        let next = self.full_at.max(now) + policy.refill;
        let over = next - now - policy.refill * policy.burst;
        if over > Duration::ZERO {
            return Err(over);
        }
        self.full_at = next;
        Ok(())
    }

    /// Whether nothing is lost by forgetting it.
    #[must_use]
    pub fn is_full(&self, now: OffsetDateTime) -> bool {
        self.full_at <= now
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-01-01 0:00 UTC);
    const POLICY: BucketPolicy = BucketPolicy { burst: 3, refill: Duration::SECOND };

    #[test]
    fn a_burst_then_one_token_a_refill() {
        let mut bucket = TokenBucket::full(NOW);
        assert_eq!([(); 4].map(|()| bucket.take(NOW, POLICY).is_ok()), [true, true, true, false]);
        assert_eq!(bucket.take(NOW, POLICY), Err(Duration::SECOND));
        assert_eq!(bucket.take(NOW + Duration::SECOND, POLICY), Ok(()));
        assert!(bucket.take(NOW + Duration::SECOND, POLICY).is_err());
    }

    #[test]
    fn it_is_full_again_after_burst_refills_and_never_fuller() {
        let mut bucket = TokenBucket::full(NOW);
        for _ in 0..3 {
            bucket.take(NOW, POLICY).unwrap();
        }
        assert!(!bucket.is_full(NOW + Duration::milliseconds(2_999)));
        let later = NOW + Duration::hours(1);
        assert!(bucket.is_full(later));
        assert_eq!([(); 4].map(|()| bucket.take(later, POLICY).is_ok()), [true, true, true, false]);
    }
}
