//! The contexts whose routes and jobs stand beside accounts and the ticker.

use std::sync::Arc;

use coinlink_ports::shared::SecretBox;
use coinlink_postgres::Database;
use tokio::task::{JoinHandle, JoinSet};

use super::{Assistant, Market, Notifications, Shared, Surroundings, assistant, market, notifications};
use crate::{broadcast::Broadcaster, cli::Feed, config::Settings, jobs::Led, serve::StartError, telemetry::Metrics};

/// What they are put together from.
pub struct ContextParts<'a> {
    pub settings: &'a Settings,
    /// Where prices come from.
    pub feed: Feed,
    pub shared: &'a Shared,
    pub database: &'a Database,
    pub secrets: &'a Arc<dyn SecretBox>,
    pub metrics: &'a Metrics,
    pub broadcaster: &'a Broadcaster,
    pub around: &'a Surroundings,
}

/// Each of them, put together.
pub struct Contexts {
    pub market: Market,
    pub assistant: Assistant,
    pub notifications: Notifications,
}

impl Contexts {
    /// Starts their jobs. The one that is answered has something to finish when the node ends.
    pub fn spawn(self, jobs: &mut JoinSet<()>, led: &mut Led) -> JoinHandle<()> {
        let recording = self.market.jobs.spawn(jobs, led);
        self.assistant.jobs.spawn(jobs);
        self.notifications.jobs.spawn(jobs, led);
        recording
    }
}

/// All of them.
pub fn contexts(parts: &ContextParts<'_>) -> Result<Contexts, StartError> {
    let market = market(parts)?;
    let assistant = assistant(&market.use_cases, parts)?;
    let notifications = notifications(parts)?;
    Ok(Contexts { market, assistant, notifications })
}
