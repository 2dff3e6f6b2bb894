//! Kraken's recorded shapes, served by a real local server.

use std::{sync::Arc, time::Duration};

use coinlink_domain::{
    market::{QuoteBatch, Source, Symbol},
    shared::upstream_failure::{FailureClass, UpstreamFailure},
};
use coinlink_kraken::{KrakenPrices, KrakenSettings};
use coinlink_ports::market::PriceProvider;
use coinlink_testkit::{
    shared::StoppedClock,
    upstream_stub::{Mode, Provider, StubUpstream},
};
use time::{OffsetDateTime, macros::datetime};

const NOW: OffsetDateTime = datetime!(2026-06-19 10:15:00 UTC);
const ONCE: FailureClass = FailureClass::Transient { retryable: false };
const AGAIN: FailureClass = FailureClass::Transient { retryable: true };
const QUOTA: FailureClass = FailureClass::Quota { retry_after: None };
const TICKER: &str = include_str!("fixtures/ticker.json");

fn symbols(names: &[&str]) -> Vec<Symbol> {
    names.iter().map(|name| Symbol::try_new(name).expect("a symbol")).collect()
}

async fn fetch(mode: Mode, wanted: &[&str]) -> Result<QuoteBatch, UpstreamFailure> {
    let stub = StubUpstream::start().await;
    stub.set_mode(Provider::Kraken, mode);
    let settings = KrakenSettings { base_url: stub.kraken_url(), timeout: Duration::from_secs(1) };
    let answer =
        KrakenPrices::new(&settings, Arc::new(StoppedClock::at(NOW))).expect("valid settings").fetch(&symbols(wanted)).await;
    assert_eq!(stub.calls(Provider::Kraken), 1, "every pair in one call");
    assert!(stub.requests()[0].query.is_empty(), "no pair is named, so none can spoil the call");
    answer
}

#[tokio::test]
async fn a_recorded_pair_becomes_a_quote_to_the_last_digit() {
    let batch = fetch(Mode::status(200, TICKER), &["BTC"]).await.unwrap();
    let btc = &batch.quotes[0];
    assert_eq!(btc.price.usd().to_string(), "64123.4");
    assert_eq!(btc.high_24h.unwrap().usd().to_string(), "65999.9");
    assert_eq!(btc.low_24h.unwrap().usd().to_string(), "63000.1");
    assert_eq!(btc.volume_24h.unwrap().to_string(), "159058093.7");
    assert_eq!((btc.source, btc.as_of), (Source::Kraken, NOW));
}

#[tokio::test]
async fn todays_open_is_not_sold_as_a_change_over_24_hours() {
    let batch = fetch(Mode::status(200, TICKER), &["BTC", "ETH", "SOL"]).await.unwrap();
    assert!(batch.quotes.iter().all(|quote| quote.change_24h.is_none() && quote.rank.is_none()));
}

#[tokio::test]
async fn krakens_names_are_translated_and_unusable_prices_left_out() {
    let wanted = ["XTZ", "USDT", "DOGE", "ETH", "BTC", "SOL", "ADA", "DOT", "LINK", "AAPLX", "NOPE", "XT"];
    let batch = fetch(Mode::status(200, TICKER), &wanted).await.unwrap();
    let found: Vec<_> = batch.quotes.iter().map(|quote| (quote.symbol.as_str(), quote.price.usd().to_string())).collect();
    let expected =
        [("XTZ", "0.6912"), ("USDT", "1.0002"), ("DOGE", "0.1234567"), ("ETH", "3120.7"), ("BTC", "64123.4"), ("SOL", "146.02")];
    assert_eq!(found, expected.map(|(symbol, price)| (symbol, price.to_owned())));
}

#[tokio::test]
async fn every_failure_has_its_class_whatever_the_status_says() {
    let error = |word: &str| Mode::status(200, &format!(r#"{{"error":["{word}"],"result":{{"XXBTZUSD":{{"c":["1","1"]}}}}}}"#));
    let throttled = format!("EService:Throttled: {}", NOW.unix_timestamp() + 9);
    for (mode, expected) in [
        (error("EAPI:Rate limit exceeded"), QUOTA),
        (error("EGeneral:Temporary lockout"), QUOTA),
        (error(&throttled), FailureClass::Quota { retry_after: Some(time::Duration::seconds(9)) }),
        (error("EService:Unavailable"), AGAIN),
        (error("EService:Busy"), AGAIN),
        (error("EQuery:Unknown asset pair"), FailureClass::Data),
        (error("EAPI:Invalid key"), FailureClass::Config),
        (Mode::status(503, r#"{"error":["EService:Unavailable"]}"#), AGAIN),
        (Mode::status(429, r#"{"error":["EAPI:Rate limit exceeded"]}"#), QUOTA),
        (Mode::status(200, "{}"), ONCE),
        (Mode::status(200, r#"{"error":[],"result":{}}"#), ONCE),
        (Mode::status(200, r#"{"error":[],"result":{"SOLUSD":{"c":["1","1"]}}}"#), FailureClass::Data),
        (Mode::status(520, "<html></html>"), ONCE),
    ]
    .into_iter()
    .chain(Mode::BROKEN.map(|mode| (mode, ONCE)))
    {
        let told = format!("{mode:?}");
        assert_eq!(fetch(mode, &["BTC"]).await.unwrap_err().class, expected, "{told}");
    }
}

#[tokio::test]
async fn the_stub_is_understood_as_the_recorded_answer_is() {
    let batch = fetch(Mode::Ok, &["BTC", "XTZ", "SHIB", "USDC"]).await.unwrap();
    assert_eq!(batch.quotes.len(), 4);
    assert_eq!(batch.quotes[2].price.usd().to_string(), "0.000005938674704566297");
}
