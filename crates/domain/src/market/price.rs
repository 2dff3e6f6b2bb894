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

    /// US dollars that the price changed by, where `change` is in percent of the price before: to the last decimal place of the price,
    /// or cents where it has fewer, and twelve significant digits at most; half away from zero. `None` where no such price was
    /// possible: nothing falls by all of its price or more.
    #[must_use]
    pub fn amount_of(self, change: Percent) -> Option<Decimal> {
        let after = Decimal::ONE_HUNDRED.checked_add(change.0).filter(|after| *after > Decimal::ZERO)?;
        // The digits are kept by dividing first: a quotient is below or near one, a product may have no room.
        let share = change.0.checked_div(after)?;
        let amount = self.0.checked_mul(share)?;
        let half_away = rust_decimal::RoundingStrategy::MidpointAwayFromZero;
        // Percentages are rounded, so that places beyond those of the price would be nobody's.
        let amount = amount.round_dp_with_strategy(self.0.scale().max(2), half_away);
        amount.round_sf_with_strategy(12, half_away).map(|amount| amount.normalize())
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
    fn the_amount_of_a_change_is_what_leads_back_to_the_price_before() {
        for (now, percent, amount) in [
            ("110", "10", "10"),
            ("90", "-10", "-10"),
            ("97012.123456789", "1.25", "1197.68053650"),
            ("0.0000000123", "2.5", "0.0000000003"),
            ("3", "50", "1"),
            ("5", "0", "0"),
        ] {
            let amount: Decimal = amount.parse().unwrap();
            let found = price(now).amount_of(Percent::new(percent.parse().unwrap())).unwrap();
            assert_eq!(found.round_dp(amount.scale()), amount, "{now} {percent}");
        }
        for (now, percent, amount) in
            [("64309.95", "-2.64468", "-1746.99"), ("97012.34", "1.23456", "1183.07"), ("64000", "1.5", "945.81")]
        {
            let found = price(now).amount_of(Percent::new(percent.parse().unwrap())).unwrap();
            assert_eq!(found.to_string(), amount, "no digit that nobody gave: {now} {percent}");
        }
        for impossible in ["-100", "-250"] {
            assert_eq!(price("1").amount_of(Percent::new(impossible.parse().unwrap())), None);
        }
        let doubled = price("79228162514264337593543950335").amount_of(Percent::new("-99".parse().unwrap()));
        assert_eq!(doubled, None, "an amount without room is no panic");
    }

    #[test]
    fn a_change_too_large_to_state_is_no_change_rather_than_a_panic() {
        assert_eq!(price("79228162514264337593543950335").change_since(price("1e-28")), None);
    }
}
