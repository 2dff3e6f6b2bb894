use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use coinlink_ports::{
    market::{LeaderLease, Lease},
    shared::{BusError, Clock},
};
use time::Duration;

use crate::lock;

/// The lease of a cluster that lives in this process. Its only node always gets it; [`EmbeddedLease::rival`] stands for a
/// second node.
pub struct EmbeddedLease {
    node: u64,
    table: Arc<LeaseTable>,
}

/// Who leads, and the newest epoch. Time is monotonic: a wall clock that is set back neither stretches nor ends a lease.
pub(crate) struct LeaseTable {
    clock: Arc<dyn Clock>,
    nodes: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    epoch: u64,
    held: Option<Held>,
}

struct Held {
    node: u64,
    epoch: u64,
    until: Duration,
}

impl LeaseTable {
    /// The newest lease's epoch; 0 before the first.
    pub(crate) fn newest_epoch(&self) -> u64 {
        lock(&self.state).epoch
    }
}

impl State {
    fn holder(&mut self, now: Duration) -> Option<&mut Held> {
        self.held.as_mut().filter(|held| held.until > now)
    }
}

impl EmbeddedLease {
    /// The lease of a new cluster of one node.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let table = LeaseTable { clock, nodes: AtomicU64::new(1), state: Mutex::default() };
        Self { node: 0, table: Arc::new(table) }
    }

    /// The same lease, as another node sees it.
    #[must_use]
    pub fn rival(&self) -> Self {
        Self { node: self.table.nodes.fetch_add(1, Ordering::Relaxed), table: self.table.clone() }
    }

    pub(crate) fn table(&self) -> Arc<LeaseTable> {
        self.table.clone()
    }
}

#[async_trait]
impl LeaderLease for EmbeddedLease {
    async fn acquire(&self, ttl: Duration) -> Result<Option<Lease>, BusError> {
        let wall = self.table.clock.now().unix_timestamp_nanos() / 1_000_000;
        let now = self.table.clock.monotonic();
        let mut state = lock(&self.table.state);
        if state.holder(now).is_some_and(|held| held.node != self.node) {
            return Ok(None);
        }
        let epoch = (state.epoch + 1).max(u64::try_from(wall).unwrap_or(0));
        state.epoch = epoch;
        state.held = Some(Held { node: self.node, epoch, until: now + ttl });
        Ok(Some(Lease { epoch }))
    }

    async fn renew(&self, lease: Lease, ttl: Duration) -> Result<bool, BusError> {
        let now = self.table.clock.monotonic();
        let mut state = lock(&self.table.state);
        let ours = state.holder(now).filter(|held| held.node == self.node && held.epoch == lease.epoch);
        Ok(ours.map(|held| held.until = now + ttl).is_some())
    }

    async fn release(&self, lease: Lease) -> Result<(), BusError> {
        let mut state = lock(&self.table.state);
        if state.held.as_ref().is_some_and(|held| held.node == self.node && held.epoch == lease.epoch) {
            state.held = None;
        }
        Ok(())
    }
}
