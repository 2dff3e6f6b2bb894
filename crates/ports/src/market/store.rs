use async_trait::async_trait;
use coinlink_domain::market::Quote;

use crate::shared::StoreError;

/// The last known price of each asset, kept so that a restart without a network still shows what was known.
#[async_trait]
pub trait LastKnownPrices: Send + Sync {
    /// Writes each quote over what is kept for its symbol, unless what is kept is newer; all or nothing. Ranks of symbols
    /// not among `quotes` are cleared: a rank belongs to one list.
    async fn remember(&self, quotes: &[Quote]) -> Result<(), StoreError>;

    /// All that is kept, ranked ones first by rank, then the others by symbol. Every digit and every microsecond as it
    /// was given.
    async fn recall(&self) -> Result<Vec<Quote>, StoreError>;
}
