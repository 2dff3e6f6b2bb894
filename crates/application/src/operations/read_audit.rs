//! What an administrator sees of the audit log.

use std::sync::Arc;

use coinlink_domain::{
    identity::{ClientInfo, UserId},
    shared::audit::AuditStatus,
};
use coinlink_ports::{
    identity::IdentityStore,
    operations::{AuditFilter, AuditPage, AuditReader, LogPlace},
    shared::{Clock, Entropy, StoreError},
};

use super::looked;

/// Reads the audit log backwards.
pub struct ReadAudit {
    /// The log.
    pub reader: Arc<dyn AuditReader>,
    /// Where it is written down that somebody looked.
    pub store: Arc<dyn IdentityStore>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Ids of audit entries.
    pub entropy: Arc<dyn Entropy>,
}

impl ReadAudit {
    /// At most `limit` entries as `filter` wants them, before `before`. That somebody looks is written down first, and may be
    /// among what is seen.
    #[tracing::instrument(name = "operations.read_audit", skip_all)]
    pub async fn execute(
        &self,
        admin: UserId,
        filter: &AuditFilter,
        before: Option<LogPlace>,
        limit: u32,
        client: &ClientInfo,
    ) -> Result<AuditPage, StoreError> {
        let entry = looked::by(admin, &*self.entropy, self.clock.now(), (looked::READ_AUDIT, "audit"), client);
        let filters = [
            ("user", filter.user.map(|user| user.to_string())),
            ("action", filter.action.clone()),
            ("status", filter.status.map(|status: AuditStatus| status.name().to_owned())),
            ("resource_type", filter.resource_type.clone()),
            ("resource_id", filter.resource_id.clone()),
            ("from", filter.from.map(|from| from.to_string())),
            ("to", filter.to.map(|to| to.to_string())),
            ("before", before.map(|before| before.id.to_string())),
            ("limit", Some(limit.to_string())),
        ];
        let told = filters.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let entry = told.fold(entry, |entry, (name, value)| entry.detail(name, value));
        looked::record_alone(&*self.store, &entry).await?;
        self.reader.page(filter, before, limit).await
    }
}
