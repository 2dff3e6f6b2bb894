//! What is fetched from outside now and then for the whole cluster: news, the market's mood, its totals, what is searched for.

use std::sync::Arc;

use rust_decimal::Decimal;
use time::OffsetDateTime;

use super::{Percent, Price, Source, Symbol};

/// What one fetch brought, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bulletin<T> {
    /// What it says.
    pub content: T,
    /// When we received it.
    pub fetched_at: OffsetDateTime,
}

/// Who news come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NewsSource {
    /// newsapi.org.
    NewsApi,
    /// Lasting primers that come with the program: no news.
    Curated,
}

impl NewsSource {
    /// The name on the wire and in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NewsApi => "newsapi",
            Self::Curated => "curated",
        }
    }
}

/// One headline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Article {
    /// The headline; plain text.
    pub title: Arc<str>,
    /// Where it can be read: `https://` or `http://`.
    pub url: Arc<str>,
    /// Who published it, for people.
    pub publisher: Arc<str>,
    /// What it is about, in a sentence or two; plain text.
    pub summary: Option<Arc<str>>,
    /// When it was published; `None` for what does not age.
    pub published_at: Option<OffsetDateTime>,
}

/// Headlines, the newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// Who they come from.
    pub source: NewsSource,
    /// The headlines.
    pub articles: Arc<[Article]>,
}

/// Alternative.me's Fear & Greed index of a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FearGreed {
    /// 0 (fear) to 100 (greed).
    pub value: u8,
    /// The provider's own word for it, passed through: `Extreme Fear`, `Neutral`, ….
    pub label: Arc<str>,
    /// The day it is of.
    pub as_of: OffsetDateTime,
    /// When the next one is expected.
    pub next_at: Option<OffsetDateTime>,
}

/// The whole market's figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarketTotals {
    /// Market capitalisation of all assets, US dollars.
    pub market_cap: Decimal,
    /// What was traded in 24 hours, US dollars.
    pub volume_24h: Decimal,
    /// Bitcoin's share of the market capitalisation.
    pub bitcoin_dominance: Percent,
    /// Assets that are traded.
    pub active_assets: u32,
    /// When the source says it was so.
    pub as_of: OffsetDateTime,
    /// Who says so.
    pub source: Source,
}

/// An asset that many people search for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrendingAsset {
    /// The source's name of it: `bitcoin`.
    pub id: Arc<str>,
    /// Its symbol.
    pub symbol: Symbol,
    /// Its name, for people.
    pub name: Arc<str>,
    /// Its price, US dollars.
    pub price: Option<Price>,
    /// The change over the last 24 hours.
    pub change_24h: Option<Percent>,
    /// Its place by market capitalisation.
    pub rank: Option<u32>,
}

/// What people search for, the most wanted first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trending {
    /// The assets.
    pub assets: Arc<[TrendingAsset]>,
    /// Who says so.
    pub source: Source,
}
