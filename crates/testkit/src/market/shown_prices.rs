use std::sync::{Arc, Mutex};

use coinlink_domain::market::Tick;
use coinlink_ports::market::{CurrentPrices, CurrentTick};

use crate::shared::lock;

/// Shows the tick that it was given; nothing before.
#[derive(Debug, Default)]
pub struct ShownPrices(Mutex<Option<CurrentTick>>);

impl ShownPrices {
    /// Shows `tick` from now on, as stale as it says it is.
    pub fn show(&self, tick: Tick) {
        *lock(&self.0) = Some(CurrentTick { stale: tick.stale, tick: Arc::new(tick) });
    }
}

impl CurrentPrices for ShownPrices {
    fn current(&self) -> Option<CurrentTick> {
        lock(&self.0).clone()
    }
}
