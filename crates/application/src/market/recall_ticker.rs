//! The list that leaders keep for the next start, for a node that got no tick yet.

use std::sync::Arc;

use coinlink_domain::market::{Listing, Sourcing, Tick, TickId, TickItem, Ticker};
use coinlink_ports::{
    market::LastKnownPrices,
    shared::{Clock, StoreError},
};

/// Makes a list of what is kept.
pub struct RecallTicker {
    /// What is kept.
    pub last_known: Arc<dyn LastKnownPrices>,
    /// A ticker that knows nothing.
    pub ticker: Ticker,
    /// Whose prices belong into it.
    pub sourcing: Sourcing,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

impl RecallTicker {
    /// The list, stale with all its lines and before every tick of a leader; `None` while nothing is kept.
    pub async fn execute(&self) -> Result<Option<Tick>, StoreError> {
        let quotes = self.last_known.recall().await?;
        let mut ticker = self.ticker.clone();
        ticker.recall(quotes.into_iter().filter(|quote| self.sourcing.mixes_with(quote.source)));
        let now = self.clock.now();
        let Listing { source, as_of, items, .. } = ticker.list(&[], false, now);
        if items.is_empty() {
            return Ok(None);
        }
        let items = items.into_iter().map(|item| TickItem { stale: true, ..item }).collect();
        Ok(Some(Tick { id: TickId::recalled(now), timestamp: now, source, as_of, stale: true, held: None, items }))
    }
}
