//! The live feed against a real local socket server.

use std::{sync::Arc, time::Duration};

use coinlink_coinbase::{CoinbaseLiveFeed, LiveSettings};
use coinlink_domain::{
    market::{Quote, Source, Symbol},
    shared::backoff::FullJitter,
};
use coinlink_ports::{market::LiveQuotes, shared::Clock};
use coinlink_testkit::upstream_stub::{Mode, Provider, StubUpstream};
use time::OffsetDateTime;

struct System;

impl Clock for System {
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc()
    }

    fn monotonic(&self) -> time::Duration {
        time::Duration::ZERO
    }
}

const PATIENCE: Duration = Duration::from_secs(10);

fn feed_with(stub: &StubUpstream, silence: Duration) -> CoinbaseLiveFeed {
    let settings = LiveSettings {
        ws_url: stub.coinbase_ws_url(),
        base_url: stub.coinbase_url(),
        timeout: Duration::from_millis(500),
        silence,
        backoff: FullJitter { base: time::Duration::milliseconds(10), cap: time::Duration::milliseconds(50) },
    };
    CoinbaseLiveFeed::spawn(settings, Arc::new(System)).expect("valid settings")
}

fn feed(stub: &StubUpstream) -> CoinbaseLiveFeed {
    feed_with(stub, PATIENCE)
}

fn symbols(names: &[&str]) -> Vec<Symbol> {
    names.iter().map(|name| Symbol::try_new(name).expect("a symbol")).collect()
}

/// Waits for what happens on the other side of a socket.
async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("never: {what}"));
}

fn of(feed: &CoinbaseLiveFeed, symbol: &str) -> Option<Quote> {
    feed.latest().into_iter().find(|quote| quote.symbol.as_str() == symbol)
}

fn shows(feed: &CoinbaseLiveFeed, symbol: &str, price: &str) -> bool {
    of(feed, symbol).is_some_and(|quote| quote.price.usd().to_string() == price)
}

fn subscribed(stub: &StubUpstream, products: &[&str]) -> bool {
    stub.subscriptions().len() == 1 && {
        let mut known = stub.subscriptions().remove(0);
        known.sort();
        known == products
    }
}

#[tokio::test]
async fn nothing_is_connected_before_something_is_watched_or_after_nothing_is() {
    let stub = StubUpstream::start().await;
    let feed = feed(&stub);
    assert_eq!((stub.sockets(), feed.health().connected), (0, false));
    feed.watch(&symbols(&["BTC"]));
    until("a price", || feed.health().connected && stub.sockets() == 1 && of(&feed, "BTC").is_some()).await;
    feed.watch(&[]);
    until("disconnected", || !feed.health().connected && stub.sockets() == 0).await;
    assert_eq!((feed.health().connects, feed.health().gaps), (1, 0));
    assert!(of(&feed, "BTC").is_some(), "what was heard is kept");
}

#[tokio::test]
async fn a_ticker_becomes_a_live_quote_dated_by_coinbase() {
    let stub = StubUpstream::start().await;
    let feed = feed(&stub);
    let before = OffsetDateTime::now_utc();
    feed.watch(&symbols(&["BTC", "SHIB"]));
    until("subscribed", || subscribed(&stub, &["BTC-USD", "SHIB-USD"])).await;
    assert_eq!(stub.push_ticker("BTC", "64999.99"), 1);
    until("the price", || shows(&feed, "BTC", "64999.99") && shows(&feed, "SHIB", "0.000005938674704566297")).await;
    let btc = of(&feed, "BTC").unwrap();
    assert_eq!(btc.source, Source::CoinbaseLive);
    assert!(btc.as_of >= before && btc.as_of <= OffsetDateTime::now_utc());
    assert_eq!(btc.change_24h.unwrap().value().round_dp(4).to_string(), "2.0408");
}

#[tokio::test]
async fn only_listed_products_are_subscribed_to() {
    let stub = StubUpstream::start().await;
    let feed = feed(&stub);
    feed.watch(&symbols(&["BTC", "USDC", "BNB", "OLD", "ETH"]));
    until("subscribed", || subscribed(&stub, &["BTC-USD", "ETH-USD"])).await;
    assert_eq!(stub.calls_to("/coinbase/products"), 1);
}

#[tokio::test]
async fn without_the_list_of_products_refusals_tell_what_is_not_listed() {
    let stub = StubUpstream::start().await;
    stub.set_mode(Provider::Coinbase, Mode::status(500, "{}"));
    let feed = feed(&stub);
    feed.watch(&symbols(&["BNB", "BTC", "USDC", "ETH"]));
    until("subscribed", || subscribed(&stub, &["BTC-USD", "ETH-USD"])).await;
    until("prices", || of(&feed, "BTC").is_some() && of(&feed, "ETH").is_some()).await;
    assert_eq!(feed.health().gaps, 0, "on one connection");
}

