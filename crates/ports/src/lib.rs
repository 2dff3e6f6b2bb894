//! What the rules need from outside, as traits. Each has a real implementation in `adapters/`, a fake in `testkit`, and
//! where two implementations must agree, a contract suite that all of them run.
#![deny(missing_docs)]

pub mod assistant;
pub mod identity;
pub mod market;
pub mod notifications;
pub mod operations;
pub mod shared;
