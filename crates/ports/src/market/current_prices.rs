use std::sync::Arc;

use coinlink_domain::market::Tick;

/// What this node shows.
#[derive(Debug, Clone)]
pub struct CurrentTick {
    /// The newest tick.
    pub tick: Arc<Tick>,
    /// It is old by its source, or repeated because no newer one came.
    pub stale: bool,
}

/// The newest prices on this node, from memory.
pub trait CurrentPrices: Send + Sync {
    /// `None` until the first tick came.
    fn current(&self) -> Option<CurrentTick>;
}
