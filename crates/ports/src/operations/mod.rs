//! Ports of the operations context.

mod audit_chain;
mod audit_reader;
mod audit_retention;
mod cache;
mod monitoring;

use async_trait::async_trait;

pub use audit_chain::{Appended, AuditChain, ChainEnd, LogPlace, UnsealedPage};
pub use audit_reader::{AuditFilter, AuditPage, AuditReader};
pub use audit_retention::{AuditRetention, HeldMonth, HeldRow, LogMonths, RetentionError};
pub use cache::ClearableCache;
pub use monitoring::{AlertFilter, AlertPlace, Measurements, MonitorAlerts};

/// A dependency that decides whether this node is ready.
#[async_trait]
pub trait DependencyProbe: Send + Sync {
    /// Its name in the checks: `database` or `redis`.
    fn name(&self) -> &'static str;

    /// Whether it answers and can be used, which takes one cheap round trip. The error is for logs and operators; never a credential. The caller bounds the time.
    async fn check(&self) -> Result<(), String>;
}
