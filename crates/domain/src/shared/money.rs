//! Money as people write it.

use rust_decimal::{Decimal, RoundingStrategy};

/// US dollars: two decimals from a dollar on, more below it, and three digits that count where there are only small ones.
#[must_use]
pub fn usd(value: Decimal) -> String {
    with_places(value, places(value))
}

/// The same, without digits that say nothing: `$100,000`, `$0.10`.
#[must_use]
pub fn round_usd(value: Decimal) -> String {
    match value.normalize().scale() {
        0 if value >= Decimal::ONE => with_places(value, 0),
        scale if value < Decimal::ONE && scale < places(value) => with_places(value, scale.max(2)),
        _ => usd(value),
    }
}

/// Two amounts beside each other, the second as [`round_usd`]. With as many digits more as it takes to tell them apart, where they
/// are not the same.
#[must_use]
pub fn usd_apart(value: Decimal, from: Decimal) -> (String, String) {
    let told = (usd(value), round_usd(from));
    if value == from || rounded(value, places(value)) != rounded(from, places(from)) {
        return told;
    }
    let first = places(value).max(places(from));
    let mut more = (first..=Decimal::MAX_SCALE).map(|places| (with_places(value, places), with_places(from, places)));
    more.find(|(one, other)| one != other).unwrap_or(told)
}

fn places(value: Decimal) -> u32 {
    let places = match value.abs() {
        v if v >= Decimal::ONE => 2,
        v if v >= Decimal::new(1, 2) => 4,
        v if v >= Decimal::new(1, 4) => 6,
        v => first_digit(v) + 2,
    };
    places.min(Decimal::MAX_SCALE)
}

fn rounded(value: Decimal, places: u32) -> Decimal {
    value.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero)
}

fn with_places(value: Decimal, places: u32) -> String {
    format!("${}", grouped(&format!("{:.*}", places as usize, rounded(value, places))))
}

/// The decimal place of the first digit that is not zero.
fn first_digit(value: Decimal) -> u32 {
    let digits = u32::try_from(value.mantissa().unsigned_abs().to_string().len()).unwrap_or(0);
    (value.scale() + 1).saturating_sub(digits)
}

/// Commas between thousands: `97,012.34`.
pub(crate) fn grouped(number: &str) -> String {
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
    fn cents_are_left_out_where_there_are_none() {
        for (value, expected) in [
            ("100000", "$100,000"),
            ("100000.5", "$100,000.50"),
            ("1.00", "$1"),
            ("0.5", "$0.50"),
            ("0.125", "$0.125"),
            ("0.00000594", "$0.00000594"),
            ("0.12345", "$0.1235"),
        ] {
            assert_eq!(round_usd(decimal(value)), expected);
        }
    }

    #[test]
    fn amounts_that_differ_look_different() {
        for (value, from, expected) in [
            ("2990.25", "3000.123456789012345678", ("$2,990.25", "$3,000.12")),
            ("100000.001", "100000", ("$100,000.001", "$100,000.000")),
            ("3000.1234567", "3000.123456789012345678", ("$3,000.1234567", "$3,000.1234568")),
            ("100000", "100000", ("$100,000.00", "$100,000")),
        ] {
            assert_eq!(usd_apart(decimal(value), decimal(from)), (expected.0.to_owned(), expected.1.to_owned()));
        }
    }

    proptest! {
        #[test]
        fn no_amount_panics(mantissa in any::<i64>(), scale in 0_u32..=28, other in any::<i64>()) {
            let (value, other) = (Decimal::new(mantissa, scale), Decimal::new(other, scale));
            let (one, two) = usd_apart(value, other);
            prop_assert_eq!(one == two && value != other, false);
            let _ = (usd(value), round_usd(value));
        }
    }
}
