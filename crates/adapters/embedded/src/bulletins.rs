use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use coinlink_domain::market::{AnyBulletin, BulletinKind};
use coinlink_ports::{
    market::BulletinBoard,
    shared::{BusError, Clock},
};
use time::Duration;

use crate::lock;

/// What was fetched from outside, in this process; a restart forgets it.
pub struct EmbeddedBulletins {
    clock: Arc<dyn Clock>,
    board: Mutex<BTreeMap<BulletinKind, AnyBulletin>>,
    turns: Mutex<BTreeMap<BulletinKind, Duration>>,
}

impl EmbeddedBulletins {
    /// A board with nothing on it, whose turns last by `clock`.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, board: Mutex::default(), turns: Mutex::default() }
    }
}

#[async_trait]
impl BulletinBoard for EmbeddedBulletins {
    async fn post(&self, bulletin: &AnyBulletin) -> Result<bool, BusError> {
        let mut board = lock(&self.board);
        let known = board.get(&bulletin.kind());
        let newer = known.is_none_or(|known| known.fetched_at() < bulletin.fetched_at());
        if newer {
            board.insert(bulletin.kind(), bulletin.clone());
        }
        Ok(newer)
    }

    async fn read(&self) -> Result<Vec<AnyBulletin>, BusError> {
        Ok(lock(&self.board).values().cloned().collect())
    }

    async fn take_turn(&self, kind: BulletinKind, every: Duration) -> Result<bool, BusError> {
        let now = self.clock.monotonic();
        let mut turns = lock(&self.turns);
        let free = turns.get(&kind).is_none_or(|until| *until <= now);
        if free {
            turns.insert(kind, now + every);
        }
        Ok(free)
    }
}
