//! Which source is asked when, and whose answer counts.

use time::{Duration, OffsetDateTime};

use crate::shared::{
    breaker::{Admission, Breaker, BreakerPolicy},
    quota::QuotaVerdict,
    retry_budget::RetryBudget,
    upstream_failure::FailureClass,
};

use super::Source;

/// How one source may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourcePolicy {
    /// The source.
    pub source: Source,
    /// How long it serves the same answer itself: asking sooner re-reads the same bytes. Data older than twice this is
    /// stale.
    pub period: Duration,
    /// Its circuit breaker.
    pub breaker: BreakerPolicy,
}

/// A quota failure without a time is believed for this long.
const DEFAULT_QUOTA_REST: Duration = Duration::seconds(60);
/// Wrong settings, or a key that was refused, are tried again this late: the provider may have been wrong.
const CONFIG_REST: Duration = Duration::minutes(15);
/// Good answers in a row before a recovered source takes over from one that works.
const GOOD_PROBES: u32 = 2;
/// Ticks are not exactly on time: a source is due this much early.
const SLACK: Duration = Duration::milliseconds(250);
/// Clocks are put right by less than this all the time.
const CLOCK_STEP: Duration = Duration::seconds(5);
/// How much longer a source's period gets when its month is nearly used up.
const STRETCH: i32 = 4;

/// A time until something. It is over as well where the clock shows less than when it began: that clock has been set back, and would
/// make it longer by as much.
#[derive(Debug, Clone, Copy)]
struct Wait {
    from: OffsetDateTime,
    until: OffsetDateTime,
}

impl Wait {
    fn of(length: Duration, now: OffsetDateTime) -> Self {
        Self { from: now, until: now + length }
    }

    fn lasts(self, now: OffsetDateTime) -> bool {
        now + CLOCK_STEP >= self.from && now + SLACK < self.until
    }
}

#[derive(Debug, Clone)]
struct State {
    policy: SourcePolicy,
    breaker: Breaker,
    budget: RetryBudget,
    /// Not asked before; `None` is at once.
    due: Option<Wait>,
    misconfigured: bool,
    stretched: bool,
    good_in_a_row: u32,
}

/// The sources in the order of preference, and the one whose list is shown.
#[derive(Debug, Clone)]
pub struct Sourcing {
    states: Vec<State>,
    active: Option<Source>,
    current: Option<Wait>,
}

/// Whether a source may be asked now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// Ask, and report.
    Ask,
    /// Its last answer is still what it would answer.
    NotDue,
    /// Its breaker is open, its quota spent or its settings wrong.
    Unavailable,
}

impl Sourcing {
    /// Sources in the order of preference.
    #[must_use]
    pub fn new(policies: &[SourcePolicy]) -> Self {
        let state = |&policy| State {
            policy,
            breaker: Breaker::default(),
            budget: RetryBudget::default(),
            due: None,
            misconfigured: false,
            stretched: false,
            good_in_a_row: 0,
        };
        Self { states: policies.iter().map(state).collect(), active: None, current: None }
    }

    /// The source whose list is shown.
    #[must_use]
    pub const fn active(&self) -> Option<Source> {
        self.active
    }

