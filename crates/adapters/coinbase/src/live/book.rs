use std::collections::HashMap;

use coinlink_domain::market::{Quote, Source, Symbol};
use coinlink_ports::market::LiveFeedHealth;
use time::OffsetDateTime;

use super::frames::Ticker;
use crate::product::quote;

/// The newest quote of each symbol, and how the feed is doing.
#[derive(Debug, Default)]
pub(super) struct Book {
    quotes: HashMap<Symbol, Quote>,
    /// Of this connection: nobody promises that numbers go on after Coinbase was restarted.
    sequences: HashMap<Symbol, u64>,
    health: LiveFeedHealth,
    was_lost: bool,
}

impl Book {
    pub(super) fn quotes(&self) -> Vec<Quote> {
        self.quotes.values().cloned().collect()
    }

    pub(super) const fn health(&self) -> LiveFeedHealth {
        self.health
    }

    /// The feed speaks to us.
    pub(super) fn connected(&mut self) {
        if !self.health.connected {
            self.health.connected = true;
            self.health.connects += 1;
            self.health.gaps += u64::from(std::mem::take(&mut self.was_lost));
        }
    }

    /// The connection is over; `lost` where we did not end it.
    pub(super) fn disconnected(&mut self, lost: bool) {
        self.was_lost |= lost && self.health.connected;
        self.health.connected = false;
        self.sequences.clear();
    }

    pub(super) fn unreadable(&mut self) {
        self.health.dropped += 1;
    }

    pub(super) fn take(&mut self, ticker: Ticker, now: OffsetDateTime) {
        let Ticker { symbol, sequence, price, day, time } = ticker;
        let known = self.sequences.get(&symbol).copied();
        let overtaken = sequence.zip(known).is_some_and(|(sequence, known)| sequence < known);
        // A moment still to come would never grow old, and would keep later quotes out.
        let as_of = time.min(now);
        if overtaken || self.quotes.get(&symbol).is_some_and(|quote| as_of < quote.as_of) {
            self.health.dropped += 1;
            return;
        }
        if let Some(sequence) = sequence {
            self.sequences.insert(symbol.clone(), sequence);
        }
        self.quotes.insert(symbol.clone(), quote(symbol, price, &day, Source::CoinbaseLive, as_of));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::product::Day;
    use coinlink_domain::market::Price;
    use coinlink_upstream::ExactDecimal;
    use time::{Duration, macros::datetime};

    const NOW: OffsetDateTime = datetime!(2026-01-01 0:00 UTC);

    fn ticker(sequence: u64, price: u32, time: OffsetDateTime) -> Ticker {
        let day = Day {
            open: ExactDecimal(Some(50.into())),
            high: ExactDecimal(None),
            low: ExactDecimal(None),
            volume: ExactDecimal(None),
        };
        Ticker { symbol: Symbol::btc(), sequence: Some(sequence), price: Price::try_new(price.into()).unwrap(), day, time }
    }

    fn shown(book: &Book) -> (String, OffsetDateTime) {
        let quotes = book.quotes();
        (quotes[0].price.usd().to_string(), quotes[0].as_of)
    }

    #[test]
    fn a_message_overtaken_by_a_newer_one_is_dropped_and_counted() {
        let mut book = Book::default();
        book.take(ticker(10, 100, NOW), NOW);
        book.take(ticker(9, 99, NOW), NOW);
        book.take(ticker(11, 98, NOW - Duration::SECOND), NOW);
        assert_eq!(shown(&book), ("100".to_owned(), NOW));
        assert_eq!(book.health().dropped, 2);
    }

    #[test]
    fn numbers_that_begin_again_with_a_new_connection_are_not_overtaken() {
        let mut book = Book::default();
        book.take(ticker(1_000, 100, NOW), NOW);
        book.disconnected(true);
        book.take(ticker(1, 101, NOW), NOW);
        assert_eq!((shown(&book).0.as_str(), book.health().dropped), ("101", 0));
    }

    #[test]
    fn a_moment_still_to_come_is_now_and_keeps_nothing_out() {
        let mut book = Book::default();
        book.take(ticker(1, 100, NOW + Duration::days(365)), NOW);
        assert_eq!(shown(&book).1, NOW);
        book.take(ticker(2, 101, NOW + Duration::SECOND), NOW + Duration::SECOND);
        assert_eq!(shown(&book).0, "101");
    }

    #[test]
    fn the_change_is_that_from_the_opening_price() {
        let mut book = Book::default();
        book.take(ticker(1, 100, NOW), NOW);
        assert_eq!(book.quotes()[0].change_24h.unwrap().value(), 100.into());
    }

    #[test]
    fn only_a_connection_that_was_lost_and_came_back_is_a_gap() {
        let mut book = Book::default();
        book.disconnected(true);
        book.connected();
        book.connected();
        book.disconnected(false);
        book.connected();
        assert_eq!((book.health().connects, book.health().gaps), (2, 0));
        book.disconnected(true);
        book.disconnected(true);
        assert_eq!(book.health().gaps, 0);
        book.connected();
        assert_eq!((book.health().connects, book.health().gaps, book.health().connected), (3, 1, true));
    }
}
