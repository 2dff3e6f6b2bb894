//! Ports that every context may use.

mod clock;
mod errors;

pub use clock::{Clock, Dice, Pause};
pub use errors::{BusError, StoreError};
