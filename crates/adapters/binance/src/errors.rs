//! Binance's error bodies: `{"code":-1121,"msg":"Invalid symbol."}`.

use coinlink_domain::shared::upstream_failure::FailureClass;
use coinlink_upstream::{ProviderError, lenient};
use serde::Deserialize;

#[derive(Deserialize)]
struct Envelope {
    #[serde(default, deserialize_with = "lenient")]
    code: Option<i64>,
    #[serde(default, deserialize_with = "lenient")]
    msg: Option<String>,
}

pub(crate) fn read(body: &[u8]) -> Option<ProviderError> {
    let Envelope { code, msg } = serde_json::from_slice(body).ok()?;
    let class = match code? {
        // Too many requests, too much request weight, a ban.
        -1003 | -1015 => Some(FailureClass::Quota { retry_after: None }),
        -1121 | -1120 | -1102 | -1100 => Some(FailureClass::Data),
        // Where Binance does not serve, it never will.
        0 => Some(FailureClass::Config),
        _ => None,
    };
    Some(ProviderError { class, message: msg.unwrap_or_default() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_code_has_its_class() {
        for (code, class) in [
            (-1121, Some(FailureClass::Data)),
            (-1003, Some(FailureClass::Quota { retry_after: None })),
            (0, Some(FailureClass::Config)),
            (-1000, None),
        ] {
            let body = format!(r#"{{"code":{code},"msg":"words"}}"#);
            assert_eq!(read(body.as_bytes()), Some(ProviderError { class, message: "words".to_owned() }), "{code}");
        }
        assert_eq!(read(b"[]"), None);
    }

    proptest! {
        #[test]
        fn no_body_panics(bytes: Vec<u8>, code in "\\PC{0,20}") {
            let _ = read(&bytes);
            let _ = read(format!(r#"{{"code":{code},"msg":1}}"#).as_bytes());
        }
    }
}
