//! The ids a request carries: its own, and its place in a distributed trace (W3C Trace Context, level 1).

use std::{
    cell::Cell,
    time::{SystemTime, UNIX_EPOCH},
};

use uuid::Uuid;

/// The longest request id that is taken over from a client.
const MAX_REQUEST_ID: usize = 128;

tokio::task_local! {
    static CURRENT: RequestContext;
}

/// The ids of the request being served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestContext {
    /// The client's, where it sent a usable one.
    pub request_id: RequestId,
    /// The client's trace, or a new one.
    pub trace_id: Uuid,
    /// Our span in that trace.
    pub span_id: u64,
    /// The caller's span, where it sent a usable one.
    pub caller: Option<CallerSpan>,
}

/// Whom a request comes from, as its `traceparent` has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallerSpan {
    /// The caller's span.
    pub span_id: u64,
    /// Whether its trace is recorded.
    pub sampled: bool,
}

/// A request's id, in the form it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestId {
    /// From the client, checked.
    Given(Box<str>),
    /// Made here.
    Made(Uuid),
}

impl RequestContext {
    /// From the values of `X-Request-Id` (or `X-Correlation-ID`) and `traceparent`; what is missing or malformed is made.
    pub fn of(request_id: Option<&[u8]>, traceparent: Option<&[u8]>) -> Self {
        let given = request_id.and_then(usable_request_id).map(|id| RequestId::Given(id.into()));
        let made = || RequestId::Made(new_id());
        let (trace_id, caller) = traceparent.and_then(caller_of).unzip();
        Self {
            request_id: given.unwrap_or_else(made),
            trace_id: trace_id.unwrap_or_else(new_id),
            span_id: random_u64().max(1),
            caller,
        }
    }

    /// That of the request being served by this task, or a fresh one outside of any.
    pub fn current() -> Self {
        Self::try_with(Clone::clone).unwrap_or_else(|| Self::of(None, None))
    }

    /// Reads that of the request being served by this task; `None` outside of any.
    pub fn try_with<T>(read: impl FnOnce(&Self) -> T) -> Option<T> {
        CURRENT.try_with(read).ok()
    }

    /// Runs `work` as part of this request.
    pub fn scope<F: Future>(self, work: F) -> impl Future<Output = F::Output> {
        CURRENT.scope(self, work)
    }

    /// Runs `work` as part of this request.
    pub fn sync_scope<T>(self, work: impl FnOnce() -> T) -> T {
        CURRENT.sync_scope(self, work)
    }
}

/// A client's request id: 1 to 128 of letters, digits, `.`, `_` and `-`.
pub fn usable_request_id(value: &[u8]) -> Option<&str> {
    let known = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    let fits = !value.is_empty() && value.len() <= MAX_REQUEST_ID && value.iter().all(known);
    if fits { std::str::from_utf8(value).ok() } else { None }
}

/// The trace of a `traceparent` header, and whom it comes from: `version-trace-parent-flags` in lower-case hex; later versions may
/// append fields. Zeros and version `ff` are invalid.
pub fn caller_of(traceparent: &[u8]) -> Option<(Uuid, CallerSpan)> {
    let (fixed, rest) = traceparent.split_at_checked(55)?;
    let dashes = fixed[2] == b'-' && fixed[35] == b'-' && fixed[52] == b'-';
    let version = hex(&fixed[..2])?;
    let whole = rest.is_empty() || (version > 0 && rest[0] == b'-');
    if !dashes || version == 0xff || !whole {
        return None;
    }
    let trace = hex(&fixed[3..35])?;
    let span_id = u64::try_from(hex(&fixed[36..52])?).ok()?;
    let sampled = hex(&fixed[53..55])? & 1 == 1;
    (trace != 0 && span_id != 0).then(|| (Uuid::from_u128(trace), CallerSpan { span_id, sampled }))
}

fn hex(digits: &[u8]) -> Option<u128> {
    digits.iter().try_fold(0_u128, |value, digit| {
        let digit = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(value << 4 | u128::from(digit))
    })
}

/// A `UUIDv7`. Its random part is from a generator of this thread, so that an id costs no system call: ids tell requests
/// apart, they protect nothing.
pub fn new_id() -> Uuid {
    let millis = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX));
    let mut random = [0; 10];
    random[..8].copy_from_slice(&random_u64().to_le_bytes());
    random[8..].copy_from_slice(&random_u64().to_le_bytes()[..2]);
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

/// `SplitMix64` (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014), seeded by the system once a
/// thread.
pub(super) fn random_u64() -> u64 {
    thread_local! {
        // Without the system's randomness the clock still keeps threads apart; ids then repeat at worst.
        static STATE: Cell<u64> = Cell::new(getrandom::u64().unwrap_or_else(|_| {
            SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |age| u64::from(age.subsec_nanos()) << 32 | age.as_secs())
        }));
    }
    let mut z = STATE.with(|state| {
        let next = state.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        state.set(next);
        next
    });
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_valid_traceparent_is_joined() {
        let trace = Uuid::from_u128(0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736);
        let expected = Some((trace, CallerSpan { span_id: 0x00f0_67aa_0ba9_02b7, sampled: true }));
        assert_eq!(caller_of(TRACE.as_bytes()), expected);
        let later = TRACE.replacen("00", "01", 1) + "-more";
        assert_eq!(caller_of(later.as_bytes()), expected, "a later version may append fields");
    }

    #[test]
    fn of_the_flags_the_lowest_bit_says_whether_the_trace_is_recorded() {
        for (flags, sampled) in [("00", false), ("01", true), ("02", false), ("03", true), ("fe", false), ("ff", true)] {
            let value = TRACE[..53].to_owned() + flags;
            assert_eq!(caller_of(value.as_bytes()).unwrap().1.sampled, sampled, "{flags}");
        }
    }

    #[test]
    fn an_invalid_traceparent_starts_a_new_trace() {
        for invalid in [
            "",
            "00",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-zz",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01more",
            "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(caller_of(invalid.as_bytes()), None, "{invalid}");
        }
    }

    #[test]
    fn request_ids_of_1_to_128_harmless_characters_are_taken() {
        for (value, fits) in [
            ("a", true),
            ("Ab.9_z-", true),
            (&"x".repeat(128), true),
            (&"x".repeat(129), false),
            ("", false),
            ("a b", false),
            ("a\r\nSet-Cookie: x", false),
            ("é", false),
            ("<script>", false),
        ] {
            assert_eq!(usable_request_id(value.as_bytes()).is_some(), fits, "{value}");
        }
    }

    #[test]
    fn made_ids_are_version_7_and_do_not_repeat() {
        let ids: std::collections::HashSet<_> = (0..10_000).map(|_| new_id()).collect();
        assert_eq!(ids.len(), 10_000);
        assert!(ids.iter().all(|id| id.get_version_num() == 7 && id.get_variant() == uuid::Variant::RFC4122));
    }

    proptest! {
        #[test]
        fn no_header_bytes_panic(value in prop::collection::vec(any::<u8>(), 0..200)) {
            let context = RequestContext::of(Some(&value), Some(&value));
            prop_assert!(!context.trace_id.is_nil());
        }

        #[test]
        fn damage_to_a_traceparent_never_panics(at in 0..55_usize, byte: u8, cut in 0..60_usize) {
            let mut value = TRACE.as_bytes().to_vec();
            value[at] = byte;
            value.truncate(cut);
            caller_of(&value);
        }
    }
}
