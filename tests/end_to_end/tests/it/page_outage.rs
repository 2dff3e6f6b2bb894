//! The page at `/` while sources and the server itself go and come back, in a real browser.

use std::time::{Duration, Instant};

use coinlink_end_to_end_tests::{Browser, Node, upstreams};
use coinlink_testkit::upstream_stub::{Mode, Provider, StubUpstream};

const SOON: Duration = Duration::from_secs(40);

async fn wait_for(browser: &mut Browser, what: &str, expression: &str) {
    let started = Instant::now();
    while browser.evaluate(expression).await != true {
        let text = browser.evaluate("document.body.innerText").await;
        assert!(started.elapsed() < SOON, "not {what}: {text}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn the_page_tells_when_prices_grow_old_when_the_server_goes_and_when_both_are_back() {
    let stub = StubUpstream::start().await;
    stub.set_mode(Provider::CoinGecko, Mode::status(500, "{}"));
    let upstreams = upstreams(&stub);
    let mut settings: Vec<_> = upstreams.iter().map(|(name, url)| (*name, url.as_str())).collect();
    settings.extend([("TICKER_INTERVAL_MS", "1000"), ("TICKER_OVERLAY", "false")]);
    let mut node = Node::dev(&settings).await;
    let mut browser = Browser::open(&node.url("/"), &node.process.directory().join("browser")).await;
    let state = |state: &str| format!("document.getElementById('state').dataset.state === '{state}'");

    wait_for(&mut browser, "live", &state("live")).await;
    wait_for(&mut browser, "the source is told", "document.getElementById('summary').innerText.includes('coinbase')").await;
    wait_for(&mut browser, "BTC is exact", "document.querySelector('tbody data').value === '64123.45'").await;
    assert_eq!(browser.evaluate("document.getElementById('stale').hidden").await, true);

    stub.set_modes(&Mode::status(503, "{}"));
    wait_for(&mut browser, "stale", &state("stale")).await;
    assert_eq!(browser.evaluate("document.getElementById('stale').hidden").await, false);
    assert_eq!(browser.evaluate("document.querySelector('tbody data').value").await, "64123.45", "still shown");

    node.process.terminate();
    assert!(node.process.wait().await.success());
    wait_for(&mut browser, "disconnected", &state("down")).await;
    assert_eq!(browser.evaluate("document.querySelectorAll('tbody tr').length >= 30").await, true, "what was known stays");

    stub.set_modes(&Mode::Ok);
    stub.set_price("BTC", "65000.25");
    node.process.start_again();
    node.is_live().await;
    wait_for(&mut browser, "live again", &state("live")).await;
    wait_for(&mut browser, "the new price", "document.querySelector('tbody data').value === '65000.25'").await;
}
