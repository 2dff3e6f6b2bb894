use std::sync::Arc;

use coinlink_ports::{market::CurrentPrices, shared::Clock};

use super::Bulletins;

/// What the market's routes need from outside.
#[derive(Clone)]
pub struct MarketAdapters {
    /// What this node shows.
    pub prices: Arc<dyn CurrentPrices>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

/// What is asked of the market.
#[derive(Clone)]
pub struct MarketUseCases {
    /// What this node knows of what was fetched for the cluster.
    pub bulletins: Arc<Bulletins>,
    /// What this node shows.
    pub prices: Arc<dyn CurrentPrices>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

impl MarketUseCases {
    /// All of them.
    pub fn new(adapters: MarketAdapters) -> Self {
        let MarketAdapters { prices, clock } = adapters;
        Self { bulletins: Arc::default(), prices, clock }
    }
}
