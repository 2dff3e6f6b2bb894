use std::collections::BTreeMap;

use async_trait::async_trait;
use coinlink_domain::{
    operations::{Hash, Kept, LogMonth, Retirement, Seal},
    shared::audit::AuditEntry,
};
use time::OffsetDateTime;

use super::LogPlace;
use crate::shared::StoreError;

/// Why a month of the log was not dropped. Nothing of it was, then.
#[derive(Debug, thiserror::Error)]
pub enum RetentionError {
    /// The log is not divided by month.
    #[error(
        "the audit log of SQLite is not divided by month: `coinlink dev` keeps all of it, PostgreSQL is what retention is for"
    )]
    Undivided,
    /// Whoever asks may not.
    #[error("the role {0} does not own the audit log: months are dropped by the owner of the schema, who also migrates it")]
    NotOwner(String),
    /// Somebody else drops months at this moment.
    #[error("another `coinlink audit retire` is under way")]
    UnderWay,
    /// Others use the log for so long that it could not be had alone for the moment that it takes.
    #[error("the audit log was in use for too long by others, such as a backup: try again later")]
    Busy,
    /// What lies in a month's partition is not that month alone.
    #[error("the partition of {0} holds other rows than those of its month, or they changed meanwhile")]
    Mixed(LogMonth),
    /// The store did not do what was asked.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How the log is divided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogMonths {
    /// What time it is where the log is.
    pub now: OffsetDateTime,
    /// The months that can be dropped, in order.
    pub divided: Vec<LogMonth>,
}

/// A row of a month that is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldRow {
    /// Where it is.
    pub place: LogPlace,
    /// What it is.
    pub kept: Kept,
    /// The seal of its id.
    pub seal: Option<Seal>,
}

/// What drops whole months of the log, with the rights of its owner.
#[async_trait]
pub trait AuditRetention: Send + Sync {
    /// How the log is divided. An error where whoever asks may not drop any of it.
    async fn months(&self) -> Result<LogMonths, RetentionError>;

    /// The rows before `before` that lie in no month of their own and so stay: how many of each month.
    async fn left_over(&self, before: LogMonth) -> Result<Vec<(LogMonth, u64)>, RetentionError>;

    /// Holds a month: nothing in it changes as long as it is held. None where there is no such month. One month at a time.
    async fn hold(&self, month: LogMonth) -> Result<Option<Box<dyn HeldMonth>>, RetentionError>;
}

/// A month that is held. Let go, it is as it was.
#[async_trait]
pub trait HeldMonth: Send {
    /// At most `limit` rows after `after`, or from its beginning, in the log's order.
    async fn rows(&mut self, after: Option<LogPlace>, limit: u32) -> Result<Vec<HeldRow>, RetentionError>;

    /// The [`Seal::chain_hash`] of the seals of these numbers that there are.
    async fn chain_hashes(&mut self, seals: &[i64]) -> Result<BTreeMap<i64, Hash>, RetentionError>;

    /// Drops the month, stores `retirements`, which speak of each of its rows, and records `act`: all or nothing.
    async fn retire(self: Box<Self>, retirements: &[Retirement], act: &AuditEntry) -> Result<(), RetentionError>;

    /// Lets it go at once, as it was.
    async fn let_go(self: Box<Self>) -> Result<(), RetentionError>;
}
