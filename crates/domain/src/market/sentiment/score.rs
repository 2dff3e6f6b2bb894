//! How good or bad something is.

use rust_decimal::{Decimal, RoundingStrategy};

/// From -1 (as bad as can be) to 1 (as good), to four decimal places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Score(Decimal);

/// A score in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mood {
    /// -0.6 or less.
    VeryNegative,
    /// -0.15 or less.
    Negative,
    /// In between.
    Neutral,
    /// 0.15 or more.
    Positive,
    /// 0.6 or more.
    VeryPositive,
}

impl Score {
    /// Neither good nor bad.
    pub const NEUTRAL: Self = Self(Decimal::ZERO);

    /// Rounds half away from zero; what is beyond the range is its end.
    #[must_use]
    pub fn new(value: Decimal) -> Self {
        Self(places(value.clamp(Decimal::NEGATIVE_ONE, Decimal::ONE)))
    }

    /// The figure.
    #[must_use]
    pub const fn value(self) -> Decimal {
        self.0
    }

    /// In a word.
    #[must_use]
    pub fn mood(self) -> Mood {
        let (some, much) = (Decimal::new(15, 2), Decimal::new(6, 1));
        match self.0 {
            score if score >= much => Mood::VeryPositive,
            score if score >= some => Mood::Positive,
            score if score <= -much => Mood::VeryNegative,
            score if score <= -some => Mood::Negative,
            _ => Mood::Neutral,
        }
    }
}

/// To four decimal places, without trailing zeros.
pub(super) fn places(value: Decimal) -> Decimal {
    value.round_dp_with_strategy(4, RoundingStrategy::MidpointAwayFromZero).normalize()
}

impl Mood {
    /// The word on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::VeryNegative => "very_negative",
            Self::Negative => "negative",
            Self::Neutral => "neutral",
            Self::Positive => "positive",
            Self::VeryPositive => "very_positive",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_has_the_word_of_its_range_and_no_score_is_beyond_it() {
        for (value, score, mood) in [
            ("7", "1", Mood::VeryPositive),
            ("0.6", "0.6", Mood::VeryPositive),
            ("0.59994", "0.5999", Mood::Positive),
            ("0.15", "0.15", Mood::Positive),
            ("0.14994", "0.1499", Mood::Neutral),
            ("-0.1499", "-0.1499", Mood::Neutral),
            ("-0.15", "-0.15", Mood::Negative),
            ("-0.60005", "-0.6001", Mood::VeryNegative),
            ("-1.01", "-1", Mood::VeryNegative),
        ] {
            let made = Score::new(value.parse().unwrap());
            assert_eq!((made.value().to_string().as_str(), made.mood()), (score, mood), "{value}");
        }
    }
}
