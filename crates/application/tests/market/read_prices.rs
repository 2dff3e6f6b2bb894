//! Lines of the newest tick.

use std::sync::Arc;

use coinlink_application::market::{AnalyzeText, AnalyzeTextError, ReadPrices, ReadPricesError, WantedPrices};
use coinlink_domain::market::{Symbol, TickItem};
use coinlink_testkit::market::ShownPrices;

use super::read_sentiment::{NOW, tick};

fn named(symbols: &[&str]) -> WantedPrices {
    WantedPrices::Named(symbols.iter().map(|symbol| Symbol::try_new(symbol).unwrap()).collect())
}

fn symbols(lines: &[TickItem]) -> Vec<&str> {
    lines.iter().map(|line| line.quote.symbol.as_str()).collect()
}

fn reading(listed: &[&str], stale: bool) -> ReadPrices {
    let shown = ShownPrices::default();
    let mut tick = tick(listed, Some("1"), NOW);
    tick.stale = stale;
    shown.show(tick);
    ReadPrices::new(Arc::new(shown))
}

#[test]
fn prices_come_in_the_order_they_are_asked_for_each_once() {
    let prices = reading(&["BTC", "ETH", "XRP"], false);
    assert_eq!(symbols(&prices.execute(&named(&["XRP", "BTC", "XRP"])).unwrap()), ["XRP", "BTC"]);
    assert_eq!(symbols(&prices.execute(&WantedPrices::First(2)).unwrap()), ["BTC", "ETH"]);
    assert_eq!(
        symbols(&prices.execute(&WantedPrices::Usual).unwrap()),
        ["BTC", "ETH"],
        "what is not known of the usual ones is left out"
    );
}

#[test]
fn symbols_that_nobody_lists_are_named() {
    let unknown = reading(&["BTC"], false).execute(&named(&["BTC", "NOPE", "ETH", "NOPE"]));
    let missing = ["NOPE", "ETH"].map(|symbol| Symbol::try_new(symbol).unwrap()).to_vec();
    assert_eq!(unknown, Err(ReadPricesError::Unknown(missing)));
}

#[test]
fn before_the_first_price_nothing_is_known() {
    let nothing = ReadPrices::new(Arc::new(ShownPrices::default()));
    assert_eq!(nothing.execute(&WantedPrices::Usual), Err(ReadPricesError::NotKnownYet));
    assert_eq!(reading(&[], true).execute(&named(&["BTC"])), Err(ReadPricesError::NotKnownYet), "an empty list is nothing known");
    assert_eq!(nothing.bitcoin(), None);
}

#[test]
fn each_line_of_a_stale_list_is_stale() {
    assert!(reading(&["BTC"], true).bitcoin().unwrap().0.stale);
    assert!(!reading(&["BTC"], false).bitcoin().unwrap().0.stale);
}

#[test]
fn a_text_of_nothing_and_one_of_too_much_are_not_read() {
    assert_eq!(AnalyzeText.execute(" \n"), Err(AnalyzeTextError::Empty));
    assert_eq!(AnalyzeText.execute(&"é".repeat(10_001)), Err(AnalyzeTextError::TooLong));
    assert!(AnalyzeText.execute(&"é".repeat(10_000)).is_ok());
}
