//! A user's inbox.

use std::sync::Arc;

use coinlink_domain::{
    notifications::{Notification, NotificationId},
    shared::user_id::UserId,
};
use coinlink_ports::{
    notifications::{InboxQuery, NotificationsStore},
    shared::{Clock, StoreError},
};
use uuid::Uuid;

/// Reads an inbox.
pub struct ReadInbox {
    /// Where it is.
    pub store: Arc<dyn NotificationsStore>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

impl ReadInbox {
    /// What lies in it, newest first.
    #[tracing::instrument(name = "notifications.read_inbox", skip_all)]
    pub async fn execute(&self, user: UserId, query: InboxQuery) -> Result<Vec<Notification>, StoreError> {
        self.store.inbox(user, query, self.clock.now()).await
    }

    /// How many were not read.
    #[tracing::instrument(name = "notifications.count_unread", skip_all)]
    pub async fn unread(&self, user: UserId) -> Result<u64, StoreError> {
        self.store.unread(user, self.clock.now()).await
    }

    /// Whether inboxes can be read at all.
    pub async fn answers(&self) -> bool {
        self.store.unread(UserId(Uuid::nil()), self.clock.now()).await.is_ok()
    }
}

/// Keeps an inbox in order. Whoever does the same twice, or from two places at once, changes it once.
pub struct TendInbox {
    /// Where it is.
    pub store: Arc<dyn NotificationsStore>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

impl TendInbox {
    /// Notes that one was read. Whether this user has such a one, read before or not.
    #[tracing::instrument(name = "notifications.mark_read", skip_all)]
    pub async fn mark_read(&self, user: UserId, id: NotificationId) -> Result<bool, StoreError> {
        let mut tx = self.store.begin().await?;
        let found = tx.inbox().mark_read(user, id, self.clock.now()).await?;
        tx.commit().await?;
        Ok(found)
    }

    /// Notes that all were read. How many were not.
    #[tracing::instrument(name = "notifications.mark_all_read", skip_all)]
    pub async fn mark_all_read(&self, user: UserId) -> Result<u64, StoreError> {
        let mut tx = self.store.begin().await?;
        let marked = tx.inbox().mark_all_read(user, self.clock.now()).await?;
        tx.commit().await?;
        Ok(marked)
    }

    /// Removes one. Whether this user had it.
    #[tracing::instrument(name = "notifications.remove", skip_all)]
    pub async fn remove(&self, user: UserId, id: NotificationId) -> Result<bool, StoreError> {
        let mut tx = self.store.begin().await?;
        let found = tx.inbox().remove(user, id, self.clock.now()).await?;
        tx.commit().await?;
        Ok(found)
    }
}
