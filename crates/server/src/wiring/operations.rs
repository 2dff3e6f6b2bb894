//! What administrators work with, beside accounts.

use std::sync::Arc;

use async_trait::async_trait;
use coinlink_application::{
    identity::{IdentityAdapters, KnownKeys},
    operations::{OperationsAdapters, OperationsUseCases, monitoring::NodeSamples},
};
use coinlink_ports::{operations::ClearableCache, shared::BusError};
use coinlink_postgres::{Database, SqlAuditReader, SqlMailQueue, SqlMonitorAlerts};

use super::Shared;

/// What this node read about keys a moment ago.
struct KeysOfNode(Arc<KnownKeys>);

#[async_trait]
impl ClearableCache for KeysOfNode {
    fn name(&self) -> &'static str {
        "api_keys"
    }

    fn is_shared(&self) -> bool {
        false
    }

    async fn clear(&self) -> Result<u64, BusError> {
        Ok(self.0.clear() as u64)
    }
}

/// All of it; `keys` is what the use cases of identity know of keys.
pub fn operations(
    identity: &IdentityAdapters,
    keys: &Arc<KnownKeys>,
    shared: &Shared,
    database: &Database,
    samples: &Arc<NodeSamples>,
) -> OperationsUseCases {
    let keys: Arc<dyn ClearableCache> = Arc::new(KeysOfNode(Arc::clone(keys)));
    let adapters = OperationsAdapters {
        audit: Arc::new(SqlAuditReader::new(database.clone())),
        mail: Arc::new(SqlMailQueue::new(database.clone(), Arc::clone(&identity.secrets))),
        caches: shared.caches.iter().cloned().chain([keys]).collect(),
        alerts: Arc::new(SqlMonitorAlerts::new(database.clone())),
        samples: Arc::clone(samples),
    };
    OperationsUseCases::new(identity, adapters)
}
