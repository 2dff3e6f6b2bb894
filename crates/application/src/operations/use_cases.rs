use std::sync::Arc;

use coinlink_ports::{
    notifications::MailQueue,
    operations::{AuditReader, ClearableCache},
};

use super::{ClearCaches, ReadAudit, ReadStats, StatsParts};
use crate::identity::IdentityAdapters;

/// What operations need from outside for administrators, beside what identity has.
#[derive(Clone)]
pub struct OperationsAdapters {
    /// The audit log.
    pub audit: Arc<dyn AuditReader>,
    /// Letters.
    pub mail: Arc<dyn MailQueue>,
    /// What may be forgotten.
    pub caches: Vec<Arc<dyn ClearableCache>>,
}

/// What administrators do outside of accounts.
#[derive(Clone)]
pub struct OperationsUseCases {
    /// Reads the audit log.
    pub read_audit: Arc<ReadAudit>,
    /// Counts.
    pub read_stats: Arc<ReadStats>,
    /// Clears caches.
    pub clear_caches: Arc<ClearCaches>,
}

impl OperationsUseCases {
    /// All of them; what is done is written down where identity's acts are.
    pub fn new(identity: &IdentityAdapters, adapters: OperationsAdapters) -> Self {
        let OperationsAdapters { audit, mail, caches } = adapters;
        let IdentityAdapters { store, accounts, policy, clock, entropy, .. } = identity.clone();
        Self {
            read_audit: Arc::new(ReadAudit {
                reader: Arc::clone(&audit),
                store: store.clone(),
                clock: clock.clone(),
                entropy: entropy.clone(),
            }),
            read_stats: Arc::new(ReadStats::new(StatsParts {
                accounts,
                audit,
                mail,
                store: store.clone(),
                policy,
                clock: clock.clone(),
                entropy: entropy.clone(),
            })),
            clear_caches: Arc::new(ClearCaches { caches, store, clock, entropy }),
        }
    }
}
