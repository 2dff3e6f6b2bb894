use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use coinlink_ports::shared::Pause;
use time::Duration;

use super::{StoppedClock, lock};

/// Notes how long it was asked to wait, lets other tasks run once, and returns.
#[derive(Debug, Default)]
pub struct ManualPause {
    waits: Mutex<Vec<Duration>>,
    clock: Option<Arc<StoppedClock>>,
}

impl ManualPause {
    /// Moves `clock` by each wait, so that time seems to pass.
    pub fn advancing(clock: Arc<StoppedClock>) -> Self {
        Self { waits: Mutex::default(), clock: Some(clock) }
    }

    /// Every wait asked for, in order.
    pub fn waits(&self) -> Vec<Duration> {
        lock(&self.waits).clone()
    }
}

#[async_trait]
impl Pause for ManualPause {
    async fn pause(&self, wait: Duration) {
        lock(&self.waits).push(wait);
        if let Some(clock) = &self.clock {
            clock.advance(wait.max(Duration::ZERO));
        }
        tokio::task::yield_now().await;
    }
}
