use std::sync::Arc;

use coinlink_domain::{
    identity::{SecondFactor, UserId},
    shared::sealed::Sealed,
};
use coinlink_ports::{
    identity::{IdentityStore, SecondFactorStore},
    shared::{SecretBox, SecretBoxError, StoreError},
};

/// Secrets that are read at once.
const AT_ONCE: u64 = 100;

/// Seals anew, with the newest key, the secrets that were sealed with an earlier one, beside their use. Once it finds none any
/// more, the earlier key may go.
pub struct ResealSecrets {
    /// Where they are changed.
    pub store: Arc<dyn IdentityStore>,
    /// Where they are found.
    pub factors: Arc<dyn SecondFactorStore>,
    /// Opens and seals them.
    pub secrets: Arc<dyn SecretBox>,
}

impl ResealSecrets {
    /// Seals some of those of accounts above `after` anew. Up to which account it came; `None` where there are no more.
    #[tracing::instrument(name = "identity.reseal_secrets", skip_all)]
    pub async fn execute(&self, after: Option<UserId>) -> Result<Option<UserId>, StoreError> {
        let old = self.factors.sealed_before(self.secrets.newest_key(), after, AT_ONCE).await?;
        let mut resealed = 0_u32;
        for (user, sealed) in &old {
            match self.anew(*user, sealed) {
                // One at a time, each guarded: nobody waits for the others, and what changed meanwhile stays as it is.
                Ok(anew) => {
                    let mut tx = self.store.begin().await?;
                    resealed += u32::from(tx.second_factors().reseal(*user, sealed, &anew).await?);
                    tx.commit().await?;
                }
                Err(error) => tracing::error!(%error, %user, "the secret of a second factor cannot be sealed anew"),
            }
        }
        if resealed > 0 {
            tracing::info!(resealed, "secrets of second factors were sealed anew");
        }
        Ok(old.last().map(|(user, _)| *user))
    }

    fn anew(&self, user: UserId, sealed: &Sealed) -> Result<Sealed, SecretBoxError> {
        let context = SecondFactor::context(user);
        self.secrets.seal(&context, &self.secrets.open(&context, sealed)?)
    }
}
