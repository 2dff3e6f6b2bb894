//! Notifications and alerts.

use std::sync::Arc;

use coinlink_application::notifications::{NotificationsAdapters, NotificationsUseCases};
use coinlink_embedded::SystemEntropy;
use tokio::task::JoinSet;

use super::contexts::ContextParts;
use crate::{jobs::Led, serve::StartError};

/// Notifications and alerts, put together.
pub struct Notifications {
    pub use_cases: NotificationsUseCases,
    pub jobs: NotificationsJobs,
}

/// What runs beside requests.
pub struct NotificationsJobs {}

impl NotificationsJobs {
    /// Starts each of them; some work only while this node leads.
    pub fn spawn(self, jobs: &mut JoinSet<()>, led: &mut Led) {
        let _ = (jobs, led);
    }
}

/// All of it.
pub fn notifications(parts: &ContextParts<'_>) -> Result<Notifications, StartError> {
    let adapters = NotificationsAdapters {
        prices: Arc::new(parts.broadcaster.clone()),
        clock: Arc::clone(&parts.around.clock),
        entropy: Arc::new(SystemEntropy),
    };
    let use_cases = NotificationsUseCases::new(adapters);
    Ok(Notifications { use_cases, jobs: NotificationsJobs {} })
}
