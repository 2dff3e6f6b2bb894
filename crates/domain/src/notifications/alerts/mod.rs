//! Alert rules: what a user wants to be told of a price.

mod condition;
mod fired;

pub use condition::AlertCondition;
pub use fired::{AlertRuleId, FiredAlert};
