//! Opening sockets against a real local server.

use std::time::Duration;

use coinlink_testkit::upstream_stub::StubUpstream;
use coinlink_upstream::{SocketConnector, SocketSettings};
use futures_util::StreamExt;
use tokio::net::TcpListener;

fn settings(url: &str) -> SocketSettings {
    SocketSettings { name: "stub", url: url.to_owned(), timeout: Duration::from_millis(500), max_message: 1_000 }
}

fn connector(url: &str) -> SocketConnector {
    SocketConnector::new(&settings(url)).expect("valid settings")
}

#[tokio::test]
async fn messages_arrive_and_one_that_is_too_long_ends_the_socket() {
    let stub = StubUpstream::start().await;
    let mut socket = connector(&stub.coinbase_ws_url()).open().await.unwrap();
    while stub.sockets() == 0 {
        tokio::task::yield_now().await;
    }
    stub.push_frame("hello");
    assert_eq!(socket.next().await.unwrap().unwrap().to_text().unwrap(), "hello");
    stub.push_frame(&"x".repeat(1_001));
    assert!(socket.next().await.unwrap().is_err());
}

#[tokio::test]
async fn an_address_without_a_socket_is_told_by_its_status() {
    let stub = StubUpstream::start().await;
    let url = format!("ws://{}/nothing", stub.address());
    assert_eq!(connector(&url).open().await.err().unwrap(), "the handshake was answered with status 404");
}

#[tokio::test]
async fn a_handshake_that_is_never_answered_ends_at_the_time_out() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    assert_eq!(connector(&url).open().await.err().unwrap(), "no handshake within 500ms");
}

#[test]
fn only_a_sockets_url_is_valid() {
    assert!(SocketConnector::new(&settings("wss://ws-feed.exchange.coinbase.com")).is_ok());
    for url in ["https://h", "ws", "", "wss://"] {
        assert!(SocketConnector::new(&settings(url)).is_err(), "{url}");
    }
}
