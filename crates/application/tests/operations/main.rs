//! Sealing and verifying the audit log, on virtual time.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod seal_audit;
mod support;
mod verify_audit;
