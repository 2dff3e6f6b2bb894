use std::sync::Arc;

use coinlink_domain::market::candles::Interval;
use coinlink_ports::{
    market::{CandleStore, Pruned},
    shared::{Clock, StoreError},
};
use time::Duration;

/// Rows removed at once where there are no months to drop.
const AT_ONCE: u32 = 5_000;

/// How long candles are kept; days are for ever.
#[derive(Debug, Clone, Copy)]
pub struct CandleRetention {
    /// Those of a minute.
    pub minutes: Duration,
    /// Those of five minutes.
    pub five_minutes: Duration,
    /// Those of an hour.
    pub hours: Duration,
}

/// Makes room for the candles that come and removes those that are too old.
pub struct PruneCandles {
    store: Arc<dyn CandleStore>,
    clock: Arc<dyn Clock>,
    retention: CandleRetention,
}

impl PruneCandles {
    /// In this store.
    pub fn new(store: Arc<dyn CandleStore>, clock: Arc<dyn Clock>, retention: CandleRetention) -> Self {
        Self { store, clock, retention }
    }

    /// Makes what the months that come will be written to.
    pub async fn prepare(&self) -> Result<(), StoreError> {
        self.store.prepare(self.clock.now()).await
    }

    /// Removes a part of what is too old of each interval, and says how far it came with the slowest.
    pub async fn execute(&self) -> Result<Pruned, StoreError> {
        let CandleRetention { minutes, five_minutes, hours } = self.retention;
        let kept = [(Interval::Minute, minutes), (Interval::FiveMinutes, five_minutes), (Interval::Hour, hours)];
        let now = self.clock.now();
        let mut slowest = Pruned::Done;
        for (interval, kept) in kept {
            let Some(before) = now.checked_sub(kept) else { continue };
            match (self.store.prune(interval, before, AT_ONCE).await?, slowest) {
                (Pruned::More, _) | (Pruned::Done, Pruned::More) => slowest = Pruned::More,
                (Pruned::Busy, Pruned::Done) => slowest = Pruned::Busy,
                _ => {}
            }
        }
        Ok(slowest)
    }
}
