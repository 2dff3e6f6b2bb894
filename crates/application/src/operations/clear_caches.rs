//! Forgetting what is only kept so that it need not be asked for again.

use std::sync::Arc;

use coinlink_domain::{
    identity::{ClientInfo, UserId},
    shared::{audit::AuditStatus, reason::Reason},
};
use coinlink_ports::{
    identity::IdentityStore,
    operations::ClearableCache,
    shared::{BusError, Clock, Entropy, StoreError},
};

use super::looked;

/// What went of one cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClearedCache {
    /// Its name.
    pub name: &'static str,
    /// Whether it was the nodes' common one; else it was this node's.
    pub is_shared: bool,
    /// How many entries went.
    pub entries: u64,
}

/// Not everything was cleared; what was is written down.
#[derive(Debug, thiserror::Error)]
pub enum ClearError {
    /// There is no cache of this name; those there are.
    #[error("there is no such cache")]
    Unknown(Vec<&'static str>),
    /// What the nodes share is not there.
    #[error(transparent)]
    Bus(#[from] BusError),
    /// The store is not there, so that it could not be written down, and nothing was cleared.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Clears caches for an administrator.
pub struct ClearCaches {
    /// Those there are.
    pub caches: Vec<Arc<dyn ClearableCache>>,
    /// Where it is written down.
    pub store: Arc<dyn IdentityStore>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Ids of audit entries.
    pub entropy: Arc<dyn Entropy>,
}

impl ClearCaches {
    /// Clears the cache of this name, or all of them. It is written down together: a store that is away keeps it from being done.
    #[tracing::instrument(name = "operations.clear_caches", skip_all)]
    pub async fn execute(
        &self,
        admin: UserId,
        only: Option<&str>,
        reason: &Reason,
        client: &ClientInfo,
    ) -> Result<Vec<ClearedCache>, ClearError> {
        let wanted: Vec<_> = self.caches.iter().filter(|cache| only.is_none_or(|only| cache.name() == only)).collect();
        if wanted.is_empty() && only.is_some() {
            return Err(ClearError::Unknown(self.caches.iter().map(|cache| cache.name()).collect()));
        }
        let entry = looked::by(admin, &*self.entropy, self.clock.now(), (looked::CACHE_CLEAR, "cache"), client);
        let mut entry = entry.detail("reason", reason.as_str());
        if let Some(only) = only {
            entry = entry.on(only);
        }
        let mut tx = self.store.begin().await?;
        let mut cleared = Vec::new();
        let mut failed = None;
        for cache in wanted {
            match cache.clear().await {
                Ok(entries) => {
                    cleared.push(ClearedCache { name: cache.name(), is_shared: cache.is_shared(), entries });
                    entry = entry.detail(cache.name(), entries.to_string());
                }
                Err(error) => {
                    entry = entry.detail(cache.name(), "failed").ended(AuditStatus::Failure);
                    failed = Some(error);
                }
            }
        }
        tx.audit().record(&entry).await?;
        tx.commit().await?;
        failed.map_or(Ok(cleared), |error| Err(error.into()))
    }
}
