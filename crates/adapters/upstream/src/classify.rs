//! From an HTTP answer to a failure class.

use coinlink_domain::shared::upstream_failure::FailureClass;
use time::Duration;

/// What a service's own error body says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderError {
    /// What follows from it; `None` leaves that to the status.
    pub class: Option<FailureClass>,
    /// Its words.
    pub message: String,
}

/// Reads a JSON error body in the service's own shapes; `None` where it is in none of them.
pub type ErrorReader = fn(body: &[u8]) -> Option<ProviderError>;

/// What is known of an answer that is no success.
pub(crate) struct Refusal<'a> {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) body: &'a [u8],
    pub(crate) told: Option<&'a ProviderError>,
}

impl Refusal<'_> {
    /// The provider's own word first, then the status. A content network's page (not JSON) speaks for the network in
    /// between, not for our key or question, so it is never `Config` or `Data`.
    pub(crate) fn class(&self) -> FailureClass {
        let is_json = looks_like_json(self.body);
        match self.told.and_then(|told| told.class) {
            Some(FailureClass::Quota { retry_after }) => {
                return FailureClass::Quota { retry_after: retry_after.or(self.retry_after) };
            }
            Some(class) => return class,
            None => {}
        }
        match self.status {
            429 | 418 => FailureClass::Quota { retry_after: self.retry_after },
            // Who stands between has no key of ours to refuse, so this needs no JSON.
            401 if !looks_like_html(self.body) => FailureClass::Config,
            403 if is_json => FailureClass::Config,
            400 | 404 | 422 if is_json => FailureClass::Data,
            // A service that names a time does not want to be asked again right away.
            502..=504 => FailureClass::Transient { retryable: self.retry_after.is_none_or(Duration::is_zero) },
            _ => FailureClass::Transient { retryable: false },
        }
    }
}

pub(crate) fn looks_like_json(body: &[u8]) -> bool {
    matches!(body.trim_ascii_start().first(), Some(b'{' | b'['))
}

pub(crate) fn looks_like_html(body: &[u8]) -> bool {
    body.trim_ascii_start().first() == Some(&b'<')
}

/// The graver of two failures: the one that must not be lost when several calls end as one.
#[must_use]
pub fn graver(a: FailureClass, b: FailureClass) -> FailureClass {
    let gravity = |class: FailureClass| match class {
        FailureClass::Data => 0,
        FailureClass::Transient { retryable: true } => 1,
        FailureClass::Transient { retryable: false } => 2,
        FailureClass::Quota { .. } => 3,
        FailureClass::Config => 4,
    };
    if gravity(b) > gravity(a) { b } else { a }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONCE: FailureClass = FailureClass::Transient { retryable: false };
    const AGAIN: FailureClass = FailureClass::Transient { retryable: true };
    const QUOTA: FailureClass = FailureClass::Quota { retry_after: None };
    const JSON: &[u8] = b"{\"error\":\"x\"}";
    const HTML: &[u8] = b"\n<!DOCTYPE html><html>blocked</html>";

    fn class(status: u16, body: &[u8]) -> FailureClass {
        Refusal { status, retry_after: None, body, told: None }.class()
    }

    #[test]
    fn every_status_has_its_class() {
        for (status, body, expected) in [
            (429, HTML, QUOTA),
            (418, b"".as_slice(), QUOTA),
            (401, JSON, FailureClass::Config),
            (401, b"Unauthorized", FailureClass::Config),
            (401, b"", FailureClass::Config),
            (401, HTML, ONCE),
            (403, JSON, FailureClass::Config),
            (403, HTML, ONCE),
            (403, b"error code: 1020", ONCE),
            (400, JSON, FailureClass::Data),
            (404, JSON, FailureClass::Data),
            (404, HTML, ONCE),
            (301, b"", ONCE),
            (408, b"", ONCE),
            (500, JSON, ONCE),
            (502, HTML, AGAIN),
            (503, JSON, AGAIN),
            (504, b"", AGAIN),
            (520, HTML, ONCE),
        ] {
            assert_eq!(class(status, body), expected, "{status}");
        }
    }

    #[test]
    fn an_unavailable_service_that_names_a_time_is_not_asked_again_at_once() {
        let named = Refusal { status: 503, retry_after: Some(Duration::SECOND), body: JSON, told: None };
        assert_eq!(named.class(), ONCE);
    }

    #[test]
    fn the_providers_word_outweighs_the_status_and_takes_its_time_from_the_header() {
        let told = ProviderError { class: Some(QUOTA), message: String::new() };
        let refusal = Refusal { status: 400, retry_after: Some(Duration::MINUTE), body: JSON, told: Some(&told) };
        assert_eq!(refusal.class(), FailureClass::Quota { retry_after: Some(Duration::MINUTE) });
    }

    #[test]
    fn of_two_failures_the_graver_stays() {
        let order = [FailureClass::Data, AGAIN, ONCE, QUOTA, FailureClass::Config];
        for (i, &a) in order.iter().enumerate() {
            for &b in &order[i..] {
                assert_eq!(graver(a, b), b);
                assert_eq!(graver(b, a), b);
            }
        }
    }
}
