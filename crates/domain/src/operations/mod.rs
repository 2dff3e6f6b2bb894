//! Rules of the operations context: the hash chain over the audit log, and how the system is.

mod checkpoint;
mod entry_encoding;
mod inspection;
pub mod monitoring;
mod seal;

pub use checkpoint::{Checkpoint, CheckpointKey, MalformedCheckpoint, SIGN_AFTER};
pub use entry_encoding::{encode, entry_hash};
pub use inspection::{ChainInspection, Finding, Findings, Kept, Origin};
pub use seal::{Hash, Head, Seal};
