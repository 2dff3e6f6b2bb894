//! Kraken's errors: words in a list, with status 200.

use coinlink_domain::shared::{retry_after, upstream_failure::FailureClass};
use coinlink_upstream::{ProviderError, graver, lenient};
use serde::Deserialize;
use time::{Duration, OffsetDateTime};

#[derive(Deserialize)]
struct Envelope {
    #[serde(default, deserialize_with = "lenient")]
    error: Option<Vec<String>>,
}

/// For answers with another status: the same list, if there is one.
pub(crate) fn read(body: &[u8]) -> Option<ProviderError> {
    let errors = serde_json::from_slice::<Envelope>(body).ok()?.error?;
    told(&errors, None)
}

/// What the list says; `None` where it is empty. `now` dates a throttling that names its end.
pub(crate) fn told(errors: &[String], now: Option<OffsetDateTime>) -> Option<ProviderError> {
    let class = errors.iter().map(|error| class(error, now)).reduce(graver)?;
    Some(ProviderError { class: Some(class), message: errors.join(", ") })
}

fn class(error: &str, now: Option<OffsetDateTime>) -> FailureClass {
    let (category, rest) = error.split_once(':').unwrap_or((error, ""));
    let rest = rest.trim();
    let starts = |words: &str| rest.to_ascii_lowercase().starts_with(words);
    match category {
        "EService" if starts("throttled") => FailureClass::Quota { retry_after: now.and_then(|now| until(rest, now)) },
        "EAPI" | "EOrder" if starts("rate limit") => FailureClass::Quota { retry_after: None },
        "EGeneral" if starts("temporary lockout") => FailureClass::Quota { retry_after: None },
        // In other words, 503.
        "EService" => FailureClass::Transient { retryable: true },
        "EAPI" => FailureClass::Config,
        "EGeneral" if starts("permission denied") => FailureClass::Config,
        "EQuery" => FailureClass::Data,
        "EGeneral" if starts("invalid arguments") || starts("unknown method") => FailureClass::Data,
        _ => FailureClass::Transient { retryable: false },
    }
}

/// `Throttled: 1767225600` names the moment as UNIX seconds.
fn until(words: &str, now: OffsetDateTime) -> Option<Duration> {
    let seconds = words.rsplit(':').next()?.trim().parse().ok()?;
    let until = OffsetDateTime::from_unix_timestamp(seconds).ok()?;
    Some((until - now).clamp(Duration::ZERO, retry_after::LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-01-01 0:00 UTC);
    const QUOTA: FailureClass = FailureClass::Quota { retry_after: None };

    #[test]
    fn every_word_has_its_class() {
        let throttled = format!("EService:Throttled: {}", NOW.unix_timestamp() + 7);
        for (error, expected) in [
            (throttled.as_str(), FailureClass::Quota { retry_after: Some(Duration::seconds(7)) }),
            ("EService:Throttled: 1", FailureClass::Quota { retry_after: Some(Duration::ZERO) }),
            ("EService:Throttled: 9999999999", FailureClass::Quota { retry_after: Some(Duration::DAY) }),
            ("EService:Throttled", QUOTA),
            ("EAPI:Rate limit exceeded", QUOTA),
            ("EGeneral:Temporary lockout", QUOTA),
            ("EService:Unavailable", FailureClass::Transient { retryable: true }),
            ("EService:Busy", FailureClass::Transient { retryable: true }),
            ("EGeneral:Internal error", FailureClass::Transient { retryable: false }),
            ("EAPI:Invalid key", FailureClass::Config),
            ("EGeneral:Permission denied", FailureClass::Config),
            ("EQuery:Unknown asset pair", FailureClass::Data),
            ("EGeneral:Invalid arguments", FailureClass::Data),
            ("what?", FailureClass::Transient { retryable: false }),
        ] {
            assert_eq!(told(&[error.to_owned()], Some(NOW)).unwrap().class, Some(expected), "{error}");
        }
        assert_eq!(told(&[], Some(NOW)), None);
    }

    #[test]
    fn of_several_words_the_gravest_counts() {
        let errors = ["EQuery:Unknown asset pair".to_owned(), "EAPI:Rate limit exceeded".to_owned()];
        assert_eq!(told(&errors, None).unwrap().class, Some(QUOTA));
    }

    proptest! {
        #[test]
        fn no_word_panics(error in "(EService:Throttled:|EAPI:)?\\PC{0,30}", bytes: Vec<u8>) {
            let _ = told(&[error], Some(NOW));
            let _ = read(&bytes);
        }
    }
}
