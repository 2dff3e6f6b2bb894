mod audit_chain;
mod audit_reader;
mod chain_rows;
mod unsealed;

pub use audit_chain::SqlAuditChain;
pub use audit_reader::SqlAuditReader;
