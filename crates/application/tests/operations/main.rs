//! Sealing and verifying the audit log, and the monitor, on virtual time.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod monitoring;
mod seal_audit;
mod support;
mod verify_audit;
