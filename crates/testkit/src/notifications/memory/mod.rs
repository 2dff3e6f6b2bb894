//! The notifications store in memory. Like the real ones it keeps microseconds. It knows no accounts: whoever is named exists.

mod alerts;
mod queue;
mod state;
mod transaction;

use std::{
    collections::HashMap,
    ops::Bound::{Excluded, Unbounded},
};

use async_trait::async_trait;
use coinlink_domain::{
    notifications::{Delivery, Notification, NotificationId, NotificationSettings, Switches, Webhook, WebhookId},
    shared::{mail::OutgoingMail, sealed::Sealed, user_id::UserId},
};
use coinlink_ports::{
    notifications::{InboxQuery, NotificationsStore, NotificationsTx, Standing},
    shared::StoreError,
};
use time::OffsetDateTime;

use self::state::State;
use crate::shared::memory::{self, MemoryStore, micros};

/// Keeps inboxes.
pub type MemoryNotifications = MemoryStore<State>;
type MemoryTx = memory::MemoryTx<State>;

impl MemoryNotifications {
    /// This user has an address that letters go to.
    pub fn put_address(&self, user: UserId, address: &str) {
        self.committed().addresses.insert(user, address.to_owned());
    }

    /// This user's account is locked.
    pub fn put_locked(&self, user: UserId) {
        self.committed().locked.insert(user);
    }

    /// This user's account was secured then.
    pub fn put_secured(&self, user: UserId, at: OffsetDateTime) {
        self.committed().secured.insert(user, micros(at));
    }

    /// This is what is switched on in this user's preferences.
    pub fn put_switches(&self, user: UserId, switches: Switches) {
        self.committed().switches.insert(user, switches);
    }

    /// Committed letters, oldest first.
    pub fn mails(&self) -> Vec<OutgoingMail> {
        self.committed().mails.clone()
    }

    /// Committed notifications by id, of all users.
    pub fn notifications(&self) -> Vec<Notification> {
        self.committed().notifications.values().cloned().collect()
    }

    /// Committed deliveries by id, whatever became of them.
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.committed().deliveries.values().map(|kept| kept.delivery.clone()).collect()
    }
}

#[async_trait]
impl NotificationsStore for MemoryNotifications {
    async fn begin(&self) -> Result<Box<dyn NotificationsTx>, StoreError> {
        Ok(self.open().await?)
    }

    async fn inbox(&self, user: UserId, query: InboxQuery, now: OffsetDateTime) -> Result<Vec<Notification>, StoreError> {
        self.read(|state| {
            let asked =
                |one: &&Notification| query.kind.is_none_or(|kind| one.kind == kind) && !(query.unread_only && one.is_read);
            let mut found: Vec<_> = state.shown(user, now).filter(asked).cloned().collect();
            found.sort_by_key(|one| std::cmp::Reverse((one.created_at, one.id)));
            found.into_iter().skip(query.offset as usize).take(query.limit as usize).collect()
        })
    }

    async fn unread(&self, user: UserId, now: OffsetDateTime) -> Result<u64, StoreError> {
        self.read(|state| state.shown(user, now).filter(|one| !one.is_read).count() as u64)
    }

    async fn settings(&self, user: UserId) -> Result<Option<NotificationSettings>, StoreError> {
        self.read(|state| state.settings.get(&user).cloned())
    }

    async fn standings(&self, of: &[NotificationId]) -> Result<HashMap<NotificationId, Standing>, StoreError> {
        self.read(|state| {
            let left = of.iter().filter_map(|id| state.notifications.get(id));
            let standing = |one: &Notification| Standing {
                is_active: !state.locked.contains(&one.user),
                secured_at: state.secured.get(&one.user).copied(),
                settings: state.settings.get(&one.user).cloned().unwrap_or_default(),
                priority: one.priority,
            };
            left.map(|one| (one.id, standing(one))).collect()
        })
    }

    async fn webhooks(&self, user: UserId) -> Result<Vec<Webhook>, StoreError> {
        self.read(|state| state.webhooks_of(user))
    }

    async fn webhooks_sealed_before(
        &self,
        newest: &str,
        after: Option<WebhookId>,
        limit: u64,
    ) -> Result<Vec<(WebhookId, Sealed)>, StoreError> {
        self.read(|state| {
            let above = state.webhooks.range((after.map_or(Unbounded, Excluded), Unbounded));
            let old = above.filter(|(_, hook)| hook.secret.key_id != newest).map(|(id, hook)| (*id, hook.secret.clone()));
            old.take(usize::try_from(limit).unwrap_or(usize::MAX)).collect()
        })
    }

    async fn prune(&self, before: OffsetDateTime, keep: u64, limit: u64) -> Result<u64, StoreError> {
        self.change(|state| state.prune(micros(before), keep, limit)).await
    }
}
