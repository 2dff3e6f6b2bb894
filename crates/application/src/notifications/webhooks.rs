//! A user's webhooks.

use std::sync::Arc;

use coinlink_domain::{
    notifications::{
        Channel, Delivery, Notification, NotificationId, NotificationKind, Priority, TestRefused, Webhook, WebhookCalls,
        WebhookId,
    },
    shared::{hex, user_id::UserId},
};
use coinlink_ports::{
    notifications::{LastTest, NotificationsStore, WebhookAddress, WebhookRefused, WebhookSender},
    shared::{Clock, Entropy, SecretBox, SecretBoxError, StoreError},
};

use super::leave;

/// A webhook was not made.
#[derive(Debug, thiserror::Error)]
pub enum AddWebhookError {
    /// It may not have this address.
    #[error(transparent)]
    Refused(#[from] WebhookRefused),
    /// The user has as many as one may have.
    #[error("there are {} webhooks already", Webhook::MOST)]
    TooMany,
    /// Its secret could not be encrypted.
    #[error(transparent)]
    Sealing(#[from] SecretBoxError),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A webhook was not tested.
#[derive(Debug, thiserror::Error)]
pub enum TestWebhookError {
    /// The user has no such webhook in use.
    #[error("there is no such webhook in use")]
    NoSuch,
    /// It was tested a moment ago.
    #[error(transparent)]
    NotNow(#[from] TestRefused),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What requests to a webhook are signed with, shown once. Never printed.
pub struct WebhookSecret(pub String);

/// Makes, lists, tests and removes webhooks.
pub struct KeepWebhooks {
    /// Where they are.
    pub store: Arc<dyn NotificationsStore>,
    /// Says which addresses are taken.
    pub sender: Arc<dyn WebhookSender>,
    /// Encrypts their secrets.
    pub secrets: Arc<dyn SecretBox>,
    /// Names and secrets.
    pub entropy: Arc<dyn Entropy>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

impl KeepWebhooks {
    /// A user's, oldest first.
    #[tracing::instrument(name = "notifications.list_webhooks", skip_all)]
    pub async fn list(&self, user: UserId) -> Result<Vec<Webhook>, StoreError> {
        self.store.webhooks(user).await
    }

    /// Makes one.
    #[tracing::instrument(name = "notifications.add_webhook", skip_all)]
    pub async fn add(&self, user: UserId, url: &str) -> Result<(Webhook, WebhookSecret), AddWebhookError> {
        let WebhookAddress { url, host } = self.sender.address(url).await?;
        let (id, now) = (WebhookId(self.entropy.id()), self.clock.now());
        let text = format!("whsec_{}", hex::lower(&self.entropy.key()));
        let secret = self.secrets.seal(&Webhook::secret_context(id), text.as_bytes())?;
        let created_at = now.replace_microsecond(now.microsecond()).unwrap_or(now);
        let calls = WebhookCalls::default();
        let webhook = Webhook { id, user, url, host, secret, created_at, failures: 0, disabled_at: None, calls };
        let mut tx = self.store.begin().await?;
        if tx.reaches().count_webhooks(user).await? >= Webhook::MOST {
            return Err(AddWebhookError::TooMany);
        }
        // Whoever has the account hears of it by letter, whatever is set. The new webhook itself is not told.
        leave(&mut *tx, &self.notice(&webhook), now).await?;
        tx.reaches().add_webhook(&webhook).await?;
        tx.commit().await?;
        Ok((webhook, WebhookSecret(text)))
    }

    fn notice(&self, webhook: &Webhook) -> Notification {
        let host = &webhook.host;
        Notification {
            id: NotificationId(self.entropy.id()),
            user: webhook.user,
            kind: NotificationKind::SecurityAlert,
            title: "A webhook was added".to_owned(),
            message: format!(
                "Your notifications are sent to {host} from now on. If this was not you, remove the webhook and set another password \
                 by mail: that switches off every webhook made before."
            ),
            priority: Priority::Critical,
            is_read: false,
            created_at: webhook.created_at,
            expires_at: None,
            action_url: None,
            facts: vec![("webhook_id".to_owned(), webhook.id.to_string()), ("host".to_owned(), host.clone())],
        }
    }

    /// Removes one. Whether this user had it.
    #[tracing::instrument(name = "notifications.remove_webhook", skip_all)]
    pub async fn remove(&self, user: UserId, id: WebhookId) -> Result<bool, StoreError> {
        let mut tx = self.store.begin().await?;
        let found = tx.reaches().remove_webhook(user, id).await?;
        tx.commit().await?;
        Ok(found)
    }

    /// Leaves a notification that goes to one webhook and nowhere else, quiet hours or not, and takes the place of the test before. Its id.
    /// A webhook is not for calling others: it is tested seldom, and not while a test waits.
    #[tracing::instrument(name = "notifications.test_webhook", skip_all)]
    pub async fn test(&self, user: UserId, id: WebhookId) -> Result<NotificationId, TestWebhookError> {
        let mut tx = self.store.begin().await?;
        let LastTest { at, waits } = tx.reaches().last_test(user, id).await?.ok_or(TestWebhookError::NoSuch)?;
        let (notification, now) = (NotificationId(self.entropy.id()), self.clock.now());
        Webhook::may_be_tested(at, waits, now)?;
        let test = Notification {
            id: notification,
            user,
            kind: NotificationKind::SystemAlert,
            title: "Test of a webhook".to_owned(),
            message: "You asked for this test. Whoever reads it at the other end of the webhook gets your notifications."
                .to_owned(),
            priority: Priority::Low,
            is_read: false,
            created_at: now,
            expires_at: None,
            action_url: None,
            facts: vec![("webhook_id".to_owned(), id.to_string())],
        };
        tx.reaches().note_test(id, notification, now).await?;
        tx.inbox().add(&test).await?;
        tx.inbox().send(&Delivery { notification, user, channel: Channel::Webhook(id), fired: None, due: now }).await?;
        tx.commit().await?;
        Ok(notification)
    }
}
