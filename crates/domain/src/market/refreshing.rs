//! When a bulletin is fetched again: by its period or its provider's word, later after failures.

use time::{Duration, OffsetDateTime};

use crate::shared::{backoff::FullJitter, quota::QuotaVerdict, upstream_failure::FailureClass};

/// How one kind is kept fresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefreshPolicy {
    /// After a fetch that went well, where its provider names no moment.
    pub every: Duration,
    /// Between any two fetches, whatever came of the first; also the soonest a named moment counts.
    pub at_least: Duration,
    /// The latest that a named moment counts.
    pub at_most: Duration,
    /// Beyond [`RefreshPolicy::at_least`], after a failure.
    pub retry: FullJitter,
}

/// A quota failure without a time is believed for this long.
const DEFAULT_QUOTA_REST: Duration = Duration::HOUR;
/// Wrong settings are tried again this late.
const CONFIG_REST: Duration = Duration::HOUR;
/// A provider's budget is looked at again this late, once it is used up.
const BUDGET_REST: Duration = Duration::HOUR;
/// How much longer the wait gets when the month's budget is nearly used up.
const STRETCH: i32 = 4;

/// When one kind is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refreshing {
    policy: RefreshPolicy,
    /// `None` is at once.
    due: Option<OffsetDateTime>,
    failures: u32,
    stretched: bool,
}

impl Refreshing {
    /// Due at once.
    #[must_use]
    pub const fn new(policy: RefreshPolicy) -> Self {
        Self { policy, due: None, failures: 0, stretched: false }
    }

    /// By what rules.
    #[must_use]
    pub const fn policy(&self) -> RefreshPolicy {
        self.policy
    }

    /// Whether it is to be fetched.
    #[must_use]
    pub fn is_due(&self, now: OffsetDateTime) -> bool {
        self.due.is_none_or(|due| due <= now)
    }

    /// There is one from `fetched_at`, whoever fetched it, and its provider named `next_at`. A moment still to come is now: some
    /// node's clock is wrong.
    pub fn known(&mut self, fetched_at: OffsetDateTime, next_at: Option<OffsetDateTime>, now: OffsetDateTime) {
        let due = self.after(fetched_at.min(now), next_at);
        self.due = Some(self.due.map_or(due, |known| known.max(due)));
    }

    /// It was fetched.
    pub fn succeeded(&mut self, now: OffsetDateTime, next_at: Option<OffsetDateTime>) {
        self.failures = 0;
        self.due = Some(self.after(now, next_at));
    }

    /// It could not be fetched; `roll` is any uniformly random number.
    pub fn failed(&mut self, class: FailureClass, now: OffsetDateTime, roll: u64) {
        let wait = match class {
            FailureClass::Transient { .. } | FailureClass::Data => self.policy.retry.delay(self.failures, roll),
            FailureClass::Quota { retry_after } => retry_after.unwrap_or(DEFAULT_QUOTA_REST),
            FailureClass::Config => CONFIG_REST,
        };
        self.failures = self.failures.saturating_add(1);
        let wait = wait.clamp(Duration::ZERO, Duration::DAY);
        let wait =
            if matches!(class, FailureClass::Transient { .. } | FailureClass::Data) { wait + self.policy.at_least } else { wait };
        self.due = Some(now + wait.max(self.policy.at_least));
    }

    /// Somebody else may have asked: not before this one's turn comes again.
    pub fn is_not_ours(&mut self, now: OffsetDateTime, turn: Duration) {
        self.due = Some(now + turn);
    }

    /// What its provider's budget says of one more call. `false` where none may be made.
    pub fn budgeted(&mut self, verdict: QuotaVerdict, now: OffsetDateTime) -> bool {
        self.stretched = verdict == QuotaVerdict::Stretch;
        if verdict == QuotaVerdict::Exhausted {
            self.due = Some(now + BUDGET_REST);
        }
        verdict != QuotaVerdict::Exhausted
    }

