//! Rules of what is told to people.

mod delivery;

pub use delivery::{Attempted, DeliveryPolicy, Next};
