//! How full the windows are that a request was counted in, as headers: `X-RateLimit-*`, which clients know, and the structured
//! fields of draft-ietf-httpapi-ratelimit-headers-11.

use std::fmt::Write as _;

use actix_web::http::header::{HeaderMap, HeaderValue};
use coinlink_application::shared::GateOutcome;
use coinlink_domain::shared::{
    rate_limit::{Charge, RateClass, RateSubject},
    sliding_window::WindowPolicy,
};
use coinlink_ports::shared::WindowState;
use time::{Duration, OffsetDateTime};

use crate::wire::seconds_up;

use super::super::headers::{RATELIMIT, RATELIMIT_POLICY, X_RATELIMIT_LIMIT, X_RATELIMIT_REMAINING, X_RATELIMIT_RESET};

/// One window: what was counted, against which limit, and how full it is now.
pub type Window = (Charge, WindowPolicy, WindowState);

/// The windows one request was counted in, in that order.
#[derive(Debug, Default)]
pub(super) struct Windows {
    windows: Vec<Window>,
    /// Whether the last of them was full.
    limited: bool,
}

impl Windows {
    /// Those of one answer of the gate.
    pub(super) fn of(outcome: GateOutcome) -> Self {
        Self { windows: outcome.windows, limited: outcome.limited }
    }

    /// Adds those a later step was counted in.
    pub(super) fn extend(&mut self, later: Self) {
        self.windows.extend(later.windows);
        self.limited |= later.limited;
    }

    /// Whether nothing was counted.
    pub(super) fn is_empty(&self) -> bool {
        self.windows.is_empty()
    }

    /// The one that was full.
    pub(super) fn full(&self) -> Option<RateClass> {
        self.windows.last().filter(|_| self.limited).map(|(charge, ..)| charge.class)
    }

    /// Seconds after which the full one takes one more.
    pub(super) fn retry_after(&self) -> u32 {
        let wait = self.windows.last().map_or(Duration::ZERO, |(_, _, state)| state.next_free_in);
        u32::try_from(seconds_up(wait).max(1)).unwrap_or(u32::MAX)
    }

    /// The one a client meets first: the full one, else that with the fewest requests left.
    fn tightest(&self) -> Option<&Window> {
        if self.limited { self.windows.last() } else { self.shown().min_by_key(|(_, _, state)| state.remaining) }
    }

    /// Those that are told of. How often others tried an account is nobody's business: its window shows only once it is full.
    fn shown(&self) -> impl Iterator<Item = &Window> {
        let last = self.windows.len().saturating_sub(1);
        let is_shown =
            move |at: usize, charge: &Charge| !matches!(charge.subject, RateSubject::Account(_)) || (self.limited && at == last);
        self.windows.iter().enumerate().filter(move |(at, (charge, ..))| is_shown(*at, charge)).map(|(_, window)| window)
    }

    /// Tells of them, at `now`. Nothing where nothing was counted.
    pub(super) fn stamp(&self, headers: &mut HeaderMap, now: OffsetDateTime) {
        let Some((_, policy, state)) = self.tightest() else { return };
        let free_at = seconds_up(now - OffsetDateTime::UNIX_EPOCH + state.next_free_in);
        headers.insert(X_RATELIMIT_LIMIT, policy.limit.into());
        headers.insert(X_RATELIMIT_REMAINING, state.remaining.into());
        headers.insert(X_RATELIMIT_RESET, free_at.into());
        let (mut policies, mut states) = (String::with_capacity(64), String::with_capacity(64));
        for (at, (charge, policy, state)) in self.shown().enumerate() {
            let (comma, name) = (if at == 0 { "" } else { ", " }, name(charge));
            // Writing to a String does not fail.
            let _ = write!(policies, "{comma}\"{name}\";q={};w={}", policy.limit, seconds_up(policy.window));
            let _ = write!(states, "{comma}\"{name}\";r={};t={}", state.remaining, seconds_up(state.next_free_in));
        }
        for (name, value) in [(RATELIMIT_POLICY, policies), (RATELIMIT, states)] {
            // Names and numbers: always a header value.
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(name, value);
            }
        }
    }
}

