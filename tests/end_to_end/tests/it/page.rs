//! The page at `/`, in a real browser: Debian's `chromium`, headless.

use std::time::{Duration, Instant};

use coinlink_end_to_end_tests::{Browser, Node, eventually};

#[tokio::test]
async fn a_browser_shows_live_prices_with_their_source_and_age() {
    let node = Node::dev_with(&["--feed", "simulated"], &[("TICKER_INTERVAL_MS", "1000")]).await;
    eventually("prices", Duration::from_secs(15), async || node.get("/api/bitcoin/price").await.0 == 200).await;
    let mut browser = Browser::open(&node.url("/"), &node.process.directory().join("browser")).await;
    let started = Instant::now();
    let mut text = String::new();
    while !["BTC", "ETH", "simulated"].iter().all(|wanted| text.contains(wanted)) {
        assert!(started.elapsed() < Duration::from_secs(30), "no prices in\n{text}");
        tokio::time::sleep(Duration::from_millis(100)).await;
        text = browser.evaluate("document.body.innerText").await.as_str().unwrap_or_default().to_owned();
    }
    assert_eq!(browser.evaluate("document.querySelectorAll('tbody tr').length").await, 50);
    browser.complaints.retain(|complaint| !complaint.contains("favicon"));
    assert_eq!(browser.complaints, Vec::<String>::new());
    assert!(node.metric("coinlink_ws_messages_sent_total{type=\"ticker\"}").await >= 1, "it came over the socket");
}

#[tokio::test]
async fn programs_get_json_where_browsers_get_a_page() {
    let node = Node::dev_with(&["--feed", "simulated"], &[]).await;
    let root = node.json("/").await;
    assert!(root["version"].is_string() && root["api_endpoints"].is_object(), "{root}");
    let page = reqwest::Client::new().get(node.url("/")).header("accept", "text/html,*/*;q=0.8").send().await.unwrap();
    assert!(page.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
    let html = page.text().await.unwrap();
    assert!(!html.contains("http://") && !html.contains("https://"), "nothing from elsewhere");
}
