use async_trait::async_trait;
use coinlink_domain::market::{AnyBulletin, BulletinKind};
use time::Duration;

use crate::shared::BusError;

/// What was fetched from outside, for every node. No cache that may be cleared: what is on it cannot be fetched again at will.
#[async_trait]
pub trait BulletinBoard: Send + Sync {
    /// In one step: keeps a bulletin for a week at least, unless what is kept of its kind is as new or newer. Whether it was kept.
    async fn post(&self, bulletin: &AnyBulletin) -> Result<bool, BusError>;

    /// The newest of each kind, every digit and every moment as it was given. What cannot be read, since a newer node wrote it, is
    /// left out.
    async fn read(&self) -> Result<Vec<AnyBulletin>, BusError>;

    /// In one step: takes the turn to fetch `kind`, unless somebody took it less than `every` ago. It stands apart from what is on
    /// the board, and outlasts whoever took it.
    async fn take_turn(&self, kind: BulletinKind, every: Duration) -> Result<bool, BusError>;
}
