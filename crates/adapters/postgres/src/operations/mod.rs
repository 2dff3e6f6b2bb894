mod audit_chain;
mod audit_reader;
mod audit_retention;
mod audit_rights;
mod chain_rows;
mod monitor_alerts;
mod unsealed;

pub use audit_chain::SqlAuditChain;
pub use audit_reader::SqlAuditReader;
pub use audit_retention::SqlAuditRetention;
pub use audit_rights::audit_rights;
pub use monitor_alerts::SqlMonitorAlerts;
