//! Figures as people read them.

use rust_decimal::{Decimal, RoundingStrategy};

pub(super) use crate::shared::money::usd;

fn rounded(value: Decimal, places: u32) -> Decimal {
    value.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero)
}

/// Large sums: `$3.21 trillion`, `$98.50 billion`, `$1.00 million`.
pub(super) fn whole_usd(value: Decimal) -> String {
    for (zeros, word) in [(12, "trillion"), (9, "billion"), (6, "million")] {
        let unit = Decimal::from(10_u64.pow(zeros));
        if value >= unit {
            return format!("${:.2} {word}", rounded(value / unit, 2));
        }
    }
    usd(value)
}

/// `1.25%` or `-0.50%`.
pub(super) fn percent(value: Decimal) -> String {
    let value = rounded(value, 2);
    // Zero has no sign.
    format!("{:.2}%", if value.is_zero() { Decimal::ZERO } else { value })
}

/// `+1.25%` or `-0.50%`.
pub(super) fn signed(value: Decimal) -> String {
    let rises = rounded(value, 2) > Decimal::ZERO;
    format!("{}{}", if rises { "+" } else { "" }, percent(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::from_str_exact(text).unwrap()
    }

    #[test]
    fn prices_are_written_as_people_read_them() {
        for (value, expected) in [
            ("104718.105", "$104,718.11"),
            ("1000000", "$1,000,000.00"),
            ("999.999", "$1,000.00"),
            ("1", "$1.00"),
            ("0.99995", "$1.0000"),
            ("0.01234", "$0.0123"),
            ("0.000123456", "$0.000123"),
            ("0.00000123456", "$0.00000123"),
            ("0.00000000007821066970851871", "$0.0000000000782"),
            ("0.0000000000000000000000000001", "$0.0000000000000000000000000001"),
        ] {
            assert_eq!(usd(decimal(value)), expected);
        }
    }

    #[test]
    fn sums_and_changes_are_short() {
        assert_eq!(whole_usd(decimal("3214567890123.4")), "$3.21 trillion");
        assert_eq!(whole_usd(decimal("98500000000")), "$98.50 billion");
        assert_eq!(whole_usd(decimal("1000000")), "$1.00 million");
        assert_eq!(whole_usd(decimal("999999")), "$999,999.00");
        assert_eq!(
            ["1.254", "-0.5", "-0.001", "0"].map(|percent| signed(decimal(percent))),
            ["+1.25%", "-0.50%", "0.00%", "0.00%"]
        );
    }

    proptest! {
        #[test]
        fn no_figure_panics(mantissa in any::<i64>(), scale in 0_u32..=28) {
            let value = Decimal::new(mantissa, scale);
            let _ = (usd(value), whole_usd(value), signed(value));
        }
    }
}
