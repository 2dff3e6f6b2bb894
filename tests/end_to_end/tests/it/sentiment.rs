//! The market's mood and prices in the older shape, from stub providers to the answer of the real program.

use std::time::Duration;

use coinlink_end_to_end_tests::{Node, eventually, upstreams};
use coinlink_testkit::upstream_stub::StubUpstream;
use serde_json::{Value, json};

const SOON: Duration = Duration::from_secs(30);

fn inputs(sentiment: &Value) -> Vec<&str> {
    sentiment["data"]["inputs"].as_array().into_iter().flatten().filter_map(|input| input["name"].as_str()).collect()
}

async fn analyze(node: &Node, text: &str) -> (u16, Value) {
    let request = reqwest::Client::new().post(node.url("/api/bitcoin/analyze")).header("content-type", "application/json");
    let response = request.body(json!({"text": text}).to_string()).send().await.expect("an answer");
    (response.status().as_u16(), serde_json::from_str(&response.text().await.expect("a body")).expect("JSON"))
}

#[tokio::test]
async fn the_mood_is_of_what_the_providers_said_and_every_figure_is_theirs() {
    let stub = StubUpstream::start().await;
    let urls = upstreams(&stub);
    let settings: Vec<_> = urls.iter().map(|(name, url)| (*name, url.as_str())).collect();
    let more = [("TICKER_INTERVAL_MS", "1000"), ("TICKER_OVERLAY", "false")];
    let node = Node::dev(&[&settings[..], &more].concat()).await;
    eventually("the index and the price", SOON, async || {
        inputs(&node.json("/api/bitcoin/sentiment").await).ends_with(&["fear_greed", "momentum"])
    })
    .await;
    let sentiment = node.json("/api/bitcoin/sentiment").await;
    assert_eq!(sentiment["data"]["missing"], json!(["headlines"]), "without a key there are primers, which are no news");
    let weights: f64 =
        sentiment["data"]["inputs"].as_array().into_iter().flatten().filter_map(|input| input["weight"].as_f64()).sum();
    assert!((weights - 1.0).abs() < 1e-3, "{sentiment}");

    let summary = node.json("/api/bitcoin/market-summary").await["data"].take();
    let price = node.json("/api/v2/market/bitcoin/price").await;
    assert!(summary["price"] == price["price"] && summary["change_24h"] == price["change_percent_24h"], "{summary} {price}");
    let [now, dollars, percent] = ["price", "change_24h", "change_percent_24h"].map(|name| price[name].as_f64().expect(name));
    assert!((dollars - (now - now / (1.0 + percent / 100.0))).abs() < 0.006, "to the cent, as the price is: {price}");
    assert_eq!(node.get("/api/v2/market/crypto/ticker?symbols=BTC,NOPE").await.0, 404);
    assert_eq!(node.json("/api/v2/market/crypto/ticker/?symbols=ETH,BTC").await[1]["price"], price["price"]);
    assert_eq!(node.json("/api/v2/market/health").await["status"], "healthy");
}

#[tokio::test]
async fn a_text_of_ten_thousand_characters_is_read_and_one_more_is_refused() {
    let node = Node::dev_with(&["--feed", "simulated"], &[]).await;
    let long = format!("{}bitcoin soars", "\u{1F680}".repeat(9_987));
    let (status, reading) = analyze(&node, &long).await;
    assert_eq!((status, &reading["sentiment"], &reading["model"]), (200, &json!("positive"), &json!("baseline")));
    let (status, refusal) = analyze(&node, &format!("{long}!")).await;
    assert_eq!((status, &refusal["error"]["details"]["text"]), (400, &json!("has more than 10000 characters")));
}
