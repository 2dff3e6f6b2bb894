//! One asset's price from one source.

use std::{num::NonZeroU32, sync::Arc};

use rust_decimal::Decimal;
use time::OffsetDateTime;

use super::{Percent, Price, Source, Symbol};

/// What one source says of one asset. What it does not say is `None`, never zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// The asset.
    pub symbol: Symbol,
    /// Its name, for people.
    pub name: Option<Arc<str>>,
    /// Its place by market capitalisation; 1 is the largest.
    pub rank: Option<NonZeroU32>,
    /// The price in US dollars.
    pub price: Price,
    /// The change over the last 24 hours.
    pub change_24h: Option<Percent>,
    /// The highest price of the last 24 hours, US dollars.
    pub high_24h: Option<Price>,
    /// The lowest price of the last 24 hours, US dollars.
    pub low_24h: Option<Price>,
    /// What was traded in the last 24 hours, US dollars.
    pub volume_24h: Option<Decimal>,
    /// Market capitalisation, US dollars.
    pub market_cap: Option<Decimal>,
    /// Who says so.
    pub source: Source,
    /// When the source says it was so; our receipt where the source gives no time.
    pub as_of: OffsetDateTime,
}

impl Quote {
    /// A quote of only what every source gives.
    #[must_use]
    pub fn bare(symbol: Symbol, price: Price, source: Source, as_of: OffsetDateTime) -> Self {
        Self {
            symbol,
            name: None,
            rank: None,
            price,
            change_24h: None,
            high_24h: None,
            low_24h: None,
            volume_24h: None,
            market_cap: None,
            source,
            as_of,
        }
    }
}

/// A source's answer to one call. Assets whose price was missing, zero, negative or not a number are not in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuoteBatch {
    /// Who answered.
    pub source: Source,
    /// The newest `as_of` of the quotes.
    pub as_of: OffsetDateTime,
    /// One quote a symbol, in the source's own order; never empty.
    pub quotes: Vec<Quote>,
}

impl QuoteBatch {
    /// Keeps the first quote of each symbol (a source that orders by market capitalisation means the first one);
    /// `None` where there is no quote at all.
    #[must_use]
    pub fn collect(source: Source, quotes: impl IntoIterator<Item = Quote>) -> Option<Self> {
        let mut seen = std::collections::HashSet::new();
        let quotes: Vec<_> = quotes.into_iter().filter(|quote| seen.insert(quote.symbol.clone())).collect();
        let as_of = quotes.iter().map(|quote| quote.as_of).max()?;
        Some(Self { source, as_of, quotes })
    }
}
