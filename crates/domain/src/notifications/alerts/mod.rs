//! Alert rules: what a user wants to be told of a price.

mod book;
mod condition;
mod fired;
mod rule;

pub use book::{AlertBook, Decided, Firing};
pub use condition::{AlertCondition, ConditionError};
pub use fired::{AlertRuleId, FiredAlert};
pub use rule::{AlertChange, AlertRule, Arming};
