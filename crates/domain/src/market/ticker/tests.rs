use super::*;
use crate::market::{Percent, Price};
use rust_decimal::Decimal;
use time::macros::datetime;

const NOW: OffsetDateTime = datetime!(2026-01-01 0:10 UTC);

fn policy(size: usize) -> TickerPolicy {
    let periods = vec![
        (Source::CoinGecko, Duration::seconds(60)),
        (Source::Kraken, Duration::seconds(5)),
        (Source::CoinbaseLive, Duration::seconds(30)),
    ];
    TickerPolicy { size, periods, overlay: OverlayPolicy::default() }
}

fn quote(symbol: &str, price: u32, source: Source, as_of: OffsetDateTime) -> Quote {
    Quote::bare(Symbol::try_new(symbol).unwrap(), Price::try_new(price.into()).unwrap(), source, as_of)
}

fn ranked(symbol: &str, rank: u32, price: u32) -> Quote {
    Quote {
        rank: NonZeroU32::new(rank),
        name: Some(symbol.to_lowercase().into()),
        change_24h: Some(Percent::new(Decimal::ONE)),
        ..quote(symbol, price, Source::CoinGecko, NOW - Duration::seconds(20))
    }
}

fn batch(quotes: Vec<Quote>) -> QuoteBatch {
    QuoteBatch::collect(quotes[0].source, quotes).unwrap()
}

fn coingecko() -> QuoteBatch {
    batch(vec![ranked("BTC", 1, 100), ranked("ETH", 2, 50), ranked("USDT", 3, 1)])
}

fn names(listing: &Listing) -> Vec<(&str, bool)> {
    listing.items.iter().map(|item| (item.quote.symbol.as_str(), item.stale)).collect()
}

#[test]
fn before_anything_is_known_the_list_is_empty_and_stale() {
    let listing = Ticker::new(policy(50)).list(&[], false, NOW);
    assert_eq!(listing, Listing { source: None, as_of: None, stale: true, items: vec![] });
}

#[test]
fn a_fresh_answer_is_the_list_by_rank_with_stablecoins_in() {
    let mut ticker = Ticker::new(policy(50));
    ticker.take(coingecko());
    let listing = ticker.list(&[], true, NOW);
    assert_eq!(names(&listing), [("BTC", false), ("ETH", false), ("USDT", false)]);
    assert!(!listing.stale);
    assert_eq!(listing.source, Some(Source::CoinGecko));
}

#[test]
fn bitcoin_is_in_a_list_too_short_for_its_rank() {
    let mut ticker = Ticker::new(policy(2));
    ticker.take(batch(vec![ranked("A", 1, 9), ranked("B", 2, 8), ranked("C", 3, 7), ranked("BTC", 4, 6)]));
    assert_eq!(names(&ticker.list(&[], true, NOW)), [("A", false), ("BTC", false)]);
}

#[test]
fn what_an_answer_lacks_is_carried_and_marked() {
    let mut ticker = Ticker::new(policy(50));
    ticker.take(coingecko());
    ticker.take(batch(vec![quote("BTC", 101, Source::Kraken, NOW)]));
    let listing = ticker.list(&[], true, NOW);
    assert_eq!(names(&listing), [("BTC", false), ("ETH", true), ("USDT", true)]);
    let btc = &listing.items[0].quote;
    assert_eq!((btc.source, btc.rank.map(NonZeroU32::get), btc.name.as_deref()), (Source::Kraken, Some(1), Some("btc")));
    assert_eq!(btc.change_24h, None, "Kraken knows no 24 h change, and CoinGecko's belongs to another price");
    assert_eq!(listing.items[1].quote.source, Source::CoinGecko);
}

#[test]
fn a_replayed_list_keeps_its_values_is_stale_and_never_empty() {
    let mut ticker = Ticker::new(policy(50));
    ticker.take(coingecko());
    let fresh = ticker.list(&[], true, NOW);
    let replayed = ticker.list(&[], false, NOW + Duration::seconds(5));
    assert!(replayed.stale && replayed.items.iter().all(|item| item.stale));
    let values = |listing: &Listing| listing.items.iter().map(|item| item.quote.clone()).collect::<Vec<_>>();
    assert_eq!(values(&replayed), values(&fresh));
}

