//! What stores of several contexts write.

pub(crate) mod audit_log;
