use async_trait::async_trait;
use coinlink_domain::shared::audit::AuditEntry;

use super::StoreError;

/// Where entries are appended, in the transaction of the act they describe.
#[async_trait]
pub trait AuditLog: Send {
    /// Appends one.
    async fn record(&mut self, entry: &AuditEntry) -> Result<(), StoreError>;
}
