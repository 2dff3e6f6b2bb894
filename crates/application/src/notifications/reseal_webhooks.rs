use std::sync::Arc;

use coinlink_domain::{
    notifications::{Webhook, WebhookId},
    shared::sealed::Sealed,
};
use coinlink_ports::{
    notifications::NotificationsStore,
    shared::{SecretBox, SecretBoxError, StoreError},
};

/// Secrets that are read at once.
const AT_ONCE: u64 = 100;

/// Seals anew, with the newest key, the secrets of webhooks that were sealed with an earlier one, beside their use. Once it finds none
/// any more, no webhook needs the earlier key.
pub struct ResealWebhooks {
    /// Where they are.
    pub store: Arc<dyn NotificationsStore>,
    /// Opens and seals them.
    pub secrets: Arc<dyn SecretBox>,
}

impl ResealWebhooks {
    /// Seals some of those of webhooks above `after` anew. Up to which webhook it came; `None` where there are no more.
    #[tracing::instrument(name = "notifications.reseal_webhooks", skip_all)]
    pub async fn execute(&self, after: Option<WebhookId>) -> Result<Option<WebhookId>, StoreError> {
        let old = self.store.webhooks_sealed_before(self.secrets.newest_key(), after, AT_ONCE).await?;
        let mut resealed = 0_u32;
        for (webhook, sealed) in &old {
            match self.anew(*webhook, sealed) {
                // One at a time, each guarded: nobody waits for the others, and what changed meanwhile stays as it is.
                Ok(anew) => {
                    let mut tx = self.store.begin().await?;
                    resealed += u32::from(tx.reaches().reseal_webhook(*webhook, sealed, &anew).await?);
                    tx.commit().await?;
                }
                Err(error) => tracing::error!(%error, %webhook, "the secret of a webhook cannot be sealed anew"),
            }
        }
        if resealed > 0 {
            tracing::info!(resealed, "secrets of webhooks were sealed anew");
        }
        Ok(old.last().map(|(webhook, _)| *webhook))
    }

    fn anew(&self, webhook: WebhookId, sealed: &Sealed) -> Result<Sealed, SecretBoxError> {
        let context = Webhook::secret_context(webhook);
        self.secrets.seal(&context, &self.secrets.open(&context, sealed)?)
    }
}
