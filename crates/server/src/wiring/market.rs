//! The market beside the ticker.

use std::sync::Arc;

use coinlink_application::market::{MarketAdapters, MarketUseCases};
use tokio::task::JoinSet;

use super::Surroundings;
use crate::{broadcast::Broadcaster, jobs::Led, serve::StartError};

/// The market beside the ticker, put together.
pub struct Market {
    pub use_cases: MarketUseCases,
    pub jobs: MarketJobs,
}

/// What runs beside requests.
pub struct MarketJobs {}

impl MarketJobs {
    /// Starts each of them; some work only while this node leads.
    pub fn spawn(self, jobs: &mut JoinSet<()>, led: &mut Led) {
        let _ = (jobs, led);
    }
}

/// All of it.
pub fn market(broadcaster: &Broadcaster, around: &Surroundings) -> Result<Market, StartError> {
    let adapters = MarketAdapters { prices: Arc::new(broadcaster.clone()), clock: Arc::clone(&around.clock) };
    let use_cases = MarketUseCases::new(adapters);
    Ok(Market { use_cases, jobs: MarketJobs {} })
}
