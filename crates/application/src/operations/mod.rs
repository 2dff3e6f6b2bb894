//! Use cases of the operations context.

mod check_readiness;
mod clear_caches;
mod looked;
pub mod monitoring;
mod read_audit;
mod read_stats;
mod retire_audit;
mod seal_audit;
mod use_cases;
mod verify_audit;

pub use check_readiness::{Check, CheckFailure, CheckReadiness, Readiness};
pub use clear_caches::{ClearCaches, ClearError, ClearedCache};
pub use read_audit::ReadAudit;
pub use read_stats::{ReadStats, Stats, StatsParts};
pub use retire_audit::{RetireAudit, RetireError, RetireOrder, RetireReport, RetiredMonth};
pub use seal_audit::{SealAudit, SealReport};
pub use use_cases::{OperationsAdapters, OperationsUseCases};
pub use verify_audit::{Unsealed, VerifyAudit, VerifyReport};