#[tokio::test]
async fn another_set_is_followed_on_the_same_connection() {
    let stub = StubUpstream::start().await;
    let feed = feed(&stub);
    feed.watch(&symbols(&["BTC", "ETH"]));
    until("subscribed", || subscribed(&stub, &["BTC-USD", "ETH-USD"])).await;
    feed.watch(&symbols(&["SOL", "BTC"]));
    until("subscribed anew", || subscribed(&stub, &["BTC-USD", "SOL-USD"])).await;
    until("its price", || of(&feed, "SOL").is_some()).await;
    assert_eq!(feed.health().connects, 1);
}

#[tokio::test]
async fn a_lost_connection_is_made_again_and_counted_as_a_gap() {
    let stub = StubUpstream::start().await;
    let feed = feed(&stub);
    feed.watch(&symbols(&["BTC"]));
    for gaps in 0..3 {
        until("connected", || feed.health().connected && feed.health().gaps == gaps && stub.sockets() == 1).await;
        stub.drop_sockets();
    }
    until("connected again", || feed.health().gaps == 3).await;
    assert_eq!(feed.health().connects, 4);
}

#[tokio::test]
async fn a_provider_that_was_down_is_found_again() {
    let stub = StubUpstream::start().await;
    let feed = feed(&stub);
    feed.watch(&symbols(&["BTC"]));
    until("connected", || feed.health().connected).await;
    stub.stop().await;
    until("lost", || !feed.health().connected).await;
    stub.set_price("BTC", "70000.5");
    stub.restart().await;
    until("back", || shows(&feed, "BTC", "70000.5")).await;
    assert_eq!(feed.health().gaps, 1);
}

#[tokio::test]
async fn a_silent_connection_is_given_up() {
    let stub = StubUpstream::start().await;
    let feed = feed_with(&stub, Duration::from_millis(100));
    feed.watch(&symbols(&["BTC"]));
    until("two connections given up", || feed.health().gaps >= 2).await;
}

#[tokio::test]
async fn pings_are_answered_and_do_not_pass_for_data() {
    let stub = StubUpstream::start().await;
    let feed = feed_with(&stub, Duration::from_millis(200));
    feed.watch(&symbols(&["BTC"]));
    until("a gap in spite of the pings", || {
        stub.ping_sockets();
        feed.health().gaps >= 1
    })
    .await;
    assert!(stub.pongs() > 0);
}

#[tokio::test]
async fn frames_of_no_use_do_not_end_the_feed_and_unreadable_ones_are_counted() {
    let stub = StubUpstream::start().await;
    let feed = feed(&stub);
    feed.watch(&symbols(&["BTC"]));
    until("connected", || of(&feed, "BTC").is_some()).await;
    for frame in ["not json", "[1]", r#"{"type":"ticker","product_id":"BTC-USD","price":"-1"}"#, r#"{"type":"surprise","a":{}}"#]
    {
        stub.push_frame(frame);
    }
    stub.push_ticker("BTC", "65000");
    until("the price after them", || shows(&feed, "BTC", "65000")).await;
    assert_eq!((feed.health().dropped, feed.health().connects), (3, 1));
}

#[tokio::test]
async fn a_frame_that_goes_back_is_dropped_and_counted() {
    let stub = StubUpstream::start().await;
    let feed = feed(&stub);
    feed.watch(&symbols(&["BTC"]));
    until("connected", || of(&feed, "BTC").is_some()).await;
    stub.push_frame(r#"{"type":"ticker","product_id":"BTC-USD","sequence":1,"price":"1","time":"2999-01-01T00:00:00Z"}"#);
    until("counted", || feed.health().dropped == 1).await;
    assert!(!shows(&feed, "BTC", "1"));
}

#[tokio::test]
async fn an_error_that_names_none_of_our_products_starts_over() {
    let stub = StubUpstream::start().await;
    let feed = feed(&stub);
    feed.watch(&symbols(&["BTC"]));
    until("connected", || feed.health().connected).await;
    stub.push_frame(r#"{"type":"error","message":"ErrSlowConsume"}"#);
    until("a new connection", || feed.health().gaps == 1).await;
}

#[tokio::test]
async fn a_message_over_the_cap_ends_the_connection_not_the_feed() {
    let stub = StubUpstream::start().await;
    let feed = feed(&stub);
    feed.watch(&symbols(&["BTC"]));
    until("connected", || feed.health().connected).await;
    stub.push_frame(&"x".repeat(300 * 1024));
    until("a new connection", || feed.health().gaps == 1).await;
}

#[tokio::test]
async fn a_feed_that_is_dropped_closes_its_connection() {
    let stub = StubUpstream::start().await;
    let feed = feed(&stub);
    feed.watch(&symbols(&["BTC"]));
    until("connected", || stub.sockets() == 1).await;
    drop(feed);
    until("closed", || stub.sockets() == 0).await;
}

#[tokio::test]
async fn an_address_that_is_no_sockets_is_told_at_once() {
    let settings = LiveSettings { ws_url: "https://h".to_owned(), ..LiveSettings::default() };
    assert!(CoinbaseLiveFeed::spawn(settings, Arc::new(System)).is_err());
}
