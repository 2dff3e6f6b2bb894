use std::sync::Arc;

use coinlink_domain::identity::{SessionPolicy, SignInTicket};
use coinlink_ports::{
    identity::{ApiKeyReads, IdentityStore, SecondFactorStore, WalletList},
    shared::{Clock, StoreError},
};
use time::Duration;

/// Sessions and keys that are over and attempts that failed are kept so long.
const KEEP: Duration = Duration::days(90);
/// Rows in one statement: others wait for no more than that.
const AT_ONCE: u64 = 1_000;

/// Removes sessions and keys that have long been over and attempts that failed long ago.
pub struct PruneIdentity {
    /// Where they are.
    pub store: Arc<dyn IdentityStore>,
    /// Where keys are.
    pub keys: Arc<dyn ApiKeyReads>,
    /// Where tickets are.
    pub factors: Arc<dyn SecondFactorStore>,
    /// Where challenges of wallets are.
    pub wallets: Arc<dyn WalletList>,
    /// How long sessions live.
    pub policy: SessionPolicy,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

impl PruneIdentity {
    /// Removes some. Whether there may be more.
    #[tracing::instrument(name = "identity.prune", skip_all)]
    pub async fn execute(&self) -> Result<bool, StoreError> {
        let before = self.clock.now() - KEEP;
        let removed = self.store.prune(before, &self.policy, AT_ONCE).await?;
        let keys = self.keys.prune_keys(before, AT_ONCE).await?;
        // A ticket that is over has nothing to tell.
        let tickets = self.factors.prune_tickets(self.clock.now() - SignInTicket::LIFETIME, AT_ONCE).await?;
        // Nor has a challenge that nobody can answer any more.
        let challenges = self.wallets.prune_challenges(self.clock.now(), AT_ONCE).await?;
        Ok(removed.max(keys).max(tickets).max(challenges) >= AT_ONCE)
    }
}
