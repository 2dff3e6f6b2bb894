use async_trait::async_trait;
use coinlink_domain::{
    operations::{Checkpoint, Head, Kept, Retirement, Seal},
    shared::audit::AuditEntry,
};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::shared::StoreError;

/// A place in the audit log, which is read in the order of time, then id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LogPlace {
    /// An entry's time.
    pub at: OffsetDateTime,
    /// The entry.
    pub id: Uuid,
}

/// What is newest in the chain.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChainEnd {
    /// The newest seal.
    pub seal: Option<Seal>,
    /// The checkpoint of the newest seal that has one.
    pub checkpoint: Option<Checkpoint>,
    /// The newest time among the entries of the last thousand seals.
    pub newest_entry: Option<OffsetDateTime>,
}

/// A stretch of the log.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UnsealedPage {
    /// Its entries that have no seal, in the log's order.
    pub entries: Vec<AuditEntry>,
    /// Its rows that have no seal and cannot get one: a field holds what is never written there, or another row has the id.
    pub foreign: Vec<Uuid>,
    /// Where it ends, when there may be more after it.
    pub next: Option<LogPlace>,
}

/// What came of an [`AuditChain::append`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appended {
    /// It is stored.
    Done,
    /// Somebody else was faster: the chain does not end there any more, and nothing was stored.
    Overtaken,
}

/// The chain of seals beside the audit log. Only what is committed is seen and sealed.
#[async_trait]
pub trait AuditChain: Send + Sync {
    /// Makes room for the entries of the coming months, where the log is divided by month. Once a day is enough; where it is
    /// not done, entries are stored all the same.
    async fn prepare(&self) -> Result<(), StoreError>;

    /// What is newest.
    async fn end(&self) -> Result<ChainEnd, StoreError>;

    /// The stretch of at most `limit` rows of the log after `after`, or from its beginning.
    async fn unsealed(&self, after: Option<LogPlace>, limit: u32) -> Result<UnsealedPage, StoreError>;

    /// Appends seals and a checkpoint to a chain that ends at `head`: all or nothing, one caller at a time. A checkpoint that is
    /// stored already is not stored again.
    async fn append(&self, head: Head, seals: &[Seal], checkpoint: Option<&Checkpoint>) -> Result<Appended, StoreError>;

    /// The first `limit` seals after number `after`, or from the beginning, in order, and what there is under their ids.
    async fn seals(&self, after: Option<i64>, limit: u32) -> Result<Vec<(Seal, Kept)>, StoreError>;

    /// The checkpoints of seals after number `after`, or from the beginning, up to and with `to`; in order.
    async fn checkpoints(&self, after: Option<i64>, to: i64) -> Result<Vec<Checkpoint>, StoreError>;

    /// Every retirement, in the order of their seals.
    async fn retirements(&self) -> Result<Vec<Retirement>, StoreError>;
}
