use coinlink_domain::market::FearGreed;
use coinlink_upstream::{ExactDecimal, lenient, plain_text};
use rust_decimal::prelude::ToPrimitive as _;
use serde::Deserialize;
use serde_json::value::RawValue;
use time::{Duration, OffsetDateTime};

const LONGEST_LABEL: usize = 40;
/// An update that is further away is a mistake: there is one a day.
const FURTHEST: Duration = Duration::days(2);

/// `/fng/`, as far as it is used.
#[derive(Debug, Deserialize)]
pub(crate) struct Answer<'a> {
    #[serde(borrow, default)]
    pub(crate) data: Option<&'a RawValue>,
    #[serde(default, deserialize_with = "lenient")]
    metadata: Option<Metadata>,
}

#[derive(Debug, Deserialize)]
struct Metadata {
    #[serde(default)]
    error: Option<Box<RawValue>>,
}

impl Answer<'_> {
    /// The error that the answer tells of, for people.
    pub(crate) fn error(&self) -> Option<&str> {
        let error = self.metadata.as_ref()?.error.as_deref()?.get();
        (error != "null").then_some(error)
    }
}

/// The index of one day.
#[derive(Debug, Deserialize)]
pub(crate) struct Row {
    #[serde(default)]
    value: ExactDecimal,
    value_classification: String,
    #[serde(default)]
    timestamp: ExactDecimal,
    /// Only on the newest row.
    #[serde(default)]
    time_until_update: ExactDecimal,
}

impl Row {
    /// `None` where a figure is not what it must be.
    pub(crate) fn into_index(self, received: OffsetDateTime) -> Option<FearGreed> {
        let value = whole(self.value)?;
        let value = u8::try_from(value).ok().filter(|value| *value <= 100)?;
        let label = plain_text(&self.value_classification, LONGEST_LABEL);
        if label.is_empty() {
            return None;
        }
        let as_of = OffsetDateTime::from_unix_timestamp(whole(self.timestamp)?).ok()?;
        let left = whole(self.time_until_update).map(Duration::seconds);
        let left = left.filter(|left| (Duration::ZERO..=FURTHEST).contains(left));
        Some(FearGreed {
            value,
            label: label.into(),
            // A day still to come would never grow old.
            as_of: as_of.min(received),
            next_at: left.and_then(|left| received.checked_add(left)),
        })
    }
}

fn whole(figure: ExactDecimal) -> Option<i64> {
    figure.0.filter(|figure| figure.fract().is_zero())?.to_i64()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_row_panics_and_what_is_kept_is_an_index(value in "[-0-9.e\"]{0,8}", label in "\\PC{0,50}", timestamp: i64, left: i64) {
            let json = format!(r#"{{"value":"{value}","value_classification":{label:?},"timestamp":"{timestamp}","time_until_update":"{left}"}}"#);
            let Ok(row) = serde_json::from_str::<Row>(&json) else { return Ok(()) };
            if let Some(index) = row.into_index(OffsetDateTime::UNIX_EPOCH) {
                prop_assert!(index.value <= 100 && !index.label.is_empty());
                prop_assert!(index.as_of <= OffsetDateTime::UNIX_EPOCH);
            }
        }

        #[test]
        fn no_text_panics(text in r#"[\[\]{}",:0-9a-zA-Z_.+-]{0,60}"#) {
            let _ = serde_json::from_str::<Row>(&text).ok().and_then(|row| row.into_index(OffsetDateTime::UNIX_EPOCH));
            if let Ok(answer) = serde_json::from_str::<Answer<'_>>(&text) {
                let _ = answer.error();
            }
        }
    }
}
