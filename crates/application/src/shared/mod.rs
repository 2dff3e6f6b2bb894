//! Use cases that every context may call upon.

mod admit_request;

pub use admit_request::{AdmitRequest, GateOutcome};
