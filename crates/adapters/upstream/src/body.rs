use coinlink_domain::shared::upstream_failure::{FailureClass, UpstreamFailure};
use serde::Deserialize;

use crate::{classify::looks_like_html, rows};

/// A successful answer's bytes, not yet understood.
#[derive(Debug)]
pub struct Body {
    name: &'static str,
    bytes: Vec<u8>,
}

impl Body {
    pub(crate) fn new(name: &'static str, bytes: Vec<u8>) -> Self {
        Self { name, bytes }
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The body as JSON of a known shape.
    pub fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T, UpstreamFailure> {
        serde_json::from_slice(&self.bytes).map_err(|error| self.unreadable(&error))
    }

    /// The body as a JSON array; elements that are not a `T` are left out.
    pub fn rows<'a, T: Deserialize<'a>>(&'a self) -> Result<Vec<T>, UpstreamFailure> {
        rows(&self.bytes).map_err(|error| self.unreadable(&error))
    }

    /// An answer that says it succeeded and is not what was agreed. Asking again would most likely read the same.
    pub fn unusable(&self, why: &str) -> UpstreamFailure {
        UpstreamFailure::new(FailureClass::Transient { retryable: false }, format!("{}: {why}", self.name))
    }

    /// The parser's own message quotes the body, so only its kind and place are told.
    fn unreadable(&self, error: &serde_json::Error) -> UpstreamFailure {
        if looks_like_html(&self.bytes) {
            return self.unusable("a web page instead of JSON");
        }
        let kind = match error.classify() {
            serde_json::error::Category::Eof => "the JSON ends too early",
            serde_json::error::Category::Data => "the JSON has another shape",
            serde_json::error::Category::Syntax | serde_json::error::Category::Io => "not JSON",
        };
        self.unusable(&format!("{kind} (line {}, column {}, {} bytes)", error.line(), error.column(), self.bytes.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn failure(bytes: &[u8]) -> String {
        Body::new("stub", bytes.to_vec()).rows::<u32>().unwrap_err().detail
    }

    #[test]
    fn what_is_wrong_is_told_without_quoting_it() {
        assert_eq!(failure(b"<html>hello</html>"), "stub: a web page instead of JSON");
        assert_eq!(failure(b"[1,2"), "stub: the JSON ends too early (line 1, column 4, 4 bytes)");
        assert_eq!(failure(b"hello"), "stub: not JSON (line 1, column 1, 5 bytes)");
        assert_eq!(failure(br#""secret""#), "stub: the JSON has another shape (line 1, column 8, 8 bytes)");
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            let body = Body::new("stub", bytes);
            let _ = body.json::<Vec<crate::ExactDecimal>>();
            let _ = body.rows::<crate::ExactDecimal>();
        }
    }
}
