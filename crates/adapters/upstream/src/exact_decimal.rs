//! JSON numbers without a detour through binary floating point.

use std::str::FromStr;

use coinlink_domain::market::{Percent, Price};
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use time::OffsetDateTime;

/// A JSON number, or a string that holds one (`"9.43%"` too), read to the last digit. `None` for null, NaN, anything else,
/// and what is too large; digits beyond the 28th decimal place are rounded, half away from zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ExactDecimal(pub Option<Decimal>);

impl ExactDecimal {
    /// As a price: `None` where it is not above zero.
    #[must_use]
    pub fn price(self) -> Option<Price> {
        self.0.and_then(|usd| Price::try_new(usd).ok())
    }

    #[must_use]
    pub fn percent(self) -> Option<Percent> {
        self.0.map(Percent::new)
    }

    /// As an amount: `None` where it is below zero.
    #[must_use]
    pub fn amount(self) -> Option<Decimal> {
        self.0.filter(|amount| *amount >= Decimal::ZERO).map(|amount| amount.normalize())
    }

    /// As seconds since 1970.
    #[must_use]
    pub fn seconds(self) -> Option<OffsetDateTime> {
        OffsetDateTime::from_unix_timestamp(i64::try_from(self.0?).ok()?).ok()
    }

    /// As milliseconds since 1970.
    #[must_use]
    pub fn millis(self) -> Option<OffsetDateTime> {
        let millis = i64::try_from(self.0?).ok()?;
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(millis) * 1_000_000).ok()
    }
}

impl<'de> Deserialize<'de> for ExactDecimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let raw = raw.get();
        Ok(Self(if raw.starts_with('"') {
            let text: Option<String> = serde_json::from_str(raw).ok();
            text.and_then(|text| parse(text.trim().trim_end_matches('%').trim_end()))
        } else {
            parse(raw)
        }))
    }
}

/// Powers of ten further out than this are too large, or round to nothing.
const FURTHEST: i64 = 40;
/// Digits that can still change a rounded result of 28 or 29.
const SIGNIFICANT: usize = 60;

fn parse(text: &str) -> Option<Decimal> {
    let (sign, unsigned) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = [whole, fraction].concat();
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let significant = digits.trim_start_matches('0');
    let leading_zeros = i64::try_from(digits.len() - significant.len()).ok()?;
    // How many of the significant digits stand before the decimal point.
    let point = i64::try_from(whole.len()).ok()? + i64::from(exponent) - leading_zeros;
    let significant = &significant[..significant.len().min(SIGNIFICANT)];
    if significant.is_empty() || point < -FURTHEST {
        return Some(Decimal::ZERO);
    }
    if point > FURTHEST {
        return None;
    }
    Decimal::from_str(&format!("{sign}{}", place_point(significant, point))).ok()
}

fn place_point(digits: &str, point: i64) -> String {
    match usize::try_from(point) {
        Ok(point) if point >= digits.len() => format!("{digits}{}", "0".repeat(point - digits.len())),
        Ok(0) | Err(_) => format!("0.{}{digits}", "0".repeat(usize::try_from(-point).unwrap_or(0))),
        Ok(point) => format!("{}.{}", &digits[..point], &digits[point..]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(json: &str) -> Option<String> {
        serde_json::from_str::<ExactDecimal>(json).unwrap().0.map(|value| value.normalize().to_string())
    }

    #[test]
    fn every_digit_survives() {
        for (json, expected) in [
            ("5.938674704566297e-06", "0.000005938674704566297"),
            ("0.00000000007821066970851871", "0.00000000007821066970851871"),
            ("\"5.938674704566297E-6\"", "0.000005938674704566297"),
            ("64123.45", "64123.45"),
            ("1e5", "100000"),
            ("1.5E+3", "1500"),
            ("-0.07", "-0.07"),
            ("-0", "0"),
            ("0e999", "0"),
            ("1e-400", "0"),
            ("\"9.43%\"", "9.43"),
            ("\" -1.5 % \"", "-1.5"),
            ("79228162514264337593543950335", "79228162514264337593543950335"),
        ] {
            assert_eq!(read(json).as_deref(), Some(expected), "{json}");
        }
    }

    #[test]
    fn digits_beyond_what_is_held_are_rounded() {
        assert_eq!(read("0.33333333333333333333333333333333333").unwrap(), "0.3333333333333333333333333333");
        assert_eq!(read("0.00000000000000000000000000019").unwrap(), "0.0000000000000000000000000002");
    }

    #[test]
    fn what_is_no_number_is_none_and_never_zero() {
        let garbage = ["null", "\"NaN\"", "\"Infinity\"", "\"\"", "\"%\"", "\"1,5\"", "\"1.2.3\"", "\"e5\"", "true", "[1]", "{}"];
        for json in
            garbage.into_iter().chain(["1e29", "1e999999999999", "\"\\ud800\"", "\"0x10\"", "\"1_0\"", "\"- 1\"", "\".\""])
        {
            assert_eq!(read(json), None, "{json}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(mantissa: i64, scale in 0_u32..=28) {
            let value = Decimal::new(mantissa, scale);
            let read: ExactDecimal = serde_json::from_str(&value.to_string()).unwrap();
            prop_assert_eq!(read.0, Some(value));
            let scientific = format!("\"{mantissa}e-{scale}\"");
            let read: ExactDecimal = serde_json::from_str(&scientific).unwrap();
            prop_assert_eq!(read.0, Some(value));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,80}") {
            let _ = parse(&text);
            let _ = serde_json::from_str::<ExactDecimal>(&text);
        }

        #[test]
        fn no_number_panics(text in "-?[0-9]{1,90}(\\.[0-9]{1,90})?([eE][+-]?[0-9]{1,12})?") {
            let _ = parse(&text);
        }
    }
}
