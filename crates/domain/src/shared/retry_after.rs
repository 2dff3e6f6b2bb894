//! The `Retry-After` header in every form it comes in (RFC 9110, section 10.2.3): seconds, an HTTP date, or nothing.

use time::{Duration, OffsetDateTime, PrimitiveDateTime, format_description::FormatItem, macros::format_description};

/// The longest wait that is believed; beyond it a typing error at the provider would switch it off for months.
pub const LONGEST: Duration = Duration::DAY;

const HTTP_DATE: &[FormatItem<'static>] =
    format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");

/// How long to wait, as of `now`: `None` where the value is in no known form. A date that has passed is a wait of zero;
/// no wait is longer than [`LONGEST`].
#[must_use]
pub fn parse(value: &str, now: OffsetDateTime) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        let seconds = value.parse().unwrap_or(i64::MAX);
        return Some(Duration::seconds(seconds).min(LONGEST));
    }
    let date = PrimitiveDateTime::parse(value, HTTP_DATE).ok()?.assume_utc();
    Some((date - now).clamp(Duration::ZERO, LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-10-21 7:28:00 UTC);

    #[test]
    fn every_form_is_understood() {
        for (value, expected) in [
            ("120", Some(Duration::seconds(120))),
            (" 0 ", Some(Duration::ZERO)),
            ("Wed, 21 Oct 2026 07:28:30 GMT", Some(Duration::seconds(30))),
            ("Wed, 21 Oct 2015 07:28:00 GMT", Some(Duration::ZERO)),
            ("99999999999999999999999", Some(LONGEST)),
            ("", None),
            ("soon", None),
            ("-1", None),
            ("1.5", None),
        ] {
            assert_eq!(parse(value, NOW), expected, "{value:?}");
        }
    }

    proptest! {
        #[test]
        fn no_value_panics_or_waits_longer_than_a_day(value in ".{0,64}") {
            if let Some(wait) = parse(&value, NOW) {
                prop_assert!(wait >= Duration::ZERO && wait <= LONGEST);
            }
        }
    }
}
