//! Read prices: lines of the newest tick, by name or from the top.

use std::sync::Arc;

use coinlink_domain::market::{Symbol, TickItem};
use coinlink_ports::market::CurrentPrices;
use time::OffsetDateTime;

/// What is shown to who asks for nothing in particular.
const USUAL: [&str; 3] = ["BTC", "ETH", "SOL"];

/// Which prices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WantedPrices {
    /// Bitcoin, ether and solana, as far as they are known.
    Usual,
    /// The first so many of the list, by rank.
    First(usize),
    /// These, in this order, each once.
    Named(Vec<Symbol>),
}

/// Why there are none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadPricesError {
    /// No price was ever known.
    #[error("no price is known yet")]
    NotKnownYet,
    /// The list has no line of these.
    #[error("unknown symbols")]
    Unknown(Vec<Symbol>),
}

/// Reads them from memory: it never waits.
#[derive(Clone)]
pub struct ReadPrices {
    prices: Arc<dyn CurrentPrices>,
}

impl ReadPrices {
    /// Of what this shows.
    pub fn new(prices: Arc<dyn CurrentPrices>) -> Self {
        Self { prices }
    }

    /// Lines as they are shown: where the whole tick is stale, each line is.
    #[tracing::instrument(name = "market.read_prices", skip_all)]
    pub fn execute(&self, wanted: &WantedPrices) -> Result<Vec<TickItem>, ReadPricesError> {
        let current = self.prices.current().filter(|current| !current.tick.items.is_empty());
        let current = current.ok_or(ReadPricesError::NotKnownYet)?;
        let shown = |item: &TickItem| TickItem { stale: item.stale || current.stale, ..item.clone() };
        let line = |symbol: &str| current.tick.item(symbol).map(shown);
        match wanted {
            WantedPrices::Usual => Ok(USUAL.into_iter().filter_map(line).collect()),
            WantedPrices::First(most) => Ok(current.tick.items.iter().take(*most).map(shown).collect()),
            WantedPrices::Named(symbols) => {
                let mut seen = std::collections::HashSet::new();
                let symbols: Vec<_> = symbols.iter().filter(|symbol| seen.insert(*symbol)).collect();
                let unknown: Vec<_> =
                    symbols.iter().filter(|symbol| line(symbol.as_str()).is_none()).map(|s| (*s).clone()).collect();
                if unknown.is_empty() {
                    Ok(symbols.into_iter().filter_map(|symbol| line(symbol.as_str())).collect())
                } else {
                    Err(ReadPricesError::Unknown(unknown))
                }
            }
        }
    }

    /// Bitcoin's line, and when its list was published.
    pub fn bitcoin(&self) -> Option<(TickItem, OffsetDateTime)> {
        let current = self.prices.current()?;
        let line = current.tick.item("BTC")?;
        Some((TickItem { stale: line.stale || current.stale, ..line.clone() }, current.tick.timestamp))
    }
}
