//! Calls the webhooks that something is on its way to.

use std::sync::Arc;

use coinlink_domain::notifications::{Attempted, Next, UnderWay, Webhook};
use coinlink_ports::{
    notifications::{DeliveryQueue, ForWebhook, NotificationsStore, Standing, WebhookCall, WebhookSender},
    shared::{Clock, SecretBox, StoreError},
};
use time::Duration;

use super::fate::{Fate, attempted, unopened};

/// Longer than one call and the difference between the clocks of two nodes.
const LEASE: Duration = Duration::MINUTE;

/// Calls webhooks. Any number of nodes may run it: a notification for one webhook is with one of them at a time, and each of them
/// calls no host twice at a time for the same user. At least once: what was taken and could not be marked is sent again, with the same id.
pub struct DeliverToWebhooks {
    /// What is on its way.
    pub queue: Arc<dyn DeliveryQueue>,
    /// Says whose accounts are in use, and when they may be disturbed.
    pub store: Arc<dyn NotificationsStore>,
    /// Calls.
    pub sender: Arc<dyn WebhookSender>,
    /// Opens their secrets.
    pub secrets: Arc<dyn SecretBox>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

impl DeliverToWebhooks {
    /// Calls at the same time.
    pub const AT_ONCE: usize = 16;

    /// Takes at most `limit` that are due and may be called beside those that are `under_way`. Each is to be delivered at once: its lease runs.
    #[tracing::instrument(name = "notifications.claim_for_webhooks", skip_all, fields(otel.kind = "consumer"))]
    pub async fn claim(&self, limit: usize, under_way: &[UnderWay]) -> Result<Vec<ForWebhook>, StoreError> {
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        self.queue.claim_for_webhooks(self.clock.now(), LEASE, limit, under_way).await
    }

    /// Tries one, and marks it.
    #[tracing::instrument(name = "notifications.deliver_to_webhook", skip_all)]
    pub async fn deliver(&self, one: ForWebhook) -> Result<Fate, StoreError> {
        let standing = self.store.standings(&[one.notification.id]).await?.remove(&one.notification.id);
        // The account may have been locked or secured since it was left.
        let in_use =
            |of: &Standing| of.is_active && (one.webhook.disabled_at.is_some() || one.webhook.ended_at(of.secured_at).is_none());
        let Some(standing) = standing.filter(in_use) else {
            self.queue.withdraw(one.id, one.attempt, self.clock.now(), "nobody is to be told of it any more").await?;
            return Ok(Fate::Dead);
        };
        let (outcome, why) = self.attempt(&one).await;
        let (id, attempt, now) = (one.id, one.attempt, self.clock.now());
        let webhook = one.webhook.id;
        match Webhook::after(attempt, outcome, now) {
            Next::Done => {
                self.queue.sent(id, now).await?;
                tracing::debug!(%webhook, attempt, "a webhook took a notification");
                Ok(Fate::Sent)
            }
            Next::Again(due) => {
                let due = standing.settings.may_disturb_at(standing.priority, due);
                self.queue.postpone(id, attempt, now, due, &why).await?;
                tracing::info!(%webhook, attempt, why, "a webhook is to be called again");
                Ok(Fate::Postponed)
            }
            Next::Dead => {
                self.queue.give_up(id, attempt, now, &why).await?;
                tracing::info!(%webhook, attempt, why, "a notification for a webhook was given up");
                Ok(Fate::Dead)
            }
        }
    }

    async fn attempt(&self, one: &ForWebhook) -> (Attempted, String) {
        let Webhook { id, url, secret, disabled_at, .. } = &one.webhook;
        if disabled_at.is_some() {
            return (Attempted::RefusedForGood, "the webhook is not in use".to_owned());
        }
        let secret = match self.secrets.open(&Webhook::secret_context(*id), secret) {
            Ok(secret) => secret,
            Err(error) => {
                tracing::warn!(webhook = %id, %error, "a webhook's secret cannot be opened");
                return (unopened(&error), "this server could not sign it".to_owned());
            }
        };
        let call = WebhookCall { url, secret: &secret, notification: &one.notification, at: self.clock.now() };
        attempted(self.sender.send(call).await)
    }
}
