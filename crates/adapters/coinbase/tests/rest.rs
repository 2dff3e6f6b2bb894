//! Coinbase's recorded shapes over REST, served by a real local server.

use std::{sync::Arc, time::Duration};

use coinlink_coinbase::{CoinbasePrices, CoinbaseSettings};
use coinlink_domain::{
    market::{QuoteBatch, Source, Symbol},
    shared::upstream_failure::{FailureClass, UpstreamFailure},
};
use coinlink_ports::market::PriceProvider;
use coinlink_testkit::{
    shared::StoppedClock,
    upstream_stub::{Mode, Provider, StubUpstream},
};
use time::{OffsetDateTime, macros::datetime};

const NOW: OffsetDateTime = datetime!(2026-06-19 10:15:00 UTC);
const ONCE: FailureClass = FailureClass::Transient { retryable: false };

fn symbols(names: &[&str]) -> Vec<Symbol> {
    names.iter().map(|name| Symbol::try_new(name).expect("a symbol")).collect()
}

fn provider(stub: &StubUpstream) -> CoinbasePrices {
    let settings =
        CoinbaseSettings { base_url: stub.coinbase_url(), timeout: Duration::from_secs(1), ..CoinbaseSettings::default() };
    CoinbasePrices::new(&settings, Arc::new(StoppedClock::at(NOW))).expect("valid settings")
}

async fn fetch(mode: Mode, wanted: &[&str]) -> Result<QuoteBatch, UpstreamFailure> {
    let stub = StubUpstream::start().await;
    stub.set_mode(Provider::Coinbase, mode);
    provider(&stub).fetch(&symbols(wanted)).await
}

#[tokio::test]
async fn a_recorded_product_becomes_a_quote_to_the_last_digit() {
    let batch = fetch(Mode::status(200, include_str!("fixtures/stats.json")), &["BTC"]).await.unwrap();
    let btc = &batch.quotes[0];
    assert_eq!(btc.price.usd().to_string(), "64123.45");
    assert_eq!(btc.change_24h.unwrap().value().to_string(), "-1.99846953");
    assert_eq!(btc.high_24h.unwrap().usd().to_string(), "65999.99");
    assert_eq!(btc.low_24h.unwrap().usd().to_string(), "63000.01");
    assert_eq!(btc.volume_24h.unwrap().to_string(), "501535151.83");
    assert_eq!((btc.source, btc.as_of, btc.rank), (Source::Coinbase, NOW, None));
    let without = fetch(Mode::status(200, include_str!("fixtures/stats_without_rfq.json")), &["BTC"]).await.unwrap();
    assert_eq!(without.quotes[0].change_24h.unwrap().value(), 10.into());
}

#[tokio::test]
async fn quotes_keep_the_order_of_the_question_and_unlisted_products_are_left_out() {
    let batch = fetch(Mode::Ok, &["SOL", "USDC", "BTC", "BNB", "SHIB", "ETH"]).await.unwrap();
    let found: Vec<_> = batch.quotes.iter().map(|quote| quote.symbol.as_str()).collect();
    assert_eq!(found, ["SOL", "BTC", "SHIB", "ETH"]);
    assert_eq!(batch.quotes[2].price.usd().to_string(), "0.000005938674704566297");
}

#[tokio::test]
async fn a_product_that_was_not_found_is_not_asked_for_again() {
    let stub = StubUpstream::start().await;
    let provider = provider(&stub);
    for _ in 0..3 {
        provider.fetch(&symbols(&["BTC", "USDC"])).await.unwrap();
    }
    assert_eq!(stub.calls_to("/coinbase/products/USDC-USD"), 1);
    assert_eq!(stub.calls_to("/coinbase/products/BTC-USD/stats"), 3);
}

#[tokio::test]
async fn an_address_where_nothing_is_found_does_not_unlist_everything() {
    let stub = StubUpstream::start().await;
    let provider = provider(&stub);
    stub.set_mode(Provider::Coinbase, Mode::status(404, r#"{"message":"NotFound"}"#));
    assert_eq!(provider.fetch(&symbols(&["BTC", "ETH"])).await.unwrap_err().class, FailureClass::Data);
    stub.set_mode(Provider::Coinbase, Mode::Ok);
    assert_eq!(provider.fetch(&symbols(&["BTC", "ETH"])).await.unwrap().quotes.len(), 2);
}

#[tokio::test]
async fn at_most_forty_products_are_asked_for_most_important_first() {
    let stub = StubUpstream::start().await;
    let many: Vec<_> = (0..60).map(|i| format!("A{i}")).collect();
    for symbol in &many {
        stub.set_price(symbol, "1.5");
    }
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    let settings = CoinbaseSettings { base_url: stub.coinbase_url(), ..CoinbaseSettings::default() };
    let batch = CoinbasePrices::new(&settings, Arc::new(StoppedClock::at(NOW))).unwrap().fetch(&symbols(&many)).await.unwrap();
    assert_eq!(stub.calls(Provider::Coinbase), 40);
    let found: Vec<_> = batch.quotes.iter().map(|quote| quote.symbol.as_str()).collect();
    assert_eq!(found, many[..40]);
}

#[tokio::test]
async fn what_has_come_by_the_deadline_is_the_answer() {
    let stub = StubUpstream::start().await;
    let many: Vec<_> = (0..40).map(|i| format!("A{i}")).collect();
    for symbol in &many {
        stub.set_price(symbol, "1.5");
    }
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    let batch = provider(&stub).fetch(&symbols(&many)).await.unwrap();
    assert!((1..30).contains(&batch.quotes.len()), "{} of 40 in 1 s at 10 a second after 15", batch.quotes.len());
}

#[tokio::test]
async fn every_failure_has_its_class() {
    let words = r#"{"message":"Public rate limit exceeded"}"#;
    let quota = FailureClass::Quota { retry_after: Some(time::Duration::seconds(3)) };
    for (mode, expected) in [
        (Mode::status_with(429, words, "Retry-After", "3"), quota),
        (Mode::status(401, r#"{"message":"no"}"#), FailureClass::Config),
        (Mode::status(404, r#"{"message":"NotFound"}"#), FailureClass::Data),
        (Mode::status(503, "{}"), FailureClass::Transient { retryable: true }),
        (Mode::status(500, r#"{"message":"Internal server error"}"#), ONCE),
        (Mode::status(200, r#"{"last":"0","open":"1"}"#), ONCE),
        (Mode::status(200, "[]"), ONCE),
    ]
    .into_iter()
    .chain(Mode::BROKEN.map(|mode| (mode, ONCE)))
    {
        let told = format!("{mode:?}");
        assert_eq!(fetch(mode, &["BTC", "ETH"]).await.unwrap_err().class, expected, "{told}");
    }
}

#[tokio::test]
async fn whoever_is_told_to_stop_asking_stops() {
    let stub = StubUpstream::start().await;
    stub.set_mode(Provider::Coinbase, Mode::status(429, "{}"));
    let many = ["BTC", "ETH", "SOL", "XRP", "DOGE", "ADA", "AVAX", "TRX", "LINK", "DOT", "LTC", "UNI"];
    provider(&stub).fetch(&symbols(&many)).await.unwrap_err();
    assert!(stub.calls(Provider::Coinbase) <= 8, "{} calls", stub.calls(Provider::Coinbase));
}
