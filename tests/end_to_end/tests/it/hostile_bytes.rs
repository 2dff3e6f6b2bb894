//! Bytes that no browser would send: each ends with its close code, and costs the node nothing.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::{Duration, Instant},
};

use coinlink_end_to_end_tests::{Client, Node, RawSocket, eventually, masked};

const SOON: Duration = Duration::from_secs(15);
const PING: &[u8] = br#"{"type":"ping"}"#;

async fn node() -> Node {
    let node = Node::dev_with(&["--feed", "simulated"], &[("TICKER_INTERVAL_MS", "60000")]).await;
    eventually("prices", SOON, async || node.get("/api/bitcoin/price").await.0 == 200).await;
    node
}

/// Reads up to the first text that holds this.
fn heard(socket: &mut RawSocket, text: &str) -> bool {
    std::iter::from_fn(|| socket.frame()).any(|(_, payload)| String::from_utf8_lossy(&payload).contains(text))
}

#[tokio::test]
async fn each_breach_of_the_protocol_has_its_close_code() {
    let node = node().await;
    let large = masked(0x81, &[b'a'; 4097]);
    let in_parts = [masked(0x01, &[b'a'; 3000]), masked(0x80, &[b'a'; 3000])].concat();
    for (what, bytes, code) in [
        ("unmasked text", &b"\x81\x01a"[..], 1002),
        ("reserved bits", &masked(0xC1, PING)[..], 1002),
        ("an unknown opcode", &masked(0x83, b"x")[..], 1002),
        ("a continuation of nothing", &masked(0x80, b"x")[..], 1002),
        ("a ping over 125 bytes", &masked(0x89, &[0; 126])[..], 1002),
        ("a ping in parts", &masked(0x09, b"x")[..], 1002),
        ("binary", &masked(0x82, b"x")[..], 1003),
        ("text that is not UTF-8", &masked(0x81, b"\xff\xfe")[..], 1007),
        ("4097 bytes", &large[..], 1009),
        ("6000 bytes in two parts", &in_parts[..], 1009),
    ] {
        let mut socket = RawSocket::open(node.address);
        socket.send(bytes).unwrap();
        assert_eq!(socket.close_code(), Some(code), "{what}");
    }
    assert_eq!(node.get("/livez").await.0, 200);
}

#[tokio::test]
async fn a_message_is_understood_however_its_bytes_arrive() {
    let node = node().await;
    let whole = masked(0x81, PING);
    let mut early = RawSocket::open_with(node.address, &whole);
    assert!(heard(&mut early, r#""type":"pong""#), "sent with the handshake");

    let mut slow = RawSocket::open(node.address);
    for byte in &whole {
        slow.send(&[*byte]).unwrap();
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert!(heard(&mut slow, r#""type":"pong""#), "byte by byte");

    let mut parts = RawSocket::open(node.address);
    let pieces = [masked(0x01, &PING[..5]), masked(0x89, b"in between"), masked(0x80, &PING[5..])];
    parts.send(&pieces.concat()).unwrap();
    assert!(heard(&mut parts, "in between"), "a control frame between fragments is answered first");
    assert!(heard(&mut parts, r#""type":"pong""#), "in fragments");

    let mut many = RawSocket::open(node.address);
    many.send(&whole.repeat(20)).unwrap();
    for nth in 1..=20 {
        assert!(heard(&mut many, r#""type":"pong""#), "answer {nth} of 20 in one write");
    }
}

#[tokio::test]
async fn a_farewell_is_answered_with_its_own_code() {
    let node = node().await;
    for (payload, code) in [(&1000_u16.to_be_bytes()[..], 1000), (&1001_u16.to_be_bytes()[..], 1001), (&b""[..], 1000)] {
        let mut socket = RawSocket::open(node.address);
        socket.send(&masked(0x88, payload)).unwrap();
        assert_eq!(socket.close_code(), Some(code), "{payload:?}");
        assert_eq!(socket.frame(), None, "and then the connection ends");
    }
    eventually("nobody is counted", SOON, async || node.json("/api/connections").await["active_connections"] == 0).await;
}

#[tokio::test]
async fn a_frame_that_declares_four_hundred_megabytes_costs_nothing() {
    let node = node().await;
    // The first socket brings what every first one does.
    drop(Client::connect(node.address).await);
    let before = node.resident_kib();
    let mut socket = RawSocket::open(node.address);
    let header = [&[0x81, 0xFF][..], &400_000_000_u64.to_be_bytes(), &[0; 4]].concat();
    socket.send(&header).unwrap();
    // The server hangs up: what is sent after that ends in an error, or nowhere.
    let _ = (0..300).try_for_each(|_| socket.send(&vec![0; 1 << 20]));
    let after = node.resident_kib();
    assert!(after < before + 2048, "{before} KiB, then {after} KiB");

    let mut polite = RawSocket::open(node.address);
    polite.send(&header).unwrap();
    assert_eq!(polite.close_code(), Some(1009), "by its header alone");
    assert_eq!(node.get("/livez").await.0, 200);
}

#[tokio::test]
async fn a_head_that_is_never_finished_is_not_waited_for() {
    let node = node().await;
    let mut half = TcpStream::connect(node.address).unwrap();
    half.write_all(b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n").unwrap();
    half.set_read_timeout(Some(SOON)).unwrap();
    let started = Instant::now();
    let mut answer = Vec::new();
    half.read_to_end(&mut answer).expect("the server ends it");
    assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 408"), "{}", String::from_utf8_lossy(&answer));
    assert_eq!(node.json("/api/connections").await["active_connections"], 0);
}
