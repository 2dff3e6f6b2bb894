//! The contexts whose routes and jobs stand beside accounts and the ticker.

use tokio::task::JoinSet;

use super::{Assistant, Market, Notifications, Surroundings, assistant, market, notifications};
use crate::{broadcast::Broadcaster, jobs::Led, serve::StartError};

/// Each of them, put together.
pub struct Contexts {
    pub market: Market,
    pub assistant: Assistant,
    pub notifications: Notifications,
}

impl Contexts {
    /// Starts their jobs.
    pub fn spawn(self, jobs: &mut JoinSet<()>, led: &mut Led) {
        self.market.jobs.spawn(jobs, led);
        self.assistant.jobs.spawn(jobs, led);
        self.notifications.jobs.spawn(jobs, led);
    }
}

/// All of them.
pub fn contexts(broadcaster: &Broadcaster, around: &Surroundings) -> Result<Contexts, StartError> {
    let market = market(broadcaster, around)?;
    let assistant = assistant(&market.use_cases, around)?;
    let notifications = notifications(broadcaster, around)?;
    Ok(Contexts { market, assistant, notifications })
}
