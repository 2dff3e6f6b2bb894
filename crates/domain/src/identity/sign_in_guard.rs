//! What slows guessing down without locking anybody out.
//!
//! A failed sign-in is counted for the account, for the address it came from, and for both together. Past its allowance a
//! counter imposes a delay that doubles with each further checked guess; during a delay no guess is checked and none is
//! counted, so that nobody can prolong it by trying. A device that signed in before carries a token and is counted by that
//! alone: an attack on the account, or from the same address, does not slow it (the device cookies of OWASP's page on slowing
//! down online guessing).

use std::net::IpAddr;

use time::{Duration, OffsetDateTime, macros::datetime};
use uuid::Uuid;

use super::{Email, SessionId, UserId};

/// What failures are counted by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum GuardKey {
    /// An address book entry, whether or not it is an account's.
    Account(Email),
    /// Where attempts come from (IPv6: its /64).
    Address(IpAddr),
    /// Both together.
    Pair(Email, IpAddr),
    /// A device that signed in to this account before.
    Device(Email, Uuid),
    /// Codes of an account's second factor that are tried to sign in with, whatever ticket they are tried with.
    SecondFactor(UserId),
    /// Codes that are tried in a session: whoever knows the password and guesses from outside is not in its way.
    SessionFactor(SessionId),
}

/// What an attempt is counted by, in the order in which counters are locked.
#[must_use]
pub fn guard_keys(email: &Email, ip: Option<IpAddr>, known_device: Option<Uuid>) -> Vec<GuardKey> {
    if let Some(device) = known_device {
        return vec![GuardKey::Device(email.clone(), device)];
    }
    let by_address = ip.into_iter().flat_map(|ip| [GuardKey::Address(ip), GuardKey::Pair(email.clone(), ip)]);
    let mut keys: Vec<_> = by_address.chain([GuardKey::Account(email.clone())]).collect();
    keys.sort();
    keys
}

/// How many failures are free and what the next ones cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GuardPolicy {
    /// Failures without a delay.
    pub free: u32,
    /// The first delay; each further failure doubles it.
    pub base: Duration,
    /// The longest delay.
    pub cap: Duration,
    /// Without a failure for so long, all are forgotten.
    pub forget_after: Duration,
    /// With so many failures no further guess is checked until all are forgotten on purpose, however long that takes.
    pub locks_at: Option<u32>,
}

/// The policy of each [`GuardKey`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GuardPolicies {
    /// For an account.
    pub account: GuardPolicy,
    /// For an address.
    pub address: GuardPolicy,
    /// For both together.
    pub pair: GuardPolicy,
    /// For a known device.
    pub device: GuardPolicy,
    /// For codes of second factors, by account and by session: ten failures, then one more guess each time the delay is over.
    pub second_factor: GuardPolicy,
}

impl Default for GuardPolicies {
    fn default() -> Self {
        let policy = |free, base| GuardPolicy {
            free,
            base,
            cap: Duration::minutes(15),
            forget_after: Duration::hours(24),
            locks_at: None,
        };
        Self {
            // A hundred in a row are all that NIST SP 800-63B (5.2.2) allows. Known devices are counted apart, and resetting the
            // password forgets them: whoever receives the account's mail is never locked out.
            account: GuardPolicy { locks_at: Some(100), ..policy(20, Duration::seconds(30)) },
            address: policy(50, Duration::seconds(10)),
            pair: policy(5, Duration::seconds(10)),
            device: policy(10, Duration::seconds(10)),
            second_factor: policy(9, Duration::minutes(15)),
        }
    }
}

impl GuardPolicies {
    /// The policy for this key.
    #[must_use]
    pub fn of(&self, key: &GuardKey) -> &GuardPolicy {
        match key {
            GuardKey::Account(_) => &self.account,
            GuardKey::Address(_) => &self.address,
            GuardKey::Pair(..) => &self.pair,
            GuardKey::Device(..) => &self.device,
            GuardKey::SecondFactor(_) | GuardKey::SessionFactor(_) => &self.second_factor,
        }
    }
}

/// A delay that no waiting ends; every store can hold it.
const NEVER: OffsetDateTime = datetime!(9999-01-01 0:00 UTC);

/// What is known of earlier attempts under one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Attempts {
    /// Failures in a row, those under way included.
    pub failures: u32,
    /// The last one.
    pub last_at: Option<OffsetDateTime>,
    /// No guess is checked before.
    pub delayed_until: Option<OffsetDateTime>,
}

impl Attempts {
    /// Whether a guess would be checked now; the error is until when not.
    pub fn admit(&self, now: OffsetDateTime) -> Result<(), OffsetDateTime> {
        match self.delayed_until {
            Some(until) if now < until => Err(until),
            _ => Ok(()),
        }
    }

    /// Counts a guess that is about to be checked as failed until it is given back, so that guesses made at once do not all
    /// find the same allowance.
    pub fn reserve(&mut self, now: OffsetDateTime, policy: &GuardPolicy) {
        if self.last_at.is_some_and(|last| last + policy.forget_after <= now) {
            *self = Self::default();
        }
        self.failures = self.failures.saturating_add(1);
        self.last_at = Some(now);
        let beyond = self.failures.saturating_sub(policy.free);
        if beyond > 0 {
            let doubled = policy.base.saturating_mul(1 << (beyond - 1).min(20));
            self.delayed_until = Some(now + doubled.min(policy.cap));
        }
        if self.is_locked(policy) {
            self.delayed_until = Some(NEVER);
        }
    }

