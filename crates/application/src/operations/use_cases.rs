use std::sync::Arc;

use coinlink_ports::{
    notifications::MailQueue,
    operations::{AuditReader, ClearableCache, MonitorAlerts},
};

use super::{
    ClearCaches, ReadAudit, ReadStats, StatsParts,
    monitoring::{AcknowledgeAlert, NodeSamples, ReadMonitor, ReadMonitorAlerts},
};
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
    /// What the monitor of all nodes found.
    pub alerts: Arc<dyn MonitorAlerts>,
    /// What that of this node measured.
    pub samples: Arc<NodeSamples>,
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
    /// Shows how the system is.
    pub read_monitor: Arc<ReadMonitor>,
    /// Lists what the monitor found.
    pub read_alerts: Arc<ReadMonitorAlerts>,
    /// Tells who looks after it.
    pub acknowledge_alert: Arc<AcknowledgeAlert>,
}

impl OperationsUseCases {
    /// All of them; what is done is written down where identity's acts are.
    pub fn new(identity: &IdentityAdapters, adapters: OperationsAdapters) -> Self {
        let OperationsAdapters { audit, mail, caches, alerts, samples } = adapters;
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
            read_monitor: Arc::new(ReadMonitor { samples, alerts: alerts.clone(), clock: clock.clone() }),
            read_alerts: Arc::new(ReadMonitorAlerts { alerts: alerts.clone() }),
            acknowledge_alert: Arc::new(AcknowledgeAlert {
                alerts,
                store: store.clone(),
                clock: clock.clone(),
                entropy: entropy.clone(),
            }),
            clear_caches: Arc::new(ClearCaches { caches, store, clock, entropy }),
        }
    }
}
