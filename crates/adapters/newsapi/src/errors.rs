//! NewsAPI's error bodies, which a success status may carry too.

use coinlink_domain::shared::upstream_failure::FailureClass;
use coinlink_upstream::{ProviderError, lenient};
use serde::Deserialize;

#[derive(Deserialize)]
struct Envelope {
    status: String,
    #[serde(default, deserialize_with = "lenient")]
    code: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    message: Option<String>,
}

/// `{"status":"error","code","message"}`.
pub(crate) fn read(body: &[u8]) -> Option<ProviderError> {
    let envelope: Envelope = serde_json::from_slice(body).ok()?;
    if envelope.status != "error" {
        return None;
    }
    let code = envelope.code.unwrap_or_default();
    let class = match code.as_str() {
        "apiKeyDisabled" | "apiKeyInvalid" | "apiKeyMissing" | "corsNotAllowed" | "upgradeRequired" => Some(FailureClass::Config),
        "apiKeyExhausted" | "rateLimited" => Some(FailureClass::Quota { retry_after: None }),
        "maximumResultsReached" | "parameterInvalid" | "parametersMissing" | "sourceDoesNotExist" | "sourcesTooMany" => {
            Some(FailureClass::Data)
        }
        "unexpectedError" => Some(FailureClass::Transient { retryable: false }),
        _ => None,
    };
    Some(ProviderError { class, message: format!("{code} {}", envelope.message.unwrap_or_default()) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_no_error_body_is_not_read_as_one() {
        for body in [b"[]".as_slice(), b"{}", b"<html>", b"", br#"{"status":"ok"}"#, br#"{"status":{"error":1}}"#] {
            assert_eq!(read(body), None);
        }
    }

    proptest! {
        #[test]
        fn no_body_panics(code in "\\PC{0,12}", bytes: Vec<u8>) {
            let _ = read(&bytes);
            let _ = read(format!(r#"{{"status":"error","code":"{code}","message":{code}}}"#).as_bytes());
        }
    }
}
