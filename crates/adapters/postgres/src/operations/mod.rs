mod audit_chain;
mod chain_rows;
mod unsealed;

pub use audit_chain::SqlAuditChain;