    /// The sources, preferred first.
    pub fn order(&self) -> impl Iterator<Item = Source> + '_ {
        self.states.iter().map(|state| state.policy.source)
    }

    /// How long `source` serves the same answer.
    #[must_use]
    pub fn period(&self, source: Source) -> Option<Duration> {
        self.states.iter().find(|state| state.policy.source == source).map(|state| state.policy.period)
    }

    /// Whether prices of `source` belong into this list: made-up ones are never mixed with real ones.
    #[must_use]
    pub fn mixes_with(&self, source: Source) -> bool {
        self.states.iter().all(|state| state.policy.source.is_real() == source.is_real())
    }

    /// Whether the list is still what its source would answer, so that nobody else need be asked.
    #[must_use]
    pub fn is_current(&self, now: OffsetDateTime) -> bool {
        self.current.is_some_and(|wait| wait.lasts(now))
    }

    /// Whether `source` is preferred over the active one: it is asked even while the list is current, to see whether it
    /// is back.
    #[must_use]
    pub fn is_preferred(&self, source: Source) -> bool {
        let place = |wanted| self.order().position(|source| source == wanted);
        self.active.is_none_or(|active| place(source) < place(active))
    }

    /// Asks to call `source`. An admitted call must be reported by [`Sourcing::succeeded`] or [`Sourcing::failed`].
    pub fn admit(&mut self, source: Source, now: OffsetDateTime) -> Attempt {
        let Some(state) = self.state(source) else { return Attempt::Unavailable };
        if state.due.is_some_and(|due| due.lasts(now)) {
            return if state.misconfigured { Attempt::Unavailable } else { Attempt::NotDue };
        }
        match state.breaker.admit(now, state.policy.breaker) {
            Admission::Call | Admission::Probe => {
                state.budget.deposit();
                Attempt::Ask
            }
            Admission::Refuse { .. } => Attempt::Unavailable,
        }
    }

    /// Whether a failed call may be repeated once: the failure is of that kind and the budget has it.
    pub fn may_retry(&mut self, source: Source, class: FailureClass) -> bool {
        matches!(class, FailureClass::Transient { retryable: true })
            && self.state(source).is_some_and(|state| matches!(state.breaker, Breaker::Closed { .. }) && state.budget.withdraw())
    }

    /// `source` answered. `true` when its answer is now the list: it is the active source or a better one that has
    /// proved itself, or nobody else has a current list.
    pub fn succeeded(&mut self, source: Source, now: OffsetDateTime) -> bool {
        let current = self.is_current(now);
        let preferred = self.is_preferred(source);
        let active = self.active;
        let Some(state) = self.state(source) else { return false };
        state.breaker.record(true, now, state.policy.breaker);
        state.misconfigured = false;
        state.good_in_a_row = state.good_in_a_row.saturating_add(1);
        let period = state.policy.period * if state.stretched { STRETCH } else { 1 };
        state.due = Some(Wait::of(period, now));
        let takes_over =
            active == Some(source) || !current || (preferred && (active.is_none() || state.good_in_a_row >= GOOD_PROBES));
        if takes_over {
            self.active = Some(source);
            self.current = Some(Wait::of(period, now));
        }
        takes_over
    }

    /// `source` failed.
    pub fn failed(&mut self, source: Source, class: FailureClass, now: OffsetDateTime) {
        let Some(state) = self.state(source) else { return };
        state.good_in_a_row = 0;
        match class {
            FailureClass::Transient { .. } => state.breaker.record(false, now, state.policy.breaker),
            FailureClass::Quota { retry_after } => state.due = Some(Wait::of(retry_after.unwrap_or(DEFAULT_QUOTA_REST), now)),
            FailureClass::Config => {
                state.misconfigured = true;
                state.due = Some(Wait::of(CONFIG_REST, now));
            }
            FailureClass::Data => {}
        }
    }

    /// Takes over a list that another node got from `source`, as old as it says. `false` when the source would no longer
    /// answer the same.
    pub fn adopt(&mut self, source: Source, as_of: OffsetDateTime, now: OffsetDateTime) -> bool {
        let Some(state) = self.state(source) else { return false };
        // A node whose clock is ahead got it no later than now.
        let wait = Wait { from: now, until: as_of.min(now) + state.policy.period };
        if wait.until <= now {
            return false;
        }
        state.due = Some(wait);
        self.active = Some(source);
        self.current = Some(wait);
        true
    }

    /// What the ledger says of the call about to be made. `false`: do not make it.
    pub fn budgeted(&mut self, source: Source, verdict: QuotaVerdict, now: OffsetDateTime) -> bool {
        let Some(state) = self.state(source) else { return false };
        state.stretched = verdict == QuotaVerdict::Stretch;
        if verdict == QuotaVerdict::Exhausted {
            state.due = Some(Wait::of(DEFAULT_QUOTA_REST, now));
        }
        verdict != QuotaVerdict::Exhausted
    }

    /// 0 closed, 1 probing, 2 open (or misconfigured): the metric.
    #[must_use]
    pub fn breaker_state(&self, source: Source) -> u8 {
        self.states.iter().find(|state| state.policy.source == source).map_or(0, |state| match state.breaker {
            _ if state.misconfigured => 2,
            Breaker::Closed { .. } => 0,
            Breaker::Probing { .. } => 1,
            Breaker::Open { .. } => 2,
        })
    }

    fn state(&mut self, source: Source) -> Option<&mut State> {
        self.states.iter_mut().find(|state| state.policy.source == source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-01-01 0:00 UTC);
    const TRANSIENT: FailureClass = FailureClass::Transient { retryable: false };

    fn sourcing() -> Sourcing {
        let policy =
            |source, seconds| SourcePolicy { source, period: Duration::seconds(seconds), breaker: BreakerPolicy::default() };
        Sourcing::new(&[policy(Source::CoinGecko, 60), policy(Source::Coinbase, 5), policy(Source::Kraken, 5)])
    }

    fn at(seconds: i64) -> OffsetDateTime {
        NOW + Duration::seconds(seconds)
    }

    #[test]
    fn a_source_is_asked_once_a_period_while_it_answers_and_every_tick_while_it_fails() {
        let mut sourcing = sourcing();
        let mut asked = 0;
        for tick in 0..120 {
            if sourcing.admit(Source::CoinGecko, at(tick * 5)) == Attempt::Ask {
                asked += 1;
                assert!(sourcing.succeeded(Source::CoinGecko, at(tick * 5)));
            }
        }
        assert_eq!(asked, 10, "ten minutes of a 60 s cache");
        for tick in 120..125 {
            assert_eq!(sourcing.admit(Source::CoinGecko, at(tick * 5)), Attempt::Ask);
            sourcing.failed(Source::CoinGecko, TRANSIENT, at(tick * 5));
        }
        assert_eq!(sourcing.admit(Source::CoinGecko, at(625)), Attempt::Unavailable, "five failures opened the breaker");
        assert_eq!(sourcing.admit(Source::CoinGecko, at(650)), Attempt::Ask, "one probe after 30 s");
    }

    #[test]
    fn a_better_source_comes_back_on_its_second_good_answer() {
        let mut sourcing = sourcing();
        sourcing.failed(Source::CoinGecko, TRANSIENT, NOW);
        assert!(sourcing.succeeded(Source::Coinbase, NOW));
        assert!(!sourcing.succeeded(Source::CoinGecko, at(1)), "one good answer is no proof while another source works");
        assert!(sourcing.succeeded(Source::Coinbase, at(5)));
        sourcing.failed(Source::CoinGecko, TRANSIENT, at(6));
        assert!(!sourcing.succeeded(Source::CoinGecko, at(7)), "a failure starts the proof again");
        assert!(sourcing.succeeded(Source::CoinGecko, at(8)));
        assert_eq!(sourcing.active(), Some(Source::CoinGecko));
    }

    #[test]
    fn when_nobody_has_a_current_list_the_first_answer_counts() {
        let mut sourcing = sourcing();
        assert!(sourcing.succeeded(Source::Coinbase, NOW));
        assert!(sourcing.succeeded(Source::CoinGecko, at(5)), "Coinbase's list has run out");
    }

    #[test]
    fn a_clock_that_is_set_back_makes_no_wait_longer() {
        let hour = 3_600;
        let mut sourcing = sourcing();
        assert!(sourcing.succeeded(Source::Kraken, at(hour)));
        sourcing.failed(Source::CoinGecko, FailureClass::Config, at(hour));
        assert_eq!(sourcing.admit(Source::Kraken, at(hour - 3)), Attempt::NotDue, "clocks are put right by little all the time");
        assert!(!sourcing.is_current(NOW), "what was current an hour from now");
        assert_eq!(sourcing.admit(Source::Kraken, NOW), Attempt::Ask);
        assert_eq!(sourcing.admit(Source::CoinGecko, NOW), Attempt::Ask);
        assert!(sourcing.succeeded(Source::Kraken, NOW));
        assert_eq!(sourcing.admit(Source::Kraken, at(4)), Attempt::NotDue, "and the next one is as long as ever");
    }

    #[test]
    fn a_list_from_a_node_whose_clock_is_ahead_is_good_for_one_period() {
        let mut sourcing = sourcing();
        assert!(sourcing.adopt(Source::Kraken, at(3_600), NOW));
        assert_eq!(sourcing.admit(Source::Kraken, at(4)), Attempt::NotDue);
        assert_eq!(sourcing.admit(Source::Kraken, at(5)), Attempt::Ask);
    }

    #[test]
    fn a_quota_answer_rests_the_source_and_leaves_its_breaker_alone() {
        let mut sourcing = sourcing();
        for _ in 0..10 {
            sourcing.failed(Source::Kraken, FailureClass::Quota { retry_after: None }, NOW);
        }
        assert_eq!(sourcing.breaker_state(Source::Kraken), 0);
        assert_eq!(sourcing.admit(Source::Kraken, at(59)), Attempt::NotDue);
        assert_eq!(sourcing.admit(Source::Kraken, at(60)), Attempt::Ask);
        sourcing.failed(Source::Kraken, FailureClass::Quota { retry_after: Some(Duration::seconds(7)) }, at(60));
        assert_eq!(sourcing.admit(Source::Kraken, at(67)), Attempt::Ask);
    }

    #[test]
    fn wrong_settings_switch_a_source_off_at_once_and_are_tried_again_later() {
        let mut sourcing = sourcing();
        sourcing.failed(Source::CoinGecko, FailureClass::Config, NOW);
        assert_eq!(sourcing.admit(Source::CoinGecko, at(899)), Attempt::Unavailable);
        assert_eq!(sourcing.breaker_state(Source::CoinGecko), 2);
        assert_eq!(sourcing.admit(Source::CoinGecko, at(900)), Attempt::Ask);
        sourcing.succeeded(Source::CoinGecko, at(900));
        assert_eq!(sourcing.breaker_state(Source::CoinGecko), 0);
    }

    #[test]
    fn a_nearly_spent_month_stretches_the_period_and_a_spent_one_stops_the_calls() {
        let mut sourcing = sourcing();
        assert!(sourcing.budgeted(Source::CoinGecko, QuotaVerdict::Stretch, NOW));
        sourcing.succeeded(Source::CoinGecko, NOW);
        assert_eq!(sourcing.admit(Source::CoinGecko, at(239)), Attempt::NotDue);
        assert_eq!(sourcing.admit(Source::CoinGecko, at(240)), Attempt::Ask);
        assert!(!sourcing.budgeted(Source::CoinGecko, QuotaVerdict::Exhausted, at(240)));
        assert_eq!(sourcing.admit(Source::CoinGecko, at(299)), Attempt::NotDue);
    }

    #[test]
    fn only_failures_worth_it_are_retried_and_only_within_the_budget() {
        let mut sourcing = sourcing();
        let retryable = FailureClass::Transient { retryable: true };
        assert!(!sourcing.may_retry(Source::Kraken, FailureClass::Quota { retry_after: None }));
        assert!(!sourcing.may_retry(Source::Kraken, TRANSIENT));
        assert!(sourcing.may_retry(Source::Kraken, retryable));
        assert!(!sourcing.may_retry(Source::Kraken, retryable), "the budget is spent");
    }
}
