//! Requests that two servers in a row could cut differently: refused, and the connection with them.

use coinlink_end_to_end_tests::Node;

use super::wire::{LAST, exchange, header, statuses};

const BODY: &str = "POST /api/bitcoin/analyze HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";
const PLAIN: &str = "GET /livez HTTP/1.1\r\nHost: x\r\n";

async fn node() -> Node {
    Node::dev_with(&["--feed", "simulated"], &[("RATE_LIMIT_ANONYMOUS", "1000000"), ("TICKER_INTERVAL_MS", "60000")]).await
}

/// What the server answers to this and a further request behind it.
fn answers(node: &Node, bytes: &[u8]) -> Vec<u16> {
    statuses(&exchange(node.address, &[bytes, LAST].concat()))
}

#[tokio::test]
async fn a_request_whose_length_can_be_read_in_two_ways_is_refused_with_whatever_follows() {
    let node = node().await;
    for (what, headers, body) in [
        ("CL.TE", "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\nG"),
        ("TE.CL", "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", "5c\r\n"),
        ("TE.TE", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "0\r\n\r\n"),
        ("TE twice alike", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
        ("an unknown coding", "Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"),
        ("chunked, but not last", "Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n"),
        ("a coding before chunked", "Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"),
        ("identity", "Transfer-Encoding: identity\r\nContent-Length: 2\r\n", "{}"),
        ("a vertical tab", "Transfer-Encoding: \x0bchunked\r\n", "0\r\n\r\n"),
        ("a quoted coding", "Transfer-Encoding: \"chunked\"\r\n", "0\r\n\r\n"),
        ("a blank before the colon", "Transfer-Encoding : chunked\r\n", "0\r\n\r\n"),
        ("two lengths", "Content-Length: 2\r\nContent-Length: 3\r\n", "{}x"),
        ("two lengths alike", "Content-Length: 2\r\nContent-Length: 2\r\n", "{}"),
        ("a list of lengths", "Content-Length: 2, 2\r\n", "{}"),
        ("a sign", "Content-Length: +2\r\n", "{}"),
        ("less than nothing", "Content-Length: -2\r\n", "{}"),
        ("hexadecimal", "Content-Length: 0x2\r\n", "{}"),
        ("no number", "Content-Length: two\r\n", "{}"),
        ("more than a number holds", "Content-Length: 99999999999999999999\r\n", "{}"),
        ("a blank before a length's colon", "Content-Length : 2\r\n", "{}"),
        ("a folded line", "X-Fold: a\r\n Transfer-Encoding: chunked\r\n", ""),
        ("a folded length", "Content-Length:\r\n 2\r\n", "{}"),
    ] {
        let bytes = format!("{BODY}{headers}\r\n{body}");
        assert_eq!(answers(&node, bytes.as_bytes()), [400], "{what}");
    }
    let older = BODY.replace("HTTP/1.1", "HTTP/1.0") + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    assert_eq!(answers(&node, older.as_bytes()), [400], "HTTP/1.0 has no chunks");
    assert_eq!(node.get("/livez").await.0, 200);
}

#[tokio::test]
async fn chunks_that_are_none_end_the_connection_and_those_that_are_end_where_they_say() {
    let node = node().await;
    let chunked = |chunks: &str| answers(&node, format!("{BODY}Transfer-Encoding: chunked\r\n\r\n{chunks}").as_bytes());
    for (what, chunks) in [
        ("an extension over two lines", "2;a\nb\r\n{}\r\n0\r\n\r\n"),
        ("a size that ends in a line feed", "2\n{}\r\n0\r\n\r\n"),
        ("a size with a prefix", "0x2\r\n{}\r\n0\r\n\r\n"),
        ("a size with a sign", "+2\r\n{}\r\n0\r\n\r\n"),
        ("a negative size", "-2\r\n{}\r\n0\r\n\r\n"),
        ("a size beyond any", "fffffffffffffffff\r\n{}\r\n0\r\n\r\n"),
        ("no line end behind the data", "2\r\n{}XX0\r\n\r\n"),
        ("no size", "\r\n{}\r\n0\r\n\r\n"),
    ] {
        assert_eq!(chunked(chunks), [400], "{what}");
    }
    for (what, chunks) in [
        ("whole", "2\r\n{}\r\n0\r\n\r\n"),
        ("with an extension", "2;name=value\r\n{}\r\n0\r\n\r\n"),
        ("with a trailer that names a length", "2\r\n{}\r\n0\r\nContent-Length: 5\r\n\r\n"),
    ] {
        // The object lacks what the route takes; what follows is a request of its own.
        assert_eq!(chunked(chunks), [400, 200], "{what}");
    }
}

#[tokio::test]
async fn a_body_that_nobody_asked_for_is_not_taken_for_the_next_request() {
    let node = node().await;
    let hidden = "GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n";
    for method in ["GET", "POST"] {
        let bytes = format!("{method} /livez HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{hidden}", hidden.len());
        let said = exchange(node.address, &[bytes.as_bytes(), LAST].concat());
        assert!(!said.contains("\"openapi\""), "{method}");
    }
    // What is refused early takes its connection along: nobody looks for a request in the rest of the body.
    let long = format!("{BODY}Content-Length: 300000\r\n\r\n{hidden}");
    assert_eq!(answers(&node, long.as_bytes()), [413]);
}

#[tokio::test]
async fn what_is_no_request_of_http_1_is_refused() {
    let node = node().await;
    for (what, bytes) in [
        ("a version without headers", "GET /livez\r\n\r\n"),
        ("a later version", "GET /livez HTTP/1.9\r\nHost: x\r\n\r\n"),
        ("HTTP/2 without having been asked", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        ("no host", "GET /livez HTTP/1.1\r\n\r\n"),
        ("two hosts", "GET /livez HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n"),
        ("a nul in a method", "G\0T /livez HTTP/1.1\r\nHost: x\r\n\r\n"),
        ("a nul in a value", "GET /livez HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n"),
        ("a lone carriage return", "GET /livez HTTP/1.1\r\nHost: x\r\nX: a\rY: b\r\n\r\n"),
        ("a folded line", "GET /livez HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n"),
        ("a blank in the target", "GET /livez x HTTP/1.1\r\nHost: x\r\n\r\n"),
        ("a header without a name", "GET /livez HTTP/1.1\r\nHost: x\r\n: a\r\n\r\n"),
        ("a header without a colon", "GET /livez HTTP/1.1\r\nHost: x\r\nnothing\r\n\r\n"),
    ] {
        assert_eq!(answers(&node, bytes.as_bytes()), [400], "{what}");
    }
    for (what, bytes, status) in [
        ("a tunnel", "CONNECT evil.example:443 HTTP/1.1\r\nHost: x\r\n\r\n", 404),
        ("another server's URL is read for its path", "GET http://evil.example/livez HTTP/1.1\r\nHost: x\r\n\r\n", 200),
        ("another server's path", "GET http://evil.example/x HTTP/1.1\r\nHost: x\r\n\r\n", 404),
        ("an echo", "TRACE /livez HTTP/1.1\r\nHost: x\r\nX-Secret: s3cr3t\r\n\r\n", 405),
        ("a method of nobody's", "SPY /livez HTTP/1.1\r\nHost: x\r\n\r\n", 405),
        (
            "an upgrade to plain HTTP/2",
            "GET /livez HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
            200,
        ),
    ] {
        let said = exchange(node.address, bytes.as_bytes());
        assert_eq!(statuses(&said), [status], "{what}: {said}");
        assert!(!said.contains("s3cr3t") && !said.contains(" 101 "), "{what}: {said}");
    }
    let older = exchange(node.address, b"GET /livez HTTP/1.0\r\n\r\n");
    assert!(older.contains(" 200 "), "HTTP/1.0 needs no host, and its connection ends: {older}");
}

/// A lone line feed ends a line here, as RFC 9112 section 2.2 lets it; it is never part of a value.
#[tokio::test]
async fn a_line_feed_in_a_value_never_hides_a_header() {
    let node = node().await;
    let said = exchange(node.address, b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Request-Id: mine\nX-Request-Id: evil\r\n\r\n");
    assert_eq!(statuses(&said), [200]);
    assert!(!header(&said, "x-request-id").contains("evil") && !said.contains("mine\nX"), "{said}");
    let hidden = format!("{BODY}X: a\nContent-Length: 2\r\nContent-Length: 30\r\n\r\n{{}}");
    assert_eq!(answers(&node, hidden.as_bytes()), [400], "both are seen, and two are one too many");
}

#[tokio::test]
async fn heads_and_addresses_beyond_their_bounds_are_refused() {
    let node = node().await;
    let many = |count: usize| (0..count).fold(String::new(), |headers, n| format!("{headers}X-{n}: a\r\n"));
    for (what, bytes, expected) in [
        ("ninety headers", format!("{PLAIN}{}\r\n", many(90)), &[200, 200][..]),
        ("a hundred headers", format!("{PLAIN}{}\r\n", many(100)), &[431]),
        ("a long header", format!("{PLAIN}X: {}\r\n\r\n", "a".repeat(60_000)), &[200, 200]),
        ("a longer address than any", format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(70_000)), &[400]),
        ("a long address", format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(8000)), &[404, 200]),
        (
            "a long query",
            format!("GET /api/v2/market/prices?symbols={} HTTP/1.1\r\nHost: x\r\n\r\n", "a,".repeat(4000)),
            &[404, 200],
        ),
    ] {
        assert_eq!(answers(&node, bytes.as_bytes()), expected, "{what}");
    }
    // Where the server hangs up amid the head, its refusal may be lost with the connection.
    let endless = answers(&node, format!("{PLAIN}X: {}\r\n\r\n", "a".repeat(400_000)).as_bytes());
    assert!(endless.iter().all(|status| *status == 431), "{endless:?}");
    let cookies = answers(&node, format!("{PLAIN}Cookie: {}\r\n\r\n", "a=b; ".repeat(10_000)).as_bytes());
    assert_eq!(cookies, [200, 200]);
    assert_eq!(node.get("/livez").await.0, 200);
}
