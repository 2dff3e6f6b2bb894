//! What stores of several contexts write.

pub(crate) mod audit_log;
pub(crate) mod outbox;
pub(crate) mod transaction;

pub use audit_log::SqlAuditLog;
