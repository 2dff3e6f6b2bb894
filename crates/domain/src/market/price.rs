//! Exact prices and percentages.

use rust_decimal::Decimal;

/// US dollars for one unit of an asset: positive, exact to 28 decimal places, without trailing zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Price(Decimal);

/// A price must be above zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a price is above zero")]
pub struct PriceError;

impl Price {
    /// Refuses zero and negative values: a provider that sends one does not know the price.
    pub fn try_new(usd: Decimal) -> Result<Self, PriceError> {
        if usd > Decimal::ZERO { Ok(Self(usd.normalize())) } else { Err(PriceError) }
    }

    /// US dollars.
    #[must_use]
    pub const fn usd(self) -> Decimal {
        self.0
    }

    /// The change from `open` to this price in percent, to eight decimal places, half away from zero.
    /// `None` where the figures leave no room for an exact result.
    #[must_use]
    pub fn change_since(self, open: Self) -> Option<Percent> {
        let ratio = self.0.checked_div(open.0)?;
        let change = ratio.checked_sub(Decimal::ONE)?.checked_mul(Decimal::ONE_HUNDRED)?;
        Some(Percent::new(change.round_dp_with_strategy(8, rust_decimal::RoundingStrategy::MidpointAwayFromZero)))
    }

    /// How far this price is from `other`, as a share of `other` in percent, without its sign.
    #[must_use]
    pub fn distance_from(self, other: Self) -> Option<Decimal> {
        self.change_since(other).map(|change| change.0.abs())
    }
}

/// Percent: `1.5` is one and a half percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percent(Decimal);

impl Percent {
    /// A percentage, without trailing zeros.
    #[must_use]
    pub fn new(percent: Decimal) -> Self {
        Self(percent.normalize())
    }

    /// The figure in percent.
    #[must_use]
    pub const fn value(self) -> Decimal {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(text: &str) -> Price {
        Price::try_new(Decimal::from_scientific(text).or_else(|_| text.parse()).unwrap()).unwrap()
    }

    #[test]
    fn zero_and_negative_prices_do_not_exist() {
        assert_eq!(Price::try_new(Decimal::ZERO), Err(PriceError));
        assert_eq!(Price::try_new(Decimal::NEGATIVE_ONE), Err(PriceError));
    }

    #[test]
    fn the_smallest_prices_keep_every_digit() {
        assert_eq!(price("5.938674704566297e-06").usd().to_string(), "0.000005938674704566297");
        assert_eq!(price("0.00000000007821066970851871").usd().to_string(), "0.00000000007821066970851871");
    }

    #[test]
    fn a_change_is_a_percentage_of_the_opening_price() {
        assert_eq!(price("110").change_since(price("100")).unwrap().value(), Decimal::TEN);
        assert_eq!(price("2").change_since(price("3")).unwrap().value().to_string(), "-33.33333333");
    }

    #[test]
    fn a_change_too_large_to_state_is_no_change_rather_than_a_panic() {
        assert_eq!(price("79228162514264337593543950335").change_since(price("1e-28")), None);
    }
}
