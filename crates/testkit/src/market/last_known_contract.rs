//! What every [`LastKnownPrices`] must do. Run by the fake and by the SQL store on each database.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::num::NonZeroU32;

use coinlink_domain::market::{Percent, Price, Quote, Source, Symbol};
use coinlink_ports::market::LastKnownPrices;
use rust_decimal::Decimal;
use time::{Duration, OffsetDateTime};

use super::{NOON, a_quote, a_ranked_quote};

fn quote_at(symbol: &str, usd: &str, as_of: OffsetDateTime) -> Quote {
    Quote { as_of, ..a_quote(symbol, usd) }
}

fn decimal(text: &str) -> Decimal {
    Decimal::from_str_exact(text).unwrap()
}

async fn recalled(store: &dyn LastKnownPrices, symbol: &str) -> Quote {
    let symbol = Symbol::try_new(symbol).unwrap();
    store.recall().await.unwrap().into_iter().find(|quote| quote.symbol == symbol).unwrap()
}

async fn order(store: &dyn LastKnownPrices) -> Vec<String> {
    store.recall().await.unwrap().iter().map(|quote| quote.symbol.to_string()).collect()
}

pub async fn an_empty_store_recalls_nothing(store: &dyn LastKnownPrices) {
    assert_eq!(store.recall().await.unwrap(), []);
}

pub async fn every_digit_and_every_microsecond_survives(store: &dyn LastKnownPrices) {
    let smallest = Quote {
        name: Some("Ünïcode 'quoted'; -- 🚀".into()),
        rank: NonZeroU32::new(u32::from(u16::MAX) * 2),
        change_24h: Some(Percent::new(decimal("-0.0000000000000000000000000001"))),
        high_24h: Some(Price::try_new(decimal("0.00000000007821066970851871")).unwrap()),
        low_24h: Some(Price::try_new(decimal("0.0000000000000000000000000001")).unwrap()),
        volume_24h: Some(decimal("79228162514264337593543950335")),
        market_cap: Some(decimal("7922816251426433.7593543950335")),
        source: Source::CoinbaseLive,
        ..quote_at("PEPE", "0.00000000007821066970851871", NOON + Duration::microseconds(123_457))
    };
    let bare = quote_at("BTC", "104718.10000000000001", OffsetDateTime::UNIX_EPOCH);
    let zeros = Quote { volume_24h: Some(Decimal::ZERO), ..a_quote("ETH", "1000000") };
    let quotes = [smallest, bare, zeros];
    store.remember(&quotes).await.unwrap();
    let recalled = store.recall().await.unwrap();
    assert_eq!(recalled, [quotes[0].clone(), quotes[1].clone(), quotes[2].clone()]);
    assert_eq!(recalled[0].price.usd().to_string(), "0.00000000007821066970851871");
    assert_eq!(recalled[0].market_cap.unwrap().to_string(), "7922816251426433.7593543950335");
}

/// A whole second and half a second later, in that order and in the other: as text they compare the wrong way round
/// unless the fraction is always written.
pub async fn an_older_quote_never_overwrites_a_newer_one(store: &dyn LastKnownPrices) {
    let half_a_second = (NOON, NOON + Duration::milliseconds(500), "BTC", "ETH");
    let a_microsecond = (NOON - Duration::MICROSECOND, NOON, "SOL", "ADA");
    for (earlier, later, newer_first, older_first) in [half_a_second, a_microsecond] {
        let newer = quote_at(newer_first, "2", later);
        store.remember(std::slice::from_ref(&newer)).await.unwrap();
        store.remember(&[quote_at(newer_first, "1", earlier)]).await.unwrap();
        assert_eq!(recalled(store, newer_first).await, newer);
        let newest = quote_at(older_first, "2", later);
        store.remember(&[quote_at(older_first, "1", earlier)]).await.unwrap();
        store.remember(std::slice::from_ref(&newest)).await.unwrap();
        assert_eq!(recalled(store, older_first).await, newest);
    }
}

/// The same moment said in another offset is the same moment.
pub async fn offsets_do_not_make_a_moment_newer(store: &dyn LastKnownPrices) {
    let newer = a_quote("BTC", "2");
    let earlier_elsewhere = (NOON - Duration::minutes(1)).to_offset(time::macros::offset!(+9));
    store.remember(std::slice::from_ref(&newer)).await.unwrap();
    store.remember(&[quote_at("BTC", "1", earlier_elsewhere)]).await.unwrap();
    assert_eq!(recalled(store, "BTC").await, newer);
}

