//! Rules of the operations context: the hash chain over the audit log.

mod checkpoint;
mod entry_encoding;
mod inspection;
mod seal;

pub use checkpoint::{Checkpoint, CheckpointKey, MalformedCheckpoint, SIGN_AFTER};
pub use entry_encoding::{encode, entry_hash};
pub use inspection::{ChainInspection, Finding, Findings, Kept, Origin};
pub use seal::{Hash, Head, Seal};
