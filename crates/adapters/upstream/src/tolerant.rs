//! Reading JSON of providers, who add fields, send null for anything and now and then a row that makes no sense.

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::value::RawValue;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// The elements of a JSON array that are a `T`; one bad element costs only itself.
pub fn rows<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<Vec<T>, serde_json::Error> {
    let raw: Vec<&RawValue> = serde_json::from_slice(bytes)?;
    Ok(raw.into_iter().filter_map(|row| serde_json::from_str(row.get()).ok()).collect())
}

/// For a field that may be anything: `None` where it is not a `T`. Use with `#[serde(default)]`.
pub fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Option<T>, D::Error> {
    let raw = Box::<RawValue>::deserialize(deserializer)?;
    Ok(serde_json::from_str(raw.get()).ok())
}

/// A moment in RFC 3339, at most nine digits after the second, of the years 1970 to 9998: no price is from outside them,
/// and at the calendar's ends arithmetic with time zones fails.
#[must_use]
pub fn instant(text: &str) -> Option<OffsetDateTime> {
    let at = OffsetDateTime::parse(text.trim(), &Rfc3339).ok()?.checked_to_offset(time::UtcOffset::UTC)?;
    (1970..9999).contains(&at.year()).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use time::macros::datetime;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Row {
        id: u32,
        #[serde(default, deserialize_with = "lenient")]
        name: Option<String>,
    }

    #[test]
    fn a_bad_row_costs_only_itself_and_a_bad_field_not_even_its_row() {
        let read = rows::<Row>(br#"[{"id":1,"name":"a","new":{}},{"id":"x"},null,{"id":2,"name":7},{"id":3}]"#).unwrap();
        let names: Vec<_> = read.iter().map(|row| (row.id, row.name.as_deref())).collect();
        assert_eq!(names, [(1, Some("a")), (2, None), (3, None)]);
    }

    #[test]
    fn a_moment_is_read_to_the_nanosecond_and_told_in_utc() {
        assert_eq!(instant("2026-01-01T01:00:00.123456789+01:00"), Some(datetime!(2026-01-01 0:00:00.123456789 UTC)));
        assert_eq!(instant("yesterday"), None);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,60}") {
            let _ = instant(&text);
            let _ = rows::<Row>(text.as_bytes());
        }
    }

    #[test]
    fn moments_at_the_ends_of_the_calendar_are_none() {
        for text in ["9999-12-31T23:59:59-23:59", "0000-01-01T00:00:00+23:59", "9999-12-31T23:59:59Z", "1969-12-31T23:59:59Z"] {
            assert_eq!(instant(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_date_panics_whatever_its_year_and_zone(year in 0_u32..=9999, month in 1_u32..=12, day in 1_u32..=31, hour in 0_u32..24, zone in 0_u32..24, west: bool) {
            let sign = if west { '-' } else { '+' };
            if let Some(at) = instant(&format!("{year:04}-{month:02}-{day:02}T{hour:02}:59:59{sign}{zone:02}:59")) {
                prop_assert!((1970..9999).contains(&at.year()));
            }
        }
    }
}
