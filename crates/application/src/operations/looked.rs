//! What administrators' looks and acts outside of accounts are called in the audit log.

use coinlink_domain::{
    identity::{ClientInfo, UserId},
    shared::audit::AuditEntry,
};
use coinlink_ports::{
    identity::IdentityStore,
    shared::{Entropy, StoreError},
};
use time::OffsetDateTime;

pub(super) const READ_STATS: &str = "admin.read_stats";
pub(super) const READ_AUDIT: &str = "admin.read_audit";
pub(super) const CACHE_CLEAR: &str = "admin.cache_clear";
pub(super) const ALERT_ACKNOWLEDGE: &str = "admin.alert_acknowledge";

/// Something that `admin` does or looks at.
pub(super) fn by(
    admin: UserId,
    entropy: &dyn Entropy,
    now: OffsetDateTime,
    (action, resource_type): (&'static str, &'static str),
    client: &ClientInfo,
) -> AuditEntry {
    AuditEntry::new(entropy.id(), now, action, resource_type).by(admin.0).from(client.ip, client.user_agent.as_deref())
}

/// Writes it down, in a transaction of its own.
pub(super) async fn record_alone(store: &dyn IdentityStore, entry: &AuditEntry) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    tx.audit().record(entry).await?;
    tx.commit().await
}
