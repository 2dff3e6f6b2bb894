use async_trait::async_trait;
use coinlink_domain::{
    market::{Quote, QuoteBatch, Source, Symbol},
    shared::upstream_failure::UpstreamFailure,
};

/// A source of prices that is asked.
#[async_trait]
pub trait PriceProvider: Send + Sync {
    /// Who answers.
    fn source(&self) -> Source;

    /// One answer for as many of `symbols` (most important first) as the source knows, in US dollars. A source that has
    /// its own universe answers with that instead. Assets whose price is missing, zero, negative or not a number are left
    /// out; an answer without a single usable price is a failure. Bounded to 3 s a request by the implementation, which
    /// never retries.
    async fn fetch(&self, symbols: &[Symbol]) -> Result<QuoteBatch, UpstreamFailure>;
}

/// How a live feed is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LiveFeedHealth {
    /// Connected and subscribed.
    pub connected: bool,
    /// Connections made since start.
    pub connects: u64,
    /// Messages dropped because a newer one of their product had come before, or because they could not be read.
    pub dropped: u64,
    /// Times the feed was away after it had been there: prices may have moved unseen.
    pub gaps: u64,
}

/// A source of prices that tells of itself.
pub trait LiveQuotes: Send + Sync {
    /// Follows these symbols from now on, as far as the source lists them; an empty list disconnects. Cheap when nothing
    /// changes; returns at once.
    fn watch(&self, symbols: &[Symbol]);

    /// The newest quote of each symbol heard of, however old.
    fn latest(&self) -> Vec<Quote>;

    /// How the feed is doing.
    fn health(&self) -> LiveFeedHealth;
}