pub async fn a_quote_of_the_same_moment_overwrites_and_takes_away_what_it_does_not_say(store: &dyn LastKnownPrices) {
    let full = Quote { name: Some("Bitcoin".into()), volume_24h: Some(Decimal::TEN), ..a_ranked_quote("BTC", "1", 1) };
    let correction = Quote { source: Source::Kraken, ..a_quote("BTC", "3") };
    store.remember(&[full]).await.unwrap();
    store.remember(std::slice::from_ref(&correction)).await.unwrap();
    assert_eq!(store.recall().await.unwrap(), [correction]);
}

pub async fn ranks_of_symbols_that_are_not_listed_any_more_are_cleared(store: &dyn LastKnownPrices) {
    store
        .remember(&[a_ranked_quote("BTC", "1", 1), a_ranked_quote("LUNA", "1", 2), a_ranked_quote("ETH", "1", 3)])
        .await
        .unwrap();
    store.remember(&[a_ranked_quote("BTC", "1", 1), a_ranked_quote("ETH", "1", 2)]).await.unwrap();
    assert_eq!(recalled(store, "LUNA").await, a_quote("LUNA", "1"));
    assert_eq!(recalled(store, "ETH").await.rank, NonZeroU32::new(2));
    store.remember(&[]).await.unwrap();
    assert!(store.recall().await.unwrap().iter().all(|quote| quote.rank.is_none()));
}

pub async fn ranked_ones_come_first_by_rank_then_the_others_by_symbol(store: &dyn LastKnownPrices) {
    let others = ["zrx", "$X", "BSC-USD", "B", "B2", "USD+", "A_B", "A.B"].map(|symbol| a_quote(symbol, "1"));
    let quotes: Vec<_> = others
        .into_iter()
        .chain([a_ranked_quote("SOL", "1", 10), a_ranked_quote("ZEC", "1", 9), a_ranked_quote("BTC", "1", 1)])
        .collect();
    store.remember(&quotes).await.unwrap();
    let expected = ["BTC", "ZEC", "SOL", "$X", "A.B", "A_B", "B", "B2", "BSC-USD", "USD+", "ZRX"];
    assert_eq!(order(store).await, expected);
}

pub async fn of_one_symbol_twice_in_a_list_the_newer_is_kept(store: &dyn LastKnownPrices) {
    let newer = quote_at("BTC", "2", NOON + Duration::SECOND);
    store.remember(&[newer.clone(), a_quote("BTC", "1")]).await.unwrap();
    assert_eq!(store.recall().await.unwrap(), [newer]);
}

/// Above what one statement can carry on either database.
pub async fn a_list_of_thousands_is_written_whole(store: &dyn LastKnownPrices) {
    let quotes: Vec<_> = (1..=3_500).map(|n| a_ranked_quote(&format!("S{n:04}"), "1", n)).collect();
    store.remember(&quotes).await.unwrap();
    assert_eq!(store.recall().await.unwrap(), quotes);
    store.remember(&quotes[..1]).await.unwrap();
    assert_eq!(store.recall().await.unwrap().iter().filter(|quote| quote.rank.is_some()).count(), 1);
}

/// Two nodes that both think they lead: whoever comes last, the ranks are those of one list.
pub async fn two_writers_at_once_leave_the_ranks_of_one_list(store: &dyn LastKnownPrices) {
    let listing =
        |first: u32| (0..40).map(|n| a_ranked_quote(&format!("S{:02}", (first + n) % 60), "1", n + 1)).collect::<Vec<_>>();
    let (one, other) = (listing(0), listing(20));
    for _ in 0..5 {
        let (first, second) = tokio::join!(store.remember(&one), store.remember(&other));
        first.and(second).unwrap();
        let mut ranks: Vec<_> = store.recall().await.unwrap().into_iter().filter_map(|quote| quote.rank).collect();
        ranks.dedup();
        assert_eq!(ranks.len(), 40);
    }
}

#[macro_export]
macro_rules! last_known_prices_contract {
    ($($case:ident),+ $(,)? => $store:expr) => {
        $(#[tokio::test]
        async fn $case() {
            let store = $store;
            $crate::market::last_known_contract::$case(&*store).await;
        })+
    };
    ($store:expr) => {
        $crate::last_known_prices_contract!(
            an_empty_store_recalls_nothing,
            every_digit_and_every_microsecond_survives,
            an_older_quote_never_overwrites_a_newer_one,
            offsets_do_not_make_a_moment_newer,
            a_quote_of_the_same_moment_overwrites_and_takes_away_what_it_does_not_say,
            ranks_of_symbols_that_are_not_listed_any_more_are_cleared,
            ranked_ones_come_first_by_rank_then_the_others_by_symbol,
            of_one_symbol_twice_in_a_list_the_newer_is_kept,
            a_list_of_thousands_is_written_whole,
            two_writers_at_once_leave_the_ranks_of_one_list,
            => $store
        );
    };
}
