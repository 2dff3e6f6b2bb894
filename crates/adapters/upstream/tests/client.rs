//! The client against a real local server that misbehaves in every way seen.

use std::{sync::Arc, time::Duration};

use coinlink_domain::shared::upstream_failure::{FailureClass, UpstreamFailure};
use coinlink_testkit::{
    shared::StoppedClock,
    upstream_stub::{Mode, Provider, StubUpstream},
};
use coinlink_upstream::{ApiKey, Body, HeaderName, ProviderError, USER_AGENT, Upstream, UpstreamSettings};
use time::{OffsetDateTime, macros::datetime};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

const NOW: OffsetDateTime = datetime!(2026-10-21 7:28:00 UTC);
const ONCE: FailureClass = FailureClass::Transient { retryable: false };
const AGAIN: FailureClass = FailureClass::Transient { retryable: true };

/// Takes the whole body for the service's words.
#[expect(clippy::unnecessary_wraps, reason = "the shape of an ErrorReader")]
fn all_of_it(body: &[u8]) -> Option<ProviderError> {
    Some(ProviderError { class: None, message: String::from_utf8_lossy(body).into_owned() })
}

fn settings(base_url: impl Into<String>) -> UpstreamSettings {
    UpstreamSettings { timeout: Duration::from_secs(1), ..UpstreamSettings::new("stub", base_url, all_of_it) }
}

fn client(settings: UpstreamSettings) -> Upstream {
    Upstream::new(settings, Arc::new(StoppedClock::at(NOW))).expect("valid settings")
}

async fn ask(stub: &StubUpstream) -> Result<Body, UpstreamFailure> {
    client(settings(stub.kraken_url())).get(&["Ticker"], &[]).await
}

async fn failure(mode: Mode) -> UpstreamFailure {
    let stub = StubUpstream::start().await;
    stub.set_mode(Provider::Kraken, mode);
    let failure = ask(&stub).await.expect_err("a failure");
    assert_eq!(stub.calls(Provider::Kraken), 1, "nothing is asked twice");
    failure
}

#[tokio::test]
async fn a_request_names_this_program_and_carries_the_key_in_its_header_only() {
    let stub = StubUpstream::start().await;
    let key = ApiKey { header: HeaderName::from_static("x-key"), value: "secret-1".into() };
    let client = client(UpstreamSettings { key: Some(key), ..settings(stub.kraken_url()) });
    client.get(&["Ticker", "a/b?c"], &[("q", "1&2")]).await.unwrap();
    let request = &stub.requests()[0];
    assert_eq!(request.path, "/kraken/0/public/Ticker/a%2Fb%3Fc");
    assert_eq!(request.query, [("q".to_owned(), "1%262".to_owned())]);
    assert_eq!(request.header("user-agent"), Some(USER_AGENT));
    assert_eq!(request.header("x-key"), Some("secret-1"));
}

#[tokio::test]
async fn silence_ends_at_the_time_out_and_is_not_worth_a_second_call() {
    let failure = failure(Mode::Hang).await;
    assert_eq!(failure.class, ONCE);
    assert_eq!(failure.detail, "stub: no answer within 1s");
}

