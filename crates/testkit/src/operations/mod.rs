//! Fakes and contract suites of the operations context.

pub mod audit_chain_contract;
pub mod monitor_alerts_contract;

mod memory_audit_chain;
mod memory_monitor_alerts;

pub use audit_chain_contract::{AuditedLog, FIRST, an_entry};
pub use memory_audit_chain::{AuditRecords, MemoryAuditChain};
pub use memory_monitor_alerts::MemoryMonitorAlerts;
pub use monitor_alerts_contract::{Monitored, MonitoredAlerts, a_monitor_alert};
