use std::sync::Arc;

use coinlink_domain::identity::SessionPolicy;
use coinlink_ports::{
    identity::IdentityStore,
    shared::{Clock, StoreError},
};
use time::Duration;

/// Sessions that are over and attempts that failed are kept so long.
const KEEP: Duration = Duration::days(90);
/// Rows in one statement: others wait for no more than that.
const AT_ONCE: u64 = 1_000;

/// Removes sessions that have long been over, and attempts that failed long ago.
pub struct PruneIdentity {
    /// Where they are.
    pub store: Arc<dyn IdentityStore>,
    /// How long sessions live.
    pub policy: SessionPolicy,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

impl PruneIdentity {
    /// Removes some. Whether there may be more.
    #[tracing::instrument(name = "identity.prune", skip_all)]
    pub async fn execute(&self) -> Result<bool, StoreError> {
        let removed = self.store.prune(self.clock.now() - KEEP, &self.policy, AT_ONCE).await?;
        Ok(removed >= AT_ONCE)
    }
}
