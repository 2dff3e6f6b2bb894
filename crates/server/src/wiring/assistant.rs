//! The assistant.

use std::sync::Arc;

use coinlink_application::{
    assistant::{AssistantAdapters, AssistantUseCases},
    market::MarketUseCases,
};
use coinlink_embedded::SystemEntropy;
use tokio::task::JoinSet;

use super::Surroundings;
use crate::{jobs::Led, serve::StartError};

/// The assistant, put together.
pub struct Assistant {
    pub use_cases: AssistantUseCases,
    pub jobs: AssistantJobs,
}

/// What runs beside requests.
pub struct AssistantJobs {}

impl AssistantJobs {
    /// Starts each of them; some work only while this node leads.
    pub fn spawn(self, jobs: &mut JoinSet<()>, led: &mut Led) {
        let _ = (jobs, led);
    }
}

/// All of it.
pub fn assistant(market: &MarketUseCases, around: &Surroundings) -> Result<Assistant, StartError> {
    let adapters =
        AssistantAdapters { market: market.clone(), clock: Arc::clone(&around.clock), entropy: Arc::new(SystemEntropy) };
    let use_cases = AssistantUseCases::new(adapters);
    Ok(Assistant { use_cases, jobs: AssistantJobs {} })
}