    /// Whether no further guess is checked until all are forgotten on purpose.
    #[must_use]
    pub fn is_locked(&self, policy: &GuardPolicy) -> bool {
        policy.locks_at.is_some_and(|most| self.failures >= most)
    }

    /// The guess that was reserved at `reserved_at` was right: its own failure is taken back, and with it the delay it caused.
    /// Before it there was none, or it would not have been checked; one that another guess has caused since stays.
    pub fn give_back(&mut self, reserved_at: OffsetDateTime, policy: &GuardPolicy) {
        self.failures = self.failures.saturating_sub(1);
        if self.failures <= policy.free || self.last_at == Some(reserved_at) {
            self.delayed_until = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    const NOW: OffsetDateTime = datetime!(2026-01-01 0:00 UTC);
    const POLICY: GuardPolicy = GuardPolicy {
        free: 3,
        base: Duration::seconds(10),
        cap: Duration::minutes(1),
        forget_after: Duration::hours(1),
        locks_at: None,
    };

    fn email() -> Email {
        Email::try_new("ada@example.org").unwrap()
    }

    #[test]
    fn the_first_failures_are_free_and_each_further_one_doubles_the_delay_up_to_the_cap() {
        let mut attempts = Attempts::default();
        let mut now = NOW;
        let mut delays = Vec::new();
        for _ in 0..8 {
            now = attempts.admit(now).map_or_else(|until| until, |()| now);
            attempts.reserve(now, &POLICY);
            delays.push(attempts.delayed_until.map_or(0, |until| (until - now).whole_seconds()));
        }
        assert_eq!(delays, [0, 0, 0, 10, 20, 40, 60, 60]);
    }

    #[test]
    fn trying_during_a_delay_does_not_prolong_it() {
        let mut attempts = Attempts::default();
        for _ in 0..4 {
            attempts.reserve(NOW, &POLICY);
        }
        let until = attempts.admit(NOW).unwrap_err();
        assert_eq!(until, NOW + Duration::seconds(10));
        assert_eq!(attempts.admit(until - Duration::MICROSECOND), Err(until));
        assert_eq!(attempts.admit(until), Ok(()));
    }

    #[test]
    fn success_takes_back_its_own_failure_only() {
        let mut attempts = Attempts::default();
        for _ in 0..6 {
            attempts.reserve(NOW, &POLICY);
        }
        let owner = NOW + Duration::minutes(2);
        attempts.reserve(owner, &POLICY);
        attempts.give_back(owner, &POLICY);
        assert_eq!((attempts.failures, attempts.admit(owner)), (6, Ok(())), "the next sign-in is not delayed by this one");
        attempts.reserve(owner, &POLICY);
        attempts.reserve(owner + Duration::SECOND, &POLICY);
        attempts.give_back(owner, &POLICY);
        assert!(
            attempts.admit(owner + Duration::SECOND).is_err(),
            "a delay that another guess caused outlives the owner's success"
        );
    }

    #[test]
    fn parallel_sign_ins_of_the_owner_leave_nothing_behind() {
        let mut attempts = Attempts::default();
        for _ in 0..3 {
            assert_eq!(attempts.admit(NOW), Ok(()));
            attempts.reserve(NOW, &POLICY);
        }
        for _ in 0..3 {
            attempts.give_back(NOW, &POLICY);
        }
        assert_eq!((attempts.failures, attempts.delayed_until), (0, None));
    }

    #[test]
    fn a_hundred_failures_in_a_row_lock_and_neither_patience_nor_quiet_opens() {
        let policy = GuardPolicies::default().account;
        let mut attempts = Attempts::default();
        let mut now = NOW;
        for _ in 0..100 {
            assert!(!attempts.is_locked(&policy));
            now = attempts.admit(now).map_or_else(|until| until, |()| now);
            attempts.reserve(now, &policy);
        }
        assert!(attempts.is_locked(&policy) && attempts.admit(now + Duration::days(3_650)).is_err());
        attempts.give_back(now, &policy);
        assert_eq!(attempts.admit(now), Ok(()), "where the last one was right after all, it locks nobody out");
    }

    #[test]
    fn quiet_forgets() {
        let mut attempts = Attempts::default();
        for _ in 0..10 {
            attempts.reserve(NOW, &POLICY);
        }
        attempts.reserve(NOW + Duration::hours(1), &POLICY);
        assert_eq!((attempts.failures, attempts.delayed_until), (1, None));
    }

    #[test]
    fn a_known_device_is_counted_by_itself_alone() {
        let (device, ip) = (Uuid::nil(), "192.0.2.1".parse().unwrap());
        assert_eq!(guard_keys(&email(), Some(ip), Some(device)), [GuardKey::Device(email(), device)]);
        let unknown = guard_keys(&email(), Some(ip), None);
        assert_eq!(unknown, [GuardKey::Account(email()), GuardKey::Address(ip), GuardKey::Pair(email(), ip)]);
        assert!(unknown.is_sorted());
    }

    proptest! {
        #[test]
        fn an_hour_of_guessing_checks_no_more_than_the_budget(steps in prop::collection::vec(1_i64..5_000, 1..3_000)) {
            let policy = GuardPolicies::default().account;
            let mut attempts = Attempts::default();
            let (mut now, mut checked) = (NOW, 0);
            for step in steps {
                now += Duration::milliseconds(step);
                if now < NOW + Duration::hours(1) && attempts.admit(now).is_ok() {
                    attempts.reserve(now, &policy);
                    checked += 1;
                }
            }
            // 20 free, then delays of 30 s to 15 min, which add up to an hour with the eighth.
            prop_assert!(checked <= 29, "{checked}");
        }
    }
}
