use async_trait::async_trait;
use coinlink_domain::notifications::{Notification, UnderWay, Webhook, alerts::FiredAlert};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::EndedBefore;
use crate::shared::StoreError;

/// A notification on its way to sockets, for one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForSockets {
    /// The delivery's id.
    pub id: Uuid,
    /// Which attempt this is; the first is 1.
    pub attempt: u32,
    /// What is told.
    pub notification: Notification,
    /// The firing behind it.
    pub fired: Option<FiredAlert>,
}

/// A notification on its way to a webhook, for one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForWebhook {
    /// The delivery's id.
    pub id: Uuid,
    /// Which attempt this is; the first is 1.
    pub attempt: u32,
    /// What is told.
    pub notification: Notification,
    /// To whom.
    pub webhook: Webhook,
}

/// Deliveries of one way in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WayCounts {
    /// That wait, tried or not.
    pub waiting: u64,
    /// That were given up and not yet removed.
    pub dead: u64,
    /// When the first of them is due: later than now where it is quiet hours, or where it is being tried.
    pub oldest: Option<OffsetDateTime>,
}

/// Deliveries in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DeliveryCounts {
    /// To sockets.
    pub sockets: WayCounts,
    /// To webhooks.
    pub webhooks: WayCounts,
}

/// Notifications on their way ([`super::Inbox::send`]). Each waits, and in the end is sent or dead.
#[async_trait]
pub trait DeliveryQueue: Send + Sync {
    /// Takes at most `limit` for sockets that are due at `now`, those due longest first. Each counts an attempt, and is due again
    /// after `lease`: until then nobody else gets it, and after that everybody may.
    async fn claim_for_sockets(&self, now: OffsetDateTime, lease: Duration, limit: u32) -> Result<Vec<ForSockets>, StoreError>;

    /// The same for webhooks, as [`coinlink_domain::notifications::webhook_turns`] has it beside those that are `under_way` here: the user
    /// comes first whose webhooks were claimed longest ago. Of one webhook, what was never tried goes before what is tried again.
    async fn claim_for_webhooks(
        &self,
        now: OffsetDateTime,
        lease: Duration,
        limit: u32,
        under_way: &[UnderWay],
    ) -> Result<Vec<ForWebhook>, StoreError>;

    /// One was taken at `now`, whoever else tries it meanwhile. Its webhook has no failures in a row any more, and no last error.
    async fn sent(&self, id: Uuid, now: OffsetDateTime) -> Result<(), StoreError>;

    /// One failed at `now`, and is to be tried again at `due`. Whether it will be: nothing changes where it was claimed again since `attempt`,
    /// or does not wait any more. `why` holds no address and nothing of what was told; the owner of the webhook reads it.
    async fn postpone(
        &self,
        id: Uuid,
        attempt: u32,
        now: OffsetDateTime,
        due: OffsetDateTime,
        why: &str,
    ) -> Result<bool, StoreError>;

    /// One is given up at `now`; otherwise as [`DeliveryQueue::postpone`]. Its webhook has one failure more, and is not in use any
    /// more after [`Webhook::MOST_FAILURES`]; what its last call was stays as it was where it already was not.
    async fn give_up(&self, id: Uuid, attempt: u32, now: OffsetDateTime, why: &str) -> Result<bool, StoreError>;

    /// One is given up at `now` through no fault of its webhook, which has no failure more; otherwise as [`DeliveryQueue::give_up`].
    async fn withdraw(&self, id: Uuid, attempt: u32, now: OffsetDateTime, why: &str) -> Result<bool, StoreError>;

    /// How many there are.
    async fn delivery_counts(&self) -> Result<DeliveryCounts, StoreError>;

    /// Removes at most `limit` of each kind that ended before. How many went.
    async fn prune_deliveries(&self, before: EndedBefore, limit: u64) -> Result<u64, StoreError>;
}
