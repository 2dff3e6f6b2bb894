//! Values, entities and rules. Nothing here reads a clock, draws a random number, blocks, awaits or knows a wire format:
//! the caller passes `now`, random rolls and parsed values, and gets an outcome to carry out.
#![deny(missing_docs)]
#![deny(clippy::float_arithmetic)]

pub mod assistant;
pub mod identity;
pub mod market;
pub mod notifications;
pub mod operations;
pub mod shared;
