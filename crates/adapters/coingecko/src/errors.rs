//! CoinGecko's error bodies, which come in four shapes.

use coinlink_domain::shared::upstream_failure::FailureClass;
use coinlink_upstream::{ProviderError, lenient};
use serde::Deserialize;

#[derive(Deserialize)]
struct Envelope {
    #[serde(default, deserialize_with = "lenient")]
    error_code: Option<i64>,
    #[serde(default, deserialize_with = "lenient")]
    status: Option<Status>,
    #[serde(default, deserialize_with = "lenient")]
    error: Option<String>,
}

#[derive(Deserialize)]
struct Status {
    #[serde(default, deserialize_with = "lenient")]
    error_code: Option<i64>,
    #[serde(default, deserialize_with = "lenient")]
    error_message: Option<String>,
}

/// `{"status":{"error_code","error_message"}}`, the same with the code (and a timestamp) outside, and `{"error"}`.
pub(crate) fn read(body: &[u8]) -> Option<ProviderError> {
    let envelope: Envelope = serde_json::from_slice(body).ok()?;
    let (inner, message) = envelope.status.map_or((None, None), |status| (status.error_code, status.error_message));
    let code = envelope.error_code.or(inner);
    let words = message.or(envelope.error);
    if code.is_none() && words.is_none() {
        return None;
    }
    let class = match code {
        // Key missing; endpoint not in the plan; pro key on the demo host; demo key on the pro host.
        Some(10_002 | 10_005 | 10_010 | 10_011) => Some(FailureClass::Config),
        Some(429) => Some(FailureClass::Quota { retry_after: None }),
        _ => None,
    };
    let code = code.map(|code| format!("code {code} ")).unwrap_or_default();
    Some(ProviderError { class, message: format!("{code}{}", words.unwrap_or_default()) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_no_error_body_is_not_read_as_one() {
        for body in [b"[]".as_slice(), b"{}", b"<html>", b"", br#"{"status":"ok"}"#, br#"{"error":{"a":1}}"#] {
            assert_eq!(read(body), None);
        }
    }

    proptest! {
        #[test]
        fn no_body_panics(code in "\\PC{0,12}", bytes: Vec<u8>) {
            let _ = read(&bytes);
            let _ = read(format!(r#"{{"error_code":{code},"status":{{"error_code":"{code}"}}}}"#).as_bytes());
        }
    }
}
