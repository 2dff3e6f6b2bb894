//! What a rule waits for.

use time::Duration;

use crate::market::{Percent, Price};

/// What a rule waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlertCondition {
    /// The price is above it, already when the rule is made or later.
    Above(Price),
    /// The price is below it, already when the rule is made or later.
    Below(Price),
    /// The price comes from at or below to above it.
    CrossesAbove(Price),
    /// The price comes from at or above to below it.
    CrossesBelow(Price),
    /// The price moves by at least so much, up or down, within a window.
    PercentMove {
        /// How far: above zero.
        by: Percent,
        /// Within which time: 1 minute to 24 hours.
        within: Duration,
    },
}

impl AlertCondition {
    /// The name on the wire and in the store.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Above(_) => "above",
            Self::Below(_) => "below",
            Self::CrossesAbove(_) => "crosses_above",
            Self::CrossesBelow(_) => "crosses_below",
            Self::PercentMove { .. } => "percent_move",
        }
    }
}
