//! Fakes and contract suites of the operations context.

pub mod audit_chain_contract;

mod memory_audit_chain;

pub use audit_chain_contract::{AuditedLog, FIRST, an_entry};
pub use memory_audit_chain::{AuditRecords, MemoryAuditChain};
