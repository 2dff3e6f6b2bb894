use async_trait::async_trait;
use coinlink_domain::market::{
    Symbol,
    candles::{CandleRecord, Interval, Span},
};
use time::OffsetDateTime;

use crate::shared::StoreError;

/// Which candles are kept where there are more than asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// The first ones.
    Oldest,
    /// The last ones.
    Newest,
}

/// What removing old candles came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pruned {
    /// Nothing more is left to remove.
    Done,
    /// There is more to remove.
    More,
    /// There is more, and somebody reads it just now: another time.
    Busy,
}

/// Some candles of one asset.
#[derive(Debug, Clone)]
pub struct CandleQuery {
    /// Whose.
    pub symbol: Symbol,
    /// How long each lasts.
    pub interval: Interval,
    /// When they open.
    pub span: Span,
    /// At most so many.
    pub limit: u32,
    /// Which, where there are more.
    pub keep: Keep,
    /// What time it is: a candle whose time is over by then is closed.
    pub now: OffsetDateTime,
}

/// Price history. A store keeps one candle of an asset, an interval and an `open_at`, which is a multiple of the interval. Every digit
/// is kept; `closed` is not, it follows from the time.
#[async_trait]
pub trait CandleStore: Send + Sync {
    /// Joins each candle with what is kept of the same time ([`CandleRecord::join`], what is given being the later), or keeps
    /// it as it is; all or nothing. Of one time twice in the list, the second is the later.
    async fn record(&self, interval: Interval, candles: &[CandleRecord]) -> Result<(), StoreError>;

    /// Writes each candle over what is kept of the same time; all or nothing. Of one time twice in the list, the last counts.
    async fn replace(&self, interval: Interval, candles: &[CandleRecord]) -> Result<(), StoreError>;

    /// What is asked for, oldest first.
    async fn read(&self, query: &CandleQuery) -> Result<Vec<CandleRecord>, StoreError>;

    /// All candles of these assets that open within `span`, by symbol, each one's oldest first.
    async fn read_all(
        &self,
        symbols: &[Symbol],
        interval: Interval,
        span: Span,
        now: OffsetDateTime,
    ) -> Result<Vec<CandleRecord>, StoreError>;

    /// When the newest candle opened; `None` where there is none.
    async fn newest(&self, symbol: &Symbol, interval: Interval) -> Result<Option<OffsetDateTime>, StoreError>;

    /// What is missing of the candles that would open within `span`, oldest first.
    async fn missing(&self, symbol: &Symbol, interval: Interval, span: Span) -> Result<Vec<Span>, StoreError>;

    /// Whether there is any candle of this asset.
    async fn knows(&self, symbol: &Symbol) -> Result<bool, StoreError>;

    /// Whether the store itself makes longer candles of minutes: then nobody else need do it.
    async fn rolls_up(&self) -> Result<bool, StoreError>;

    /// Makes what the months that come will be written to. Writing does without it, only more slowly.
    async fn prepare(&self, now: OffsetDateTime) -> Result<(), StoreError>;

    /// Removes candles of this interval that opened before `before`, about `limit` at a time; a store that keeps them by the month
    /// removes a month once all of it is older. No reader misses what it began to read, or waits for longer than a moment.
    async fn prune(&self, interval: Interval, before: OffsetDateTime, limit: u32) -> Result<Pruned, StoreError>;
}
