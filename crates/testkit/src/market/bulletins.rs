use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use coinlink_domain::{
    market::{
        Article, Bulletin, FearGreed, MarketTotals, News, NewsSource, Percent, Price, Source, Symbol, Trending, TrendingAsset,
    },
    shared::upstream_failure::UpstreamFailure,
};
use coinlink_ports::market::{MoodProvider, NewsProvider, OverviewProvider};
use rust_decimal::Decimal;
use time::{Duration, OffsetDateTime, macros::datetime};

use crate::shared::lock;

/// The day that made-up bulletins are of.
const DAY: OffsetDateTime = datetime!(2026-06-19 0:00 UTC);

/// Answers by script, and counts how often it was asked.
pub struct Scripted<T>(Mutex<(VecDeque<Result<T, UpstreamFailure>>, usize)>);

impl<T: Clone> Scripted<T> {
    /// Gives these answers in turn, then the last one for ever.
    ///
    /// # Panics
    /// Where there are none.
    pub fn new(answers: impl IntoIterator<Item = Result<T, UpstreamFailure>>) -> Self {
        let answers: VecDeque<_> = answers.into_iter().collect();
        assert!(!answers.is_empty(), "a script needs an answer");
        Self(Mutex::new((answers, 0)))
    }

    /// From now on it gives this answer.
    pub fn answer(&self, answer: Result<T, UpstreamFailure>) {
        lock(&self.0).0 = VecDeque::from([answer]);
    }

    /// How often it was asked.
    pub fn calls(&self) -> usize {
        lock(&self.0).1
    }

    fn next(&self) -> Result<T, UpstreamFailure> {
        let mut script = lock(&self.0);
        script.1 += 1;
        let last = script.0.len() == 1;
        let next = if last { script.0.front().cloned() } else { script.0.pop_front() };
        next.unwrap_or_else(|| unreachable!("the last answer stays"))
    }
}

#[async_trait]
impl NewsProvider for Scripted<News> {
    async fn fetch(&self) -> Result<News, UpstreamFailure> {
        self.next()
    }
}

#[async_trait]
impl MoodProvider for Scripted<FearGreed> {
    async fn fetch(&self) -> Result<FearGreed, UpstreamFailure> {
        self.next()
    }
}

/// Figures and searches by script.
pub struct ScriptedOverview {
    /// The figures.
    pub totals: Scripted<MarketTotals>,
    /// The searches.
    pub trending: Scripted<Trending>,
}

#[async_trait]
impl OverviewProvider for ScriptedOverview {
    async fn totals(&self) -> Result<MarketTotals, UpstreamFailure> {
        self.totals.next()
    }

    async fn trending(&self) -> Result<Trending, UpstreamFailure> {
        self.trending.next()
    }
}

/// So many headlines, an hour apart, the newest first.
pub fn some_news(count: u32) -> News {
    let article = |n: u32| Article {
        title: format!("Headline {n}").into(),
        url: format!("https://news.example/{n}").into(),
        publisher: "Example Times".into(),
        summary: (!n.is_multiple_of(3)).then(|| Arc::from("What it is about.")),
        published_at: Some(DAY - Duration::hours(n.into())),
    };
    News { source: NewsSource::NewsApi, articles: (0..count).map(article).collect() }
}

/// A day's index; the next one comes at midnight.
pub fn a_mood(value: u8) -> FearGreed {
    FearGreed { value, label: "Fear".into(), as_of: DAY, next_at: Some(DAY + Duration::DAY) }
}

/// The market's figures.
pub fn some_totals() -> MarketTotals {
    MarketTotals {
        market_cap: Decimal::from_i128_with_scale(2_345_678_901_234_123_456_789, 9),
        volume_24h: Decimal::new(9_876_543_210_123, 2),
        bitcoin_dominance: Percent::new(Decimal::new(561_234_567_890_123, 13)),
        active_assets: 17_423,
        as_of: DAY,
        source: Source::CoinGecko,
    }
}

/// So many assets that people search for; what can be missing is missing of the first.
pub fn some_trending(count: u32) -> Trending {
    let asset = |n: u32| TrendingAsset {
        id: format!("asset-{n}").into(),
        symbol: Symbol::try_new(&format!("A{n}")).unwrap_or_else(|_| Symbol::btc()),
        name: format!("Asset {n}").into(),
        price: Price::try_new(Decimal::new(7_821_066_970_851_871, 26) * Decimal::from(n)).ok(),
        change_24h: (n > 0).then(|| Percent::new(Decimal::new(-1_234_567, 6))),
        rank: (n > 0).then_some(n),
    };
    Trending { assets: (0..count).map(asset).collect(), source: Source::CoinGecko }
}

/// `content`, received then.
pub const fn fetched<T>(content: T, fetched_at: OffsetDateTime) -> Bulletin<T> {
    Bulletin { content, fetched_at }
}
