//! Figures as people read them.

use rust_decimal::{Decimal, RoundingStrategy};

fn rounded(value: Decimal, places: u32) -> Decimal {
    value.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero)
}

/// US dollars: two decimals from a dollar on, more below it, and three digits that count where there are only small ones.
pub(super) fn usd(value: Decimal) -> String {
    let places = match value.abs() {
        v if v >= Decimal::ONE => 2,
        v if v >= Decimal::new(1, 2) => 4,
        v if v >= Decimal::new(1, 4) => 6,
        v => first_digit(v) + 2,
    };
    let value = rounded(value, places.min(Decimal::MAX_SCALE));
    format!("${}", grouped(&format!("{value:.*}", places.min(Decimal::MAX_SCALE) as usize)))
}

/// The decimal place of the first digit that is not zero.
fn first_digit(value: Decimal) -> u32 {
    let digits = u32::try_from(value.mantissa().unsigned_abs().to_string().len()).unwrap_or(0);
    (value.scale() + 1).saturating_sub(digits)
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

/// Commas between thousands.
fn grouped(number: &str) -> String {
    let (whole, fraction) = number.split_once('.').map_or((number, None), |(whole, fraction)| (whole, Some(fraction)));
    let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |digits| ("-", digits));
    let mut text = String::from(sign);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if let Some(fraction) = fraction {
        text.extend([".", fraction]);
    }
    text
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
