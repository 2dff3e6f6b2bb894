//! Rules of the operations context: the hash chain over the audit log, and how the system is.

mod checkpoint;
mod entry_encoding;
mod inspection;
pub mod monitoring;
mod retirement;
mod seal;

pub use checkpoint::{Checkpoint, CheckpointKey, MalformedCheckpoint, SIGN_AFTER};
pub use entry_encoding::{encode, entry_hash};
pub use inspection::{ChainInspection, Finding, Findings, Inspected, Kept, Origin};
pub use retirement::{LogMonth, MalformedMonth, Retired, Retirement, RetirementKey, Stretch, Stretches};
pub use seal::{Hash, Head, Seal};
