//! What stores of several contexts write.

pub(crate) mod audit_log;

pub use audit_log::SqlAuditLog;
