//! On which ways a user wants to be told.

use std::sync::Arc;

use coinlink_domain::{notifications::NotificationSettings, shared::user_id::UserId};
use coinlink_ports::{notifications::NotificationsStore, shared::StoreError};

/// Reads and saves what a user has set.
pub struct KeepNotificationSettings {
    /// Where it is.
    pub store: Arc<dyn NotificationsStore>,
}

impl KeepNotificationSettings {
    /// What holds: what was set, or the defaults.
    #[tracing::instrument(name = "notifications.read_settings", skip_all)]
    pub async fn read(&self, user: UserId) -> Result<NotificationSettings, StoreError> {
        Ok(self.store.settings(user).await?.unwrap_or_default())
    }

    /// From now on this holds.
    #[tracing::instrument(name = "notifications.save_settings", skip_all)]
    pub async fn save(&self, user: UserId, settings: &NotificationSettings) -> Result<(), StoreError> {
        let mut tx = self.store.begin().await?;
        tx.reaches().save_settings(user, settings).await?;
        tx.commit().await
    }
}
