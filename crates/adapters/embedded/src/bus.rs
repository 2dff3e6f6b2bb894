use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use coinlink_domain::market::Tick;
use coinlink_ports::{
    market::{PublishError, TickFollower, TickerBus},
    operations::ClearableCache,
    shared::BusError,
};
use time::Duration;
use tokio::sync::watch;

use crate::{EmbeddedLease, lease::LeaseTable, lock};

/// Ticks within this process. Followers share one slot for the newest tick, not a queue: one that lags misses ticks, and
/// still gets the newest.
pub struct EmbeddedBus {
    leases: Arc<LeaseTable>,
    keep: usize,
    history: Mutex<VecDeque<Tick>>,
    newest: watch::Sender<Option<Tick>>,
}

impl EmbeddedBus {
    /// A bus that is fenced by the epochs of `lease` and keeps the newest `keep` ticks, at least one.
    pub fn new(lease: &EmbeddedLease, keep: usize) -> Self {
        let history = Mutex::new(VecDeque::with_capacity(keep));
        Self { leases: lease.table(), keep: keep.max(1), history, newest: watch::Sender::new(None) }
    }
}

#[async_trait]
impl TickerBus for EmbeddedBus {
    async fn publish(&self, tick: &Tick) -> Result<u64, PublishError> {
        let mut history = lock(&self.history);
        let newest = history.back().map(|newest| newest.id);
        let fence = self.leases.newest_epoch().max(newest.map_or(0, |id| id.epoch));
        if fence > tick.id.epoch {
            return Err(PublishError::Fenced { newer: fence });
        }
        if newest.is_some_and(|newest| newest >= tick.id) {
            return Err(PublishError::NotNewer);
        }
        if history.len() == self.keep {
            history.pop_front();
        }
        history.push_back(tick.clone());
        // Sent under the lock, so that followers see ticks in their order.
        self.newest.send_replace(Some(tick.clone()));
        Ok(self.newest.receiver_count() as u64)
    }

    async fn snapshot(&self) -> Result<Option<Tick>, BusError> {
        Ok(lock(&self.history).back().cloned())
    }

    async fn history(&self, count: usize) -> Result<Vec<Tick>, BusError> {
        let history = lock(&self.history);
        Ok(history.iter().skip(history.len().saturating_sub(count)).cloned().collect())
    }

    async fn follow(&self) -> Result<Box<dyn TickFollower>, BusError> {
        Ok(Box::new(SlotFollower(self.newest.subscribe())))
    }
}

#[async_trait]
impl ClearableCache for EmbeddedBus {
    fn name(&self) -> &'static str {
        "ticker"
    }

    fn is_shared(&self) -> bool {
        false
    }

    async fn clear(&self) -> Result<u64, BusError> {
        // The newest tick stays with those who follow: they have it already.
        let mut history = lock(&self.history);
        let entries = history.len() as u64 + u64::from(!history.is_empty());
        history.clear();
        Ok(entries)
    }
}

struct SlotFollower(watch::Receiver<Option<Tick>>);

#[async_trait]
impl TickFollower for SlotFollower {
    async fn next(&mut self, wait: Duration) -> Result<Option<Tick>, BusError> {
        let wait = std::time::Duration::try_from(wait).unwrap_or_default();
        match tokio::time::timeout(wait, self.0.changed()).await {
            Ok(Ok(())) => Ok(self.0.borrow_and_update().clone()),
            Ok(Err(_)) => Err(BusError("the bus is gone".into())),
            Err(_) => Ok(None),
        }
    }
}
