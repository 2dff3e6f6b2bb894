//! What a rule waits for.

use rust_decimal::Decimal;
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

/// Why something is no condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConditionError {
    /// Nothing is waited for under this name.
    #[error("one of above, below, crosses_above, crosses_below, percent_move")]
    Unknown,
    /// The price to wait for.
    #[error("a price above zero and at most 1000000000000, with at most 18 decimal places")]
    Price,
    /// The percentage to wait for.
    #[error("a percentage from 0.1 to 100, with at most 8 decimal places")]
    Percent,
    /// The window.
    #[error("whole seconds from 60 to 86400, for percent_move and for nothing else")]
    Window,
}

impl AlertCondition {
    /// Every name.
    pub const NAMES: [&str; 5] = ["above", "below", "crosses_above", "crosses_below", "percent_move"];
    /// The highest price that is waited for, US dollars.
    pub const HIGHEST: Decimal = Decimal::from_parts(3_567_587_328, 232, 0, false, 0);
    /// Decimal places of a price that is waited for.
    pub const PLACES: u32 = 18;
    /// The smallest move that is waited for, percent.
    pub const LEAST_MOVE: Decimal = Decimal::from_parts(1, 0, 0, false, 1);
    /// The largest.
    pub const LARGEST_MOVE: Decimal = Decimal::ONE_HUNDRED;
    /// Decimal places of a move that is waited for.
    pub const MOVE_PLACES: u32 = 8;
    /// The shortest window.
    pub const SHORTEST: Duration = Duration::MINUTE;
    /// The longest window.
    pub const LONGEST: Duration = Duration::DAY;

    /// The condition of this [`AlertCondition::name`]. `target` is a price or a percentage; only a move has a window, in seconds.
    pub fn try_new(name: &str, target: Decimal, window: Option<u32>) -> Result<Self, ConditionError> {
        if name == "percent_move" {
            let within = Duration::seconds(window.ok_or(ConditionError::Window)?.into());
            if !(Self::SHORTEST..=Self::LONGEST).contains(&within) {
                return Err(ConditionError::Window);
            }
            let by = Percent::new(target);
            let in_range = (Self::LEAST_MOVE..=Self::LARGEST_MOVE).contains(&target) && by.value().scale() <= Self::MOVE_PLACES;
            return if in_range { Ok(Self::PercentMove { by, within }) } else { Err(ConditionError::Percent) };
        }
        let at: fn(Price) -> Self = match name {
            "above" => Self::Above,
            "below" => Self::Below,
            "crosses_above" => Self::CrossesAbove,
            "crosses_below" => Self::CrossesBelow,
            _ => return Err(ConditionError::Unknown),
        };
        let price = Price::try_new(target).map_err(|_| ConditionError::Price)?;
        let is_sane = price.usd() <= Self::HIGHEST && price.usd().scale() <= Self::PLACES;
        if window.is_some() {
            return Err(ConditionError::Window);
        }
        if is_sane { Ok(at(price)) } else { Err(ConditionError::Price) }
    }

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

    /// The price or the percentage that is waited for.
    #[must_use]
    pub const fn target(&self) -> Decimal {
        match self {
            Self::Above(price) | Self::Below(price) | Self::CrossesAbove(price) | Self::CrossesBelow(price) => price.usd(),
            Self::PercentMove { by, .. } => by.value(),
        }
    }

    /// The price that is waited for; `None` for a move.
    #[must_use]
    pub const fn price(&self) -> Option<Price> {
        match self {
            Self::Above(price) | Self::Below(price) | Self::CrossesAbove(price) | Self::CrossesBelow(price) => Some(*price),
            Self::PercentMove { .. } => None,
        }
    }

    /// The window of a move, in seconds.
    #[must_use]
    pub fn window_seconds(&self) -> Option<u32> {
        match self {
            Self::PercentMove { within, .. } => u32::try_from(within.whole_seconds()).ok(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_waited_for_is_a_sane_price_or_a_move_within_a_minute_to_a_day() {
        let read = |name: &str, target: &str, window| AlertCondition::try_new(name, target.parse().unwrap(), window);
        assert_eq!(AlertCondition::HIGHEST, Decimal::from(1_000_000_000_000_u64));
        for name in &AlertCondition::NAMES[..4] {
            assert_eq!(read(name, "0.000000000000000001", None).unwrap().name(), *name);
            assert!(read(name, "1000000000000", None).is_ok());
            for wrong in ["0", "-1", "1000000000000.1", "0.0000000000000000001"] {
                assert_eq!(read(name, wrong, None), Err(ConditionError::Price), "{wrong}");
            }
            assert_eq!(read(name, "1", Some(60)), Err(ConditionError::Window));
        }
        for (target, window, expected) in [
            ("0.1", Some(60), None),
            ("100", Some(86_400), None),
            ("0.09", Some(60), Some(ConditionError::Percent)),
            ("100.1", Some(60), Some(ConditionError::Percent)),
            ("5.123456789", Some(60), Some(ConditionError::Percent)),
            ("5", Some(59), Some(ConditionError::Window)),
            ("5", Some(86_401), Some(ConditionError::Window)),
            ("5", None, Some(ConditionError::Window)),
        ] {
            assert_eq!(read("percent_move", target, window).err(), expected, "{target} in {window:?}");
        }
        assert_eq!(read("equals", "1", None), Err(ConditionError::Unknown));
    }

    proptest! {
        #[test]
        fn a_condition_is_made_again_of_what_is_told_of_it(name in 0_usize..5, units in 1_i64..1_000_000_000, scale in 0_u32..9, window in 60_u32..86_400) {
            let name = AlertCondition::NAMES[name];
            let window = (name == "percent_move").then_some(window);
            if let Ok(made) = AlertCondition::try_new(name, Decimal::new(units, scale), window) {
                prop_assert_eq!(AlertCondition::try_new(made.name(), made.target(), made.window_seconds()), Ok(made));
            }
        }
    }
}
