//! Use cases of the operations context.

mod check_readiness;

pub use check_readiness::{Check, CheckFailure, CheckReadiness, Readiness};