/// What a policy is called: its class, and which of several where one request is counted in more than one.
const fn name(charge: &Charge) -> &'static str {
    match (charge.class, charge.subject) {
        (RateClass::Credentials, RateSubject::Account(_)) => "credentials_account",
        (RateClass::Credentials, RateSubject::Device(_)) => "credentials_device",
        (RateClass::Credentials, RateSubject::User(_)) => "credentials_user",
        (class, _) => class.name(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sfv::{BareItem, List, ListEntry, Parser};
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-01-01 0:00:00.25 UTC);

    fn window(class: RateClass, subject: RateSubject, limit: u32, remaining: u32, next_free_in: Duration) -> Window {
        let policy = WindowPolicy { limit, window: Duration::MINUTE };
        (Charge { class, subject }, policy, WindowState { remaining, next_free_in })
    }

    fn by_address(class: RateClass, limit: u32, remaining: u32, next_free_in: Duration) -> Window {
        window(class, RateSubject::Address([203, 0, 113, 7].into()), limit, remaining, next_free_in)
    }

    fn stamped(windows: Vec<Window>, limited: bool) -> HeaderMap {
        let mut headers = HeaderMap::new();
        Windows { windows, limited }.stamp(&mut headers, NOW);
        headers
    }

    fn text(headers: &HeaderMap, name: &str) -> String {
        headers.get(name).unwrap().to_str().unwrap().to_owned()
    }

    /// Each member of a list: its name and its parameters.
    fn members(field: &str) -> Vec<(String, Vec<(String, i64)>)> {
        let list: List = Parser::new(field).parse().unwrap();
        let member = |entry: ListEntry| {
            let ListEntry::Item(item) = entry else { panic!("an inner list in {field}") };
            let BareItem::String(name) = item.bare_item else { panic!("no name in {field}") };
            let number = |value: &BareItem| i64::from(value.as_integer().unwrap());
            let parameters = item.params.iter().map(|(key, value)| (key.to_string(), number(value))).collect();
            (String::from(name), parameters)
        };
        list.into_iter().map(member).collect()
    }

    #[test]
    fn one_window_is_told_in_both_ways_with_every_moment_rounded_up() {
        let headers = stamped(vec![by_address(RateClass::Anonymous, 100, 99, Duration::milliseconds(11_500))], false);
        assert_eq!(text(&headers, "ratelimit-policy"), "\"anonymous\";q=100;w=60");
        assert_eq!(text(&headers, "ratelimit"), "\"anonymous\";r=99;t=12");
        let free_at = NOW.unix_timestamp() + 12;
        assert_eq!(text(&headers, "x-ratelimit-reset"), free_at.to_string(), "0.25 + 11.5 is in the twelfth second");
        assert_eq!((text(&headers, "x-ratelimit-limit"), text(&headers, "x-ratelimit-remaining")), ("100".into(), "99".into()));
    }

    #[test]
    fn of_two_windows_the_tighter_one_is_told_to_those_who_read_only_one() {
        let address = by_address(RateClass::Credentials, 10, 7, Duration::seconds(10));
        let device = window(RateClass::Credentials, RateSubject::Device(uuid::Uuid::nil()), 10, 3, Duration::seconds(20));
        let headers = stamped(vec![address, device], false);
        assert_eq!(text(&headers, "x-ratelimit-remaining"), "3");
        assert_eq!(text(&headers, "ratelimit"), "\"credentials\";r=7;t=10, \"credentials_device\";r=3;t=20");
        let account = window(RateClass::Credentials, RateSubject::Account([1; 16]), 10, 3, Duration::seconds(20));
        let headers = stamped(vec![address, account], false);
        assert_eq!(text(&headers, "x-ratelimit-remaining"), "7", "what others did to an account is not told");
        assert_eq!(text(&headers, "ratelimit"), "\"credentials\";r=7;t=10");
        let used_up = by_address(RateClass::Credentials, 10, 0, Duration::seconds(50));
        let full = window(RateClass::Credentials, RateSubject::Account([1; 16]), 5, 0, Duration::seconds(20));
        let headers = stamped(vec![used_up, full], true);
        assert_eq!(text(&headers, "x-ratelimit-limit"), "5", "the full one, not the one that was used up by this request");
    }

    #[test]
    fn where_nothing_was_counted_nothing_is_told() {
        assert!(stamped(Vec::new(), false).is_empty());
    }

    #[test]
    fn a_wait_is_told_in_whole_seconds_and_never_as_none() {
        for (wait, expected) in [
            (Duration::ZERO, 1),
            (Duration::NANOSECOND, 1),
            (Duration::SECOND, 1),
            (Duration::SECOND + Duration::NANOSECOND, 2),
            (Duration::seconds(60), 60),
        ] {
            let windows = Windows { windows: vec![by_address(RateClass::Price, 1, 0, wait)], limited: true };
            assert_eq!((windows.retry_after(), windows.full()), (expected, Some(RateClass::Price)), "{wait}");
        }
    }

    proptest! {
        #[test]
        fn the_fields_are_structured_and_say_what_was_counted(
            counted in prop::collection::vec((0..RateClass::ALL.len(), 1..10_000_u32, 0..10_000_u32, 0..60_000_000_i64), 1..4),
            limited: bool,
        ) {
            let window = |&(class, limit, remaining, micros): &(usize, u32, u32, i64)| {
                by_address(RateClass::ALL[class], limit, remaining, Duration::microseconds(micros))
            };
            let windows: Vec<_> = counted.iter().map(window).collect();
            let headers = stamped(windows.clone(), limited);
            let number = |value: u32| i64::from(value);
            let expected = |(charge, policy, state): &Window| {
                let seconds = (state.next_free_in.whole_microseconds() + 999_999) / 1_000_000;
                let name = charge.class.name().to_owned();
                let policy = (name.clone(), vec![("q".to_owned(), number(policy.limit)), ("w".to_owned(), 60)]);
                let t = i64::try_from(seconds).unwrap();
                (policy, (name, vec![("r".to_owned(), number(state.remaining)), ("t".to_owned(), t)]))
            };
            let (policies, states): (Vec<_>, Vec<_>) = windows.iter().map(expected).unzip();
            prop_assert_eq!(members(&text(&headers, "ratelimit-policy")), policies);
            prop_assert_eq!(members(&text(&headers, "ratelimit")), states);
        }
    }
}
