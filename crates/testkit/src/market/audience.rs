use std::sync::{Arc, Mutex};

use coinlink_domain::market::{Tick, TickId};
use coinlink_ports::market::TickAudience;

use crate::shared::lock;

/// Remembers what it was shown.
#[derive(Debug, Default)]
pub struct RecordingAudience {
    ticks: Mutex<Vec<Arc<Tick>>>,
    replays: Mutex<usize>,
}

impl RecordingAudience {
    /// Every tick delivered, in order.
    pub fn ticks(&self) -> Vec<Arc<Tick>> {
        lock(&self.ticks).clone()
    }

    /// Their identities.
    pub fn ids(&self) -> Vec<TickId> {
        lock(&self.ticks).iter().map(|tick| tick.id).collect()
    }

    /// How often the newest tick was shown again as stale.
    pub fn stale_replays(&self) -> usize {
        *lock(&self.replays)
    }
}

impl TickAudience for RecordingAudience {
    fn deliver(&self, tick: Arc<Tick>) {
        lock(&self.ticks).push(tick);
    }

    fn replay_stale(&self) {
        *lock(&self.replays) += 1;
    }
}
