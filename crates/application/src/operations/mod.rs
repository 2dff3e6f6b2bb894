//! Use cases of the operations context.

mod check_readiness;
mod seal_audit;
mod verify_audit;

pub use check_readiness::{Check, CheckFailure, CheckReadiness, Readiness};
pub use seal_audit::{SealAudit, SealReport};
pub use verify_audit::{Unsealed, VerifyAudit, VerifyReport};
