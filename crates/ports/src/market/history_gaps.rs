use async_trait::async_trait;
use coinlink_domain::market::{
    Source, Symbol,
    candles::{Interval, Span},
};
use time::OffsetDateTime;

use crate::shared::StoreError;

/// Times of which a provider said that it has no candles, so that it is not asked for them again and again.
#[async_trait]
pub trait HistoryGaps: Send + Sync {
    /// The provider had nothing of these times when it was asked at `at`. Of one start only the last word is kept.
    async fn note(
        &self,
        symbol: &Symbol,
        interval: Interval,
        source: Source,
        gaps: &[Span],
        at: OffsetDateTime,
    ) -> Result<(), StoreError>;

    /// What was noted at `since` or later, oldest span first.
    async fn noted(
        &self,
        symbol: &Symbol,
        interval: Interval,
        source: Source,
        since: OffsetDateTime,
    ) -> Result<Vec<Span>, StoreError>;

    /// Forgets what was noted before `before`. Answers how many spans that were.
    async fn forget(&self, before: OffsetDateTime) -> Result<u64, StoreError>;
}