    fn after(&self, fetched_at: OffsetDateTime, next_at: Option<OffsetDateTime>) -> OffsetDateTime {
        let RefreshPolicy { every, at_least, at_most, .. } = self.policy;
        let wait = next_at.map_or(every, |next| (next - fetched_at).clamp(at_least, at_most.max(at_least)));
        fetched_at + wait * if self.stretched { STRETCH } else { 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-01-01 12:00 UTC);
    const ONCE: FailureClass = FailureClass::Transient { retryable: false };
    const MOOD: RefreshPolicy = RefreshPolicy {
        every: Duration::HOUR,
        at_least: Duration::minutes(10),
        at_most: Duration::DAY,
        retry: FullJitter { base: Duration::minutes(1), cap: Duration::HOUR },
    };

    fn due(refreshing: &Refreshing) -> Duration {
        refreshing.due.unwrap() - NOW
    }

    #[test]
    fn it_is_due_at_once_and_then_when_its_provider_says_within_bounds() {
        let mut mood = Refreshing::new(MOOD);
        assert!(mood.is_due(NOW));
        for (next, expected) in [
            (None, Duration::HOUR),
            (Some(Duration::hours(5)), Duration::hours(5)),
            (Some(Duration::SECOND), Duration::minutes(10)),
            (Some(-Duration::HOUR), Duration::minutes(10)),
            (Some(Duration::days(9)), Duration::DAY),
        ] {
            mood.succeeded(NOW, next.map(|next| NOW + next));
            assert_eq!(due(&mood), expected);
            assert!(!mood.is_due(NOW + expected - Duration::SECOND) && mood.is_due(NOW + expected));
        }
    }

    #[test]
    fn what_another_node_fetched_is_not_fetched_again() {
        let mut mood = Refreshing::new(MOOD);
        mood.known(NOW - Duration::minutes(20), None, NOW);
        assert_eq!(due(&mood), Duration::minutes(40));
        mood.known(NOW - Duration::HOUR, None, NOW);
        assert_eq!(due(&mood), Duration::minutes(40), "an older one changes nothing");
        let mut ahead = Refreshing::new(MOOD);
        ahead.known(NOW + Duration::days(300), None, NOW);
        assert_eq!(due(&ahead), Duration::HOUR, "a clock that is wrong does not end the fetching");
    }

    #[test]
    fn failures_wait_longer_and_longer_and_a_success_ends_that() {
        let mut mood = Refreshing::new(MOOD);
        for (minutes, class) in [(11, ONCE), (12, FailureClass::Data), (14, ONCE), (18, ONCE)] {
            // The longest wait that can be drawn.
            let roll = u64::try_from(Duration::minutes(minutes - 10).whole_milliseconds()).unwrap();
            mood.failed(class, NOW, roll);
            assert_eq!(due(&mood), Duration::minutes(minutes));
        }
        mood.succeeded(NOW, None);
        mood.failed(ONCE, NOW, 0);
        assert_eq!(due(&mood), Duration::minutes(10), "never sooner than that");
    }

    #[test]
    fn a_provider_that_names_a_wait_gets_it_but_no_more_than_a_day() {
        let mut mood = Refreshing::new(MOOD);
        for (retry_after, expected) in [
            (None, Duration::HOUR),
            (Some(Duration::hours(3)), Duration::hours(3)),
            (Some(Duration::SECOND), Duration::minutes(10)),
            (Some(Duration::MAX), Duration::DAY),
        ] {
            mood.failed(FailureClass::Quota { retry_after }, NOW, 0);
            assert_eq!(due(&mood), expected);
        }
        mood.failed(FailureClass::Config, NOW, 0);
        assert_eq!(due(&mood), Duration::HOUR);
    }

    #[test]
    fn a_nearly_spent_budget_stretches_the_wait_and_a_spent_one_ends_the_calls() {
        let mut mood = Refreshing::new(MOOD);
        assert!(mood.budgeted(QuotaVerdict::Stretch, NOW));
        mood.succeeded(NOW, None);
        assert_eq!(due(&mood), Duration::hours(4));
        assert!(!mood.budgeted(QuotaVerdict::Exhausted, NOW));
        assert_eq!(due(&mood), Duration::HOUR);
    }
}
