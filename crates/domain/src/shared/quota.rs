//! A provider's metered budget: so many calls a minute, so many a month, shared by every node.

/// What a plan allows. `None` is unmetered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QuotaPolicy {
    /// Calls in a calendar minute (UTC).
    pub per_minute: Option<u32>,
    /// Calls in a calendar month (UTC).
    pub per_month: Option<u32>,
}

/// Calls already made, this minute and this month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QuotaUse {
    /// Calls in this calendar minute (UTC).
    pub minute: u32,
    /// Calls in this calendar month (UTC).
    pub month: u32,
}

/// What a budget allows next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuotaVerdict {
    /// Call at the usual cadence.
    Allow,
    /// Call, but from now on at a stretched cadence: 90 % of the month is used.
    Stretch,
    /// Do not call.
    Exhausted,
}

impl QuotaPolicy {
    /// Whether one more call may follow `used`.
    #[must_use]
    pub fn judge(self, used: QuotaUse) -> QuotaVerdict {
        let full = |used: u32, limit: Option<u32>| limit.is_some_and(|limit| used >= limit);
        let nearly = |used: u32, limit: Option<u32>| limit.is_some_and(|limit| u64::from(used) * 10 >= u64::from(limit) * 9);
        if full(used.minute, self.per_minute) || full(used.month, self.per_month) {
            QuotaVerdict::Exhausted
        } else if nearly(used.month, self.per_month) {
            QuotaVerdict::Stretch
        } else {
            QuotaVerdict::Allow
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_stretched_at_ninety_percent_and_never_overrun() {
        let policy = QuotaPolicy { per_minute: None, per_month: Some(100) };
        let judged = |month| policy.judge(QuotaUse { minute: 0, month });
        assert_eq!(judged(89), QuotaVerdict::Allow);
        assert_eq!(judged(90), QuotaVerdict::Stretch);
        assert_eq!(judged(99), QuotaVerdict::Stretch);
        assert_eq!(judged(100), QuotaVerdict::Exhausted);
    }

    #[test]
    fn a_full_minute_stops_calls_whatever_the_month_says() {
        let policy = QuotaPolicy { per_minute: Some(30), per_month: Some(10_000) };
        assert_eq!(policy.judge(QuotaUse { minute: 29, month: 40 }), QuotaVerdict::Allow);
        assert_eq!(policy.judge(QuotaUse { minute: 30, month: 40 }), QuotaVerdict::Exhausted);
    }

    #[test]
    fn an_unmetered_provider_is_always_allowed() {
        assert_eq!(QuotaPolicy::default().judge(QuotaUse { minute: u32::MAX, month: u32::MAX }), QuotaVerdict::Allow);
    }
}
