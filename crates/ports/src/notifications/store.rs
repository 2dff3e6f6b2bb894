use std::collections::HashMap;

use async_trait::async_trait;
use coinlink_domain::{
    notifications::{
        Delivery, Notification, NotificationId, NotificationKind, NotificationSettings, Priority, Switches, Webhook, WebhookId,
    },
    shared::{sealed::Sealed, user_id::UserId},
};
use time::OffsetDateTime;

use super::AlertRules;
use crate::shared::{MailOutbox, StoreError};

/// Which notifications are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InboxQuery {
    /// Of this kind only.
    pub kind: Option<NotificationKind>,
    /// Not those that were read.
    pub unread_only: bool,
    /// No more.
    pub limit: u32,
    /// Without the first so many.
    pub offset: u32,
}

/// How a user can be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// The account is in use; one that is locked is not told anything.
    pub is_active: bool,
    /// An address that is the user's own and confirmed, of an account that is in use.
    pub address: Option<String>,
    /// What the user has set, or what holds where nothing was.
    pub settings: NotificationSettings,
    /// What is switched off in the preferences.
    pub switches: Switches,
    /// Webhooks that are in use, oldest first.
    pub webhooks: Vec<WebhookId>,
}

/// The last test of a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LastTest {
    /// When it was left, where there was one.
    pub at: Option<OffsetDateTime>,
    /// Whether it waits for its first attempt.
    pub waits: bool,
}

/// What holds of a notification that was left some time ago, when it is about to be delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Its user's account is in use.
    pub is_active: bool,
    /// When that account was last secured: webhooks of before are not called.
    pub secured_at: Option<OffsetDateTime>,
    /// What the user has set, or what holds where nothing was.
    pub settings: NotificationSettings,
    /// How much it may disturb.
    pub priority: Priority,
}

/// Inboxes, settings and webhooks. Reads here see what is committed; everything that changes goes through a transaction.
/// A notification is there until the microsecond it expires.
#[async_trait]
pub trait NotificationsStore: Send + Sync {
    /// Begins a transaction that will write.
    async fn begin(&self) -> Result<Box<dyn NotificationsTx>, StoreError>;

    /// What lies in a user's inbox at `now`, newest first.
    async fn inbox(&self, user: UserId, query: InboxQuery, now: OffsetDateTime) -> Result<Vec<Notification>, StoreError>;

    /// How many of them were not read.
    async fn unread(&self, user: UserId, now: OffsetDateTime) -> Result<u64, StoreError>;

    /// What a user has set; `None` where nothing was.
    async fn settings(&self, user: UserId) -> Result<Option<NotificationSettings>, StoreError>;

    /// What holds of these notifications now; of those that were removed nothing.
    async fn standings(&self, of: &[NotificationId]) -> Result<HashMap<NotificationId, Standing>, StoreError>;

    /// A user's webhooks, in use or not, oldest first. Those of before the account was secured are not in use.
    async fn webhooks(&self, user: UserId) -> Result<Vec<Webhook>, StoreError>;

    /// Webhooks of whomever, in use or not, whose ids are above `after` and whose secrets were not sealed with the key `newest`, at most
    /// `limit`, by id.
    async fn webhooks_sealed_before(
        &self,
        newest: &str,
        after: Option<WebhookId>,
        limit: u64,
    ) -> Result<Vec<(WebhookId, Sealed)>, StoreError>;

    /// Removes notifications that expired before `before`, and of each user those beyond the newest `keep`; at most `limit` of
    /// each. How many went.
    async fn prune(&self, before: OffsetDateTime, keep: u64, limit: u64) -> Result<u64, StoreError>;
}

/// One transaction. Dropping it without [`NotificationsTx::commit`] rolls back. So does a call in it that fails, for whatever
/// reason: each one after that fails too, the commit included.
#[async_trait]
pub trait NotificationsTx: Inbox + Reaches + AlertRules + MailOutbox {
    /// Makes all of it true at once.
    async fn commit(self: Box<Self>) -> Result<(), StoreError>;
}

/// Its parts by name.
impl dyn NotificationsTx + '_ {
    /// Notifications.
    pub fn inbox(&mut self) -> &mut dyn Inbox {
        self
    }

    /// How users are reached.
    pub fn reaches(&mut self) -> &mut dyn Reaches {
        self
    }

    /// Alert rules.
    pub fn alerts(&mut self) -> &mut dyn AlertRules {
        self
    }

    /// Letters that are to be sent, once this transaction is committed.
    pub fn mail(&mut self) -> &mut dyn MailOutbox {
        self
    }
}

/// Notifications, and the ways they take.
#[async_trait]
pub trait Inbox: Send {
    /// Leaves one. [`StoreError::Conflict`] where one of that id was left.
    async fn add(&mut self, notification: &Notification) -> Result<(), StoreError>;

    /// Sends one that was left on its way. [`StoreError::Conflict`] where it already is on that way.
    async fn send(&mut self, delivery: &Delivery) -> Result<(), StoreError>;

    /// Notes that one was read. Whether this user has such a one at `now`, read before or not.
    async fn mark_read(&mut self, user: UserId, id: NotificationId, now: OffsetDateTime) -> Result<bool, StoreError>;

    /// Notes that all of a user's were read that were left until `now`. How many were not.
    async fn mark_all_read(&mut self, user: UserId, now: OffsetDateTime) -> Result<u64, StoreError>;

    /// Removes one, and whatever of it is still on its way. Whether this user had such a one at `now`.
    async fn remove(&mut self, user: UserId, id: NotificationId, now: OffsetDateTime) -> Result<bool, StoreError>;
}

/// How users are reached.
#[async_trait]
pub trait Reaches: Send {
    /// How a user is.
    async fn of(&mut self, user: UserId) -> Result<Reach, StoreError>;

    /// Stores what a user has set.
    async fn save_settings(&mut self, user: UserId, settings: &NotificationSettings) -> Result<(), StoreError>;

    /// How many webhooks a user has; nobody else counts them until the transaction ends.
    async fn count_webhooks(&mut self, user: UserId) -> Result<u64, StoreError>;

    /// Adds a webhook.
    async fn add_webhook(&mut self, webhook: &Webhook) -> Result<(), StoreError>;

    /// The last test of a webhook, where this user has such a one in use; nobody else asks until the transaction ends.
    async fn last_test(&mut self, user: UserId, id: WebhookId) -> Result<Option<LastTest>, StoreError>;

    /// Notes that a webhook is tested with `test` at `now`. The test before, where it was tried in vain and waits to be tried again, does not go
    /// any more.
    async fn note_test(&mut self, id: WebhookId, test: NotificationId, now: OffsetDateTime) -> Result<(), StoreError>;

    /// Removes a webhook, and whatever is on its way to it. Whether this user had it.
    async fn remove_webhook(&mut self, user: UserId, id: WebhookId) -> Result<bool, StoreError>;

    /// Puts `to` in the place of `from`, the same secret of a webhook sealed anew. Whether it did: a secret that is not `from` any
    /// more stays as it is.
    async fn reseal_webhook(&mut self, id: WebhookId, from: &Sealed, to: &Sealed) -> Result<bool, StoreError>;
}
