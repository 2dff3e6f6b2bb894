use std::sync::Arc;

use coinlink_ports::{
    market::CurrentPrices,
    shared::{Clock, Entropy},
};

/// What notifications need from outside.
#[derive(Clone)]
pub struct NotificationsAdapters {
    /// What this node shows.
    pub prices: Arc<dyn CurrentPrices>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Names.
    pub entropy: Arc<dyn Entropy>,
}

/// What is asked of notifications and alerts.
#[derive(Clone)]
pub struct NotificationsUseCases {}

impl NotificationsUseCases {
    /// All of them.
    pub fn new(adapters: NotificationsAdapters) -> Self {
        drop(adapters);
        Self {}
    }
}
