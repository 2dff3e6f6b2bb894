//! An answer without what differs between any two answers: ids, the moment, and the order of headers, which each thread of the
//! server has for itself.

use crate::{deployment::NO_LIMIT, load::Answer};
use std::fmt;

/// Headers whose values say nothing of why: when it was, which request it was, and what is left of the limits, which is counted
/// by address whether somebody has it or not.
const VARYING: [&str; 6] = ["date", "ratelimit", "x-ratelimit-remaining", "x-ratelimit-reset", "x-request-id", "x-trace-id"];

/// A list whose members come in any order.
const LIST: &str = "access-control-expose-headers";

const TRACE_ID: &str = "\"trace_id\":\"";

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Shape {
    status: String,
    headers: Vec<String>,
    body: Vec<u8>,
}

impl Shape {
    pub(super) fn of(answer: &Answer) -> Self {
        let (status, headers) = answer.head.split_once("\r\n").unwrap_or((&answer.head, ""));
        let mut headers: Vec<_> = headers.lines().filter(|line| !line.is_empty()).map(header).collect();
        headers.sort_unstable();
        Self { status: status.to_owned(), headers, body: without_trace_id(&answer.body) }
    }
}

/// Whether the node counted with all others, by the limits that were set. Where Redis is late it counts alone for a moment, by
/// lower limits, and an answer says so: that is told by the machine and not by the account.
pub(super) fn was_counted_with_all(answer: &Answer) -> bool {
    let limits = answer
        .head
        .lines()
        .filter_map(|line| line.split_once(": "))
        .filter(|(name, _)| name.eq_ignore_ascii_case("ratelimit-policy"));
    let mut members = limits.flat_map(|(_, value)| value.split(", "));
    members.all(|member| member.split(';').any(|part| part.strip_prefix("q=") == Some(NO_LIMIT)))
}

fn header(line: &str) -> String {
    let (name, value) = line.split_once(": ").unwrap_or((line, ""));
    let name = name.to_ascii_lowercase();
    if VARYING.contains(&name.as_str()) {
        return format!("{name}: …");
    }
    if name != LIST {
        return format!("{name}: {value}");
    }
    let mut members: Vec<_> = value.split(", ").collect();
    members.sort_unstable();
    format!("{name}: {}", members.join(", "))
}

fn without_trace_id(body: &[u8]) -> Vec<u8> {
    let Some(found) = memchr::memmem::find(body, TRACE_ID.as_bytes()) else { return body.to_vec() };
    let (before, id) = body.split_at(found + TRACE_ID.len());
    let end = memchr::memchr(b'"', id).unwrap_or(id.len());
    [before, &id[end..]].concat()
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}\n{}", self.status, self.headers.join("\n"), String::from_utf8_lossy(&self.body))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shape(head: &str, body: &str) -> Shape {
        Shape::of(&Answer { status: 401, head: head.to_owned(), body: body.into() })
    }

    #[test]
    fn only_ids_the_date_and_what_is_left_may_differ() {
        let one = shape("HTTP/1.1 401\r\nDate: a\r\nx: 1\r\n", r#"{"error":{"code":"a","trace_id":"1"}}"#);
        assert_eq!(one, shape("HTTP/1.1 401\r\nDate: b\r\nx: 1\r\n", r#"{"error":{"code":"a","trace_id":"2"}}"#));
        assert_ne!(one, shape("HTTP/1.1 401\r\nDate: a\r\nx: 2\r\n", r#"{"error":{"code":"a","trace_id":"1"}}"#));
        assert_ne!(one, shape("HTTP/1.1 401\r\nDate: a\r\nx: 1\r\n", r#"{"error":{"code":"b","trace_id":"1"}}"#));
        assert_ne!(one, shape("HTTP/1.1 401\r\nx: 1\r\n", r#"{"error":{"code":"a","trace_id":"1"}}"#));
    }

    #[test]
    fn the_order_of_headers_says_nothing() {
        let one = shape("HTTP/1.1 401\r\na: 1\r\nAccess-Control-Expose-Headers: b, a\r\n", "");
        assert_eq!(one, shape("HTTP/1.1 401\r\naccess-control-expose-headers: a, b\r\na: 1\r\n", ""));
    }

    #[test]
    fn a_node_that_counts_alone_says_so() {
        let counted = |limit| {
            let head = format!("HTTP/1.1 401\r\nRateLimit-Policy: \"a\";q={NO_LIMIT};w=60, \"b\";q={limit};w=60\r\n");
            was_counted_with_all(&Answer { status: 401, head, body: Vec::new() })
        };
        assert!(counted(NO_LIMIT) && !counted("333334"));
    }

    proptest! {
        #[test]
        fn no_bytes_panic_it(head in ".{0,60}", body in prop::collection::vec(any::<u8>(), 0..60)) {
            shape(&head, &format!("{TRACE_ID}{}", String::from_utf8_lossy(&body)));
            without_trace_id(&body);
        }
    }
}