#[tokio::test]
async fn a_refused_connection_is_worth_a_second_call() {
    let stub = StubUpstream::start().await;
    stub.stop().await;
    let failure = ask(&stub).await.unwrap_err();
    assert_eq!(failure.class, AGAIN, "{failure}");
    assert!(!failure.detail.contains("http"), "{failure}");
    stub.restart().await;
    ask(&stub).await.unwrap();
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_transient() {
    let failure = failure(Mode::BrokenOff).await;
    assert_eq!((failure.class, failure.detail.as_str()), (ONCE, "stub: the answer broke off"));
}

#[tokio::test]
async fn a_success_that_is_not_json_is_transient() {
    for (mode, told) in [(Mode::Garbage, "not JSON"), (Mode::TruncatedJson, "ends too early"), (Mode::Html200, "a web page")] {
        let stub = StubUpstream::start().await;
        stub.set_mode(Provider::Kraken, mode);
        let failure = ask(&stub).await.unwrap().json::<serde_json::Value>().unwrap_err();
        assert_eq!(failure.class, ONCE);
        assert!(failure.detail.contains(told), "{failure}");
    }
}

#[tokio::test]
async fn a_content_networks_block_is_transient_and_a_key_error_is_not() {
    assert_eq!(failure(Mode::Html403).await.class, ONCE);
    assert_eq!(failure(Mode::status(403, "error code: 1020")).await.class, ONCE);
    assert_eq!(failure(Mode::status(403, r#"{"error":"invalid key"}"#)).await.class, FailureClass::Config);
    assert_eq!(failure(Mode::status(401, r#"{"error":"invalid key"}"#)).await.class, FailureClass::Config);
}

#[tokio::test]
async fn an_unavailable_service_is_worth_a_second_call_which_is_left_to_the_caller() {
    for status in [502, 503, 504] {
        assert_eq!(failure(Mode::status(status, "{}")).await.class, AGAIN);
    }
    assert_eq!(failure(Mode::status(500, "{}")).await.class, ONCE);
}

#[tokio::test]
async fn retry_after_is_read_in_every_form() {
    for (value, expected) in [
        ("7", Some(time::Duration::seconds(7))),
        ("Wed, 21 Oct 2026 07:28:30 GMT", Some(time::Duration::seconds(30))),
        ("soon", None),
    ] {
        for status in [429, 418] {
            let failure = failure(Mode::status_with(status, "{}", "Retry-After", value)).await;
            assert_eq!(failure.class, FailureClass::Quota { retry_after: expected }, "{value}");
        }
    }
    assert_eq!(failure(Mode::status(429, "{}")).await.class, FailureClass::Quota { retry_after: None });
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let stub = StubUpstream::start().await;
    let elsewhere = format!("{}/products", stub.coinbase_url());
    stub.set_mode(Provider::Kraken, Mode::status_with(302, "", "Location", &elsewhere));
    assert_eq!(ask(&stub).await.unwrap_err().class, ONCE);
    assert_eq!(stub.calls(Provider::Coinbase), 0);
}

#[tokio::test]
async fn what_the_service_says_is_told_without_the_key_and_in_two_hundred_characters() {
    let stub = StubUpstream::start().await;
    let words = format!("bad key SECRET-key-1 at https://h/p?key=1 {}", "x".repeat(1_000));
    stub.set_mode(Provider::Kraken, Mode::status(400, &words));
    let key = ApiKey { header: HeaderName::from_static("x-key"), value: "secret-KEY-1".into() };
    let client = client(UpstreamSettings { key: Some(key), ..settings(stub.kraken_url()) });
    let failure = client.get(&["Ticker"], &[]).await.unwrap_err();
    assert!(failure.detail.starts_with("stub: status 400 bad key *** at https://h/p xxx"), "{failure}");
    assert_eq!(failure.detail.len(), "stub: ".len() + 200);
}

#[tokio::test]
async fn calls_beyond_the_permits_wait_and_their_wait_is_part_of_their_time() {
    let stub = StubUpstream::start().await;
    stub.set_mode(Provider::Kraken, Mode::Hang);
    let client = client(UpstreamSettings { permits: 1, ..settings(stub.kraken_url()) });
    let halfway = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        stub.calls(Provider::Kraken)
    };
    let started = std::time::Instant::now();
    let (first, second, calls) = tokio::join!(client.get(&["Ticker"], &[]), client.get(&["Ticker"], &[]), halfway);
    assert_eq!([first.unwrap_err().class, second.unwrap_err().class], [ONCE, ONCE]);
    assert_eq!(calls, 1);
    assert!(started.elapsed() < Duration::from_millis(1_800), "one time-out, not two");
}

#[tokio::test]
async fn a_body_announced_too_long_is_not_read() {
    let stub = StubUpstream::start().await;
    let client = client(UpstreamSettings { max_body: 100, ..settings(stub.kraken_url()) });
    let failure = client.get(&["Ticker"], &[]).await.unwrap_err();
    assert_eq!((failure.class, failure.detail.as_str()), (ONCE, "stub: the answer is longer than 100 bytes"));
}

#[tokio::test]
async fn an_endless_body_is_cut_at_the_cap() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    let flood = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 1_024]).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n").await;
        while stream.write_all(&[b'1'; 8 * 1_024]).await.is_ok() {}
    });
    let failure =
        client(UpstreamSettings { timeout: Duration::from_secs(3), ..settings(base_url) }).get(&[], &[]).await.unwrap_err();
    assert_eq!(failure.detail, "stub: the answer is longer than 4194304 bytes");
    flood.await.unwrap();
}

#[test]
fn settings_that_cannot_work_are_told_at_once_and_without_the_key() {
    for base_url in ["", "not a url", "ftp://h/", "file:///etc/passwd", "https://h/?key=1", "https://h/#x"] {
        let problem = Upstream::new(settings(base_url), Arc::new(StoppedClock::at(NOW))).err().unwrap();
        assert!(problem.to_string().starts_with("stub: the base URL"), "{base_url}");
    }
    let key = ApiKey { header: HeaderName::from_static("x-key"), value: "a\nb".into() };
    let problem = Upstream::new(UpstreamSettings { key: Some(key), ..settings("https://h") }, Arc::new(StoppedClock::at(NOW)))
        .err()
        .unwrap();
    assert_eq!(problem.to_string(), "stub: the API key has characters no header may hold");
}