#[test]
fn data_older_than_twice_its_sources_period_is_stale_however_well_the_call_went() {
    let mut ticker = Ticker::new(policy(50));
    ticker.take(coingecko());
    let as_of = NOW - Duration::seconds(20);
    assert!(!ticker.list(&[], true, as_of + Duration::seconds(120)).stale);
    let late = ticker.list(&[], true, as_of + Duration::seconds(120) + Duration::MILLISECOND);
    assert!(late.stale && late.items[0].stale);
}

#[test]
fn a_new_universe_drops_what_it_does_not_rank() {
    let mut ticker = Ticker::new(policy(50));
    ticker.take(coingecko());
    ticker.take(batch(vec![ranked("BTC", 1, 100), ranked("SOL", 2, 20)]));
    assert_eq!(names(&ticker.list(&[], true, NOW)), [("BTC", false), ("SOL", false)]);
}

#[test]
fn what_was_known_before_the_start_is_shown_as_stale_until_a_source_answers() {
    let mut ticker = Ticker::new(policy(50));
    ticker.recall(coingecko().quotes);
    let listing = ticker.list(&[], false, NOW);
    assert_eq!(names(&listing), [("BTC", true), ("ETH", true), ("USDT", true)]);
    assert_eq!(listing.as_of, Some(NOW - Duration::seconds(20)));
    ticker.take(coingecko());
    assert!(!ticker.list(&[], true, NOW).stale);
}

#[test]
fn live_prices_move_a_line_and_say_so() {
    let mut ticker = Ticker::new(policy(50));
    ticker.take(coingecko());
    let live = |price, at| [quote("BTC", price, Source::CoinbaseLive, at)];
    ticker.list(&live(101, NOW), true, NOW);
    let listing = ticker.list(&live(102, NOW), true, NOW);
    let btc = &listing.items[0];
    assert_eq!((btc.quote.price.usd(), btc.quote.source, btc.stale), (102.into(), Source::CoinbaseLive, false));
    assert_eq!(btc.quote.change_24h, Some(Percent::new(Decimal::ONE)), "24 h changes stay CoinGecko's");
    assert_eq!(listing.items[1].quote.source, Source::CoinGecko);
}

#[test]
fn a_lost_live_feed_leaves_its_last_price_until_a_newer_one_comes() {
    let mut ticker = Ticker::new(policy(50));
    ticker.take(coingecko());
    let live = [quote("BTC", 103, Source::CoinbaseLive, NOW)];
    ticker.list(&live, true, NOW);
    ticker.list(&live, true, NOW);
    let lost = ticker.list(&[], true, NOW + Duration::seconds(5));
    assert_eq!(lost.items[0].quote.price.usd(), 103.into(), "no jump back to an older poll");
    let old = ticker.list(&[], true, NOW + Duration::seconds(61));
    assert!(old.items[0].stale, "but it grows old");
}

#[test]
fn a_live_price_shows_fresh_in_a_list_that_is_stale() {
    let mut ticker = Ticker::new(policy(50));
    ticker.take(coingecko());
    let live = [quote("BTC", 101, Source::CoinbaseLive, NOW)];
    ticker.list(&live, false, NOW);
    let listing = ticker.list(&live, false, NOW);
    assert!(listing.stale);
    assert_eq!(names(&listing), [("BTC", false), ("ETH", true), ("USDT", true)]);
}

#[test]
fn before_a_universe_is_known_the_defaults_are_asked_for() {
    let defaults = [Symbol::btc()];
    let mut ticker = Ticker::new(policy(2));
    assert_eq!(ticker.symbols(&defaults), defaults);
    ticker.take(coingecko());
    assert_eq!(ticker.symbols(&defaults).iter().map(Symbol::as_str).collect::<Vec<_>>(), ["BTC", "ETH"]);
}
