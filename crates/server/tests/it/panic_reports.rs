//! A panic is reported with where it happened and the trace it happened in, and without what its words held.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpListener,
    sync::mpsc::{Receiver, channel},
    time::Duration,
};

use coinlink::telemetry::{RequestContext, error_reports, logs};
use secrecy::SecretString;
use serde_json::Value;

/// Where a Sentry is that takes everything, and what it takes.
fn sentry() -> (SecretString, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let dsn = format!("http://0123456789abcdef@{}/7", listener.local_addr().unwrap());
    let (posted, received) = channel();
    std::thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            let mut stream = BufReader::new(stream);
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") && stream.read_line(&mut head).unwrap() > 0 {}
            let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
            let mut body = vec![0; length.unwrap()];
            stream.read_exact(&mut body).unwrap();
            stream.get_mut().write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n").unwrap();
            posted.send(head + &String::from_utf8(body).unwrap()).unwrap();
        }
    });
    (dsn.into(), received)
}

#[test]
fn a_panic_is_reported_with_its_place_and_its_trace_and_without_what_it_held() {
    let (dsn, received) = sentry();
    let _reports = error_reports::begin(&dsn, "test").unwrap();
    // Other tests may share the process.
    let before = std::panic::take_hook();
    logs::log_panics();
    let context = RequestContext::of(None, Some(b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
    let panics = || panic!("no session of ada@example.org by eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0 in shard 7");
    let thread = std::thread::spawn(move || context.sync_scope(panics));
    assert!(thread.join().is_err());
    std::panic::set_hook(before);

    let posted = received.recv_timeout(Duration::from_secs(20)).unwrap();
    let events: Vec<Value> = posted.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let event = events.iter().find(|event| event.get("exception").is_some()).unwrap();
    let told = &event["exception"]["values"][0];
    assert_eq!((&told["type"], &told["value"]), (&"panic".into(), &"no session of [address] by [masked] in shard 7".into()));
    assert_eq!(event["tags"]["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
    assert!(event["tags"]["location"].as_str().unwrap().contains("panic_reports.rs:"), "{event}");
    assert_eq!(event["level"], "fatal");
    assert!(!posted.contains("ada@") && !posted.contains("eyJ"), "{posted}");
}
