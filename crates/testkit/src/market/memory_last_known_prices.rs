use std::{
    collections::{BTreeMap, HashSet},
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use coinlink_domain::market::{Quote, Symbol};
use coinlink_ports::{market::LastKnownPrices, shared::StoreError};

/// Keeps prices as long as the test runs.
#[derive(Debug, Default)]
pub struct MemoryLastKnownPrices(Mutex<BTreeMap<Symbol, Quote>>);

#[async_trait]
impl LastKnownPrices for MemoryLastKnownPrices {
    async fn remember(&self, quotes: &[Quote]) -> Result<(), StoreError> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let listed: HashSet<&Symbol> = quotes.iter().map(|quote| &quote.symbol).collect();
        for (_, quote) in kept.iter_mut().filter(|(symbol, _)| !listed.contains(symbol)) {
            quote.rank = None;
        }
        for quote in quotes {
            if kept.get(&quote.symbol).is_none_or(|kept| kept.as_of <= quote.as_of) {
                kept.insert(quote.symbol.clone(), quote.clone());
            }
        }
        Ok(())
    }

    async fn recall(&self) -> Result<Vec<Quote>, StoreError> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut quotes: Vec<Quote> = kept.values().cloned().collect();
        quotes.sort_by_key(|quote| quote.rank.map_or(u32::MAX, std::num::NonZero::get));
        Ok(quotes)
    }
}
