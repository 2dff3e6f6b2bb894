//! The use cases every context may call upon, on virtual time.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod admit_request;
mod support;
