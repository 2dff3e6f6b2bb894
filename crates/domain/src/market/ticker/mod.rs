//! The ticker's list: what the leader publishes each tick.

use std::{
    collections::{HashMap, HashSet},
    num::NonZeroU32,
};

use time::{Duration, OffsetDateTime};

use super::{Overlay, OverlayPolicy, Quote, QuoteBatch, Source, Symbol, TickItem};

/// How long the list is and how old its lines may be.
#[derive(Debug, Clone)]
pub struct TickerPolicy {
    /// Lines in the list.
    pub size: usize,
    /// How long each source serves the same answer; data older than twice this is stale.
    pub periods: Vec<(Source, Duration)>,
    /// When a live price replaces a polled one.
    pub overlay: OverlayPolicy,
}

impl TickerPolicy {
    fn is_old(&self, source: Source, as_of: OffsetDateTime, now: OffsetDateTime) -> bool {
        let period = self.periods.iter().find(|(known, _)| *known == source).map(|(_, period)| *period);
        period.is_none_or(|period| now - as_of > period * 2)
    }
}

/// The last known quote of every asset, and the newest answer of the active source.
#[derive(Debug, Clone)]
pub struct Ticker {
    policy: TickerPolicy,
    known: HashMap<Symbol, Quote>,
    /// The newest list's symbols: others are carried.
    fresh: HashSet<Symbol>,
    list: Option<(Source, OffsetDateTime)>,
    overlay: Overlay,
}

/// What is published, without its place in the order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// See [`super::Tick::source`].
    pub source: Option<Source>,
    /// See [`super::Tick::as_of`].
    pub as_of: Option<OffsetDateTime>,
    /// See [`super::Tick::stale`].
    pub stale: bool,
    /// See [`super::Tick::items`].
    pub items: Vec<TickItem>,
}

impl Ticker {
    /// A ticker that knows nothing.
    #[must_use]
    pub fn new(policy: TickerPolicy) -> Self {
        Self { policy, known: HashMap::new(), fresh: HashSet::new(), list: None, overlay: Overlay::default() }
    }

    /// Takes what was known before this process, or this leader, began. Everything from it is carried, so stale, until a
    /// source answers.
    pub fn recall(&mut self, quotes: impl IntoIterator<Item = Quote>) {
        for quote in quotes {
            if self.list.is_none_or(|(_, as_of)| as_of < quote.as_of) && quote.source != Source::CoinbaseLive {
                self.list = Some((quote.source, quote.as_of));
            }
            self.known.entry(quote.symbol.clone()).or_insert(quote);
        }
    }

    /// Takes the active source's newest answer. A source that ranks makes the universe: assets it does not name lose
    /// their rank. What a source without ranks does not say (rank, name, market capitalisation) is kept from before.
    pub fn take(&mut self, batch: QuoteBatch) {
        let ranks = batch.quotes.iter().any(|quote| quote.rank.is_some());
        if ranks {
            for quote in self.known.values_mut() {
                quote.rank = None;
            }
        }
        self.fresh = batch.quotes.iter().map(|quote| quote.symbol.clone()).collect();
        self.list = Some((batch.source, batch.as_of));
        for quote in batch.quotes {
            let before = self.known.remove(&quote.symbol);
            let merged = match before {
                Some(before) if !ranks => Quote {
                    name: quote.name.or(before.name),
                    rank: quote.rank.or(before.rank),
                    market_cap: quote.market_cap.or(before.market_cap),
                    ..quote
                },
                _ => quote,
            };
            self.known.insert(merged.symbol.clone(), merged);
        }
    }

    /// The symbols to ask a source without a universe for, and to follow live: the list's, most important first.
    #[must_use]
    pub fn symbols(&self, defaults: &[Symbol]) -> Vec<Symbol> {
        if self.known.is_empty() {
            return defaults.to_vec();
        }
        self.listed().into_iter().map(|quote| quote.symbol.clone()).collect()
    }

    /// The list at `now`. `delivered` is whether the active source's list is current; when it is not, the list is
    /// replayed and stale. Call once a tick: live prices are counted in ticks.
    pub fn list(&mut self, live: &[Quote], delivered: bool, now: OffsetDateTime) -> Listing {
        let live: HashMap<&Symbol, &Quote> = live.iter().map(|quote| (&quote.symbol, quote)).collect();
        let mut overlay = std::mem::take(&mut self.overlay);
        let items: Vec<TickItem> = self
            .listed()
            .into_iter()
            .map(|polled| {
                let quote = overlay.choose(polled, live.get(&polled.symbol).copied(), now, self.policy.overlay);
                let carried = quote.source != Source::CoinbaseLive && (!delivered || !self.fresh.contains(&quote.symbol));
                let stale = carried || self.policy.is_old(quote.source, quote.as_of, now);
                TickItem { quote, stale }
            })
            .collect();
        self.overlay = overlay;
        for item in items.iter().filter(|item| item.quote.source == Source::CoinbaseLive) {
            self.known.insert(item.quote.symbol.clone(), item.quote.clone());
        }
        Listing {
            source: self.list.map(|(source, _)| source),
            as_of: self.list.map(|(_, as_of)| as_of),
            stale: self.list.is_none_or(|(source, as_of)| !delivered || self.policy.is_old(source, as_of, now)),
            items,
        }
    }

    /// Everything known of the listed assets, to be kept for the next start.
    #[must_use]
    pub fn known(&self) -> Vec<Quote> {
        self.listed().into_iter().cloned().collect()
    }

    /// Ranked assets by rank, then the others as the default universe has them, then by symbol; cut to size, with BTC always in.
    fn listed(&self) -> Vec<&Quote> {
        let mut quotes: Vec<&Quote> = self.known.values().collect();
        if quotes.iter().any(|quote| quote.rank.is_some()) {
            quotes.retain(|quote| quote.rank.is_some() || quote.symbol.as_str() == "BTC");
        }
        let place =
            |quote: &Quote| super::DEFAULT_UNIVERSE.iter().position(|&s| s == quote.symbol.as_str()).unwrap_or(usize::MAX);
        quotes.sort_by(|a, b| {
            let rank = |quote: &Quote| quote.rank.map_or(u32::MAX, NonZeroU32::get);
            (rank(a), place(a), &a.symbol).cmp(&(rank(b), place(b), &b.symbol))
        });
        if let Some(btc) = quotes.iter().position(|quote| quote.symbol.as_str() == "BTC").filter(|&at| at >= self.policy.size) {
            quotes.swap(btc, self.policy.size.saturating_sub(1));
        }
        quotes.truncate(self.policy.size);
        quotes
    }
}

#[cfg(test)]
mod tests;
