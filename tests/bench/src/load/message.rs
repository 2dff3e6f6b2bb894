//! Requests as bytes.

use serde_json::Value;
use std::{fmt::Write as _, net::SocketAddr};

fn head(address: SocketAddr, line: &str, headers: &[(&str, &str)]) -> String {
    let mut head = format!("{line} HTTP/1.1\r\nhost: {address}\r\naccept: application/json\r\nuser-agent: coinlink-bench\r\n");
    for (name, value) in headers {
        // Writing to a String does not fail.
        let _ = write!(head, "{name}: {value}\r\n");
    }
    head
}

/// A GET of `path`.
pub(crate) fn get(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Vec<u8> {
    (head(address, &format!("GET {path}"), headers) + "\r\n").into_bytes()
}

/// A POST of JSON to `path`.
pub(crate) fn post(address: SocketAddr, path: &str, headers: &[(&str, &str)], body: &Value) -> Vec<u8> {
    let (head, body) = (head(address, &format!("POST {path}"), headers), body.to_string());
    format!("{head}content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_request_ends_where_its_length_says() {
        let address = SocketAddr::from(([127, 0, 0, 1], 80));
        let text = |bytes| String::from_utf8(bytes).unwrap();
        assert!(text(get(address, "/a", &[("b", "c")])).ends_with("\r\nb: c\r\n\r\n"));
        let posted = text(post(address, "/a", &[], &json!({"é": 1})));
        assert!(posted.starts_with("POST /a HTTP/1.1\r\n") && posted.ends_with("content-length: 8\r\n\r\n{\"é\":1}"));
    }
}
