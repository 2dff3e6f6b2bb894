use std::borrow::Cow;

use async_trait::async_trait;
use coinlink_domain::shared::mail::OutgoingMail;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::shared::{SecretBoxError, StoreError};

/// A letter, for one attempt to deliver it.
#[derive(Debug)]
pub struct ClaimedMail {
    /// Its id.
    pub id: Uuid,
    /// The name of its template.
    pub template: Cow<'static, str>,
    /// Which attempt this is; the first is 1.
    pub attempt: u32,
    /// The letter, unless what is stored of it cannot be read.
    pub mail: Result<OutgoingMail, SecretBoxError>,
}

/// The queue in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MailCounts {
    /// Letters that are to be sent, tried or not.
    pub waiting: u64,
    /// Letters that were given up and not yet removed.
    pub dead: u64,
    /// When the oldest of those that wait was asked for.
    pub oldest: Option<OffsetDateTime>,
}

/// Which letters nobody needs any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndedBefore {
    /// Those sent before.
    pub sent: OffsetDateTime,
    /// Those given up before.
    pub dead: OffsetDateTime,
}

/// Letters that were left in the outbox ([`crate::shared::MailOutbox`]). A letter waits, and in the end is sent or dead; what its
/// template is filled in with is erased then.
#[async_trait]
pub trait MailQueue: Send + Sync {
    /// Takes at most `limit` letters that are due at `now`, those due longest first. Each counts an attempt, and is due again
    /// after `lease`: until then nobody else gets it, and after that everybody may.
    async fn claim(&self, now: OffsetDateTime, lease: Duration, limit: u32) -> Result<Vec<ClaimedMail>, StoreError>;

    /// A letter was handed over at `now`, whoever else tries it meanwhile.
    async fn sent(&self, id: Uuid, now: OffsetDateTime) -> Result<(), StoreError>;

    /// A letter is to be tried again at `due`. Whether it will be: nothing changes where it was claimed again since `attempt`, or
    /// does not wait any more. `why` holds no address and nothing of what the letter says.
    async fn postpone(&self, id: Uuid, attempt: u32, due: OffsetDateTime, why: &str) -> Result<bool, StoreError>;

    /// A letter is given up at `now`; otherwise as [`MailQueue::postpone`].
    async fn give_up(&self, id: Uuid, attempt: u32, now: OffsetDateTime, why: &str) -> Result<bool, StoreError>;

    /// How many there are.
    async fn counts(&self) -> Result<MailCounts, StoreError>;

    /// Removes at most `limit` letters of each kind that ended before. How many went.
    async fn prune(&self, before: EndedBefore, limit: u64) -> Result<u64, StoreError>;
}
