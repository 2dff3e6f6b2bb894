use async_trait::async_trait;
use coinlink_domain::{
    market::{FearGreed, MarketTotals, News, Trending},
    shared::upstream_failure::UpstreamFailure,
};

/// A source of headlines. Asks once, bounded to 3 s by the implementation.
#[async_trait]
pub trait NewsProvider: Send + Sync {
    /// The newest headlines in English about bitcoin and other assets like it, newest first, as plain text. Rows without a title or
    /// an address of the web are left out; an answer without a single usable one is a failure.
    async fn fetch(&self) -> Result<News, UpstreamFailure>;
}

/// A source of the market's mood. Asks once, bounded to 3 s by the implementation.
#[async_trait]
pub trait MoodProvider: Send + Sync {
    /// Today's index. A figure that is no whole number of 0 to 100 is a failure.
    async fn fetch(&self) -> Result<FearGreed, UpstreamFailure>;
}

/// A source of what the whole market does. Asks once, bounded to 3 s by the implementation.
#[async_trait]
pub trait OverviewProvider: Send + Sync {
    /// The market's figures; one that is missing is a failure.
    async fn totals(&self) -> Result<MarketTotals, UpstreamFailure>;

    /// What people search for, the most wanted first. What has no usable symbol is left out; an empty list is a failure.
    async fn trending(&self) -> Result<Trending, UpstreamFailure>;
}
