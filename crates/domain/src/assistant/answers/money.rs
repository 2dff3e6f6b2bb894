//! Figures as the front end shows them.

use rust_decimal::{Decimal, RoundingStrategy};
use time::{Duration, OffsetDateTime};

use crate::{
    market::{Percent, Price, Source},
    shared::money::grouped,
};

fn rounded(number: Decimal, places: u32) -> String {
    let mut rounded = number.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero);
    if rounded.is_zero() {
        rounded = Decimal::ZERO;
    }
    rounded.rescale(places);
    rounded.to_string()
}

/// US dollars, in the front end's own steps of precision.
pub(in crate::assistant) fn dollars(usd: Decimal) -> String {
    let size = usd.abs();
    if size.is_zero() {
        return "$0.00".to_owned();
    }
    if size >= Decimal::ONE_THOUSAND {
        return format!("${}", grouped(&rounded(usd, 2)));
    }
    let places = match () {
        () if size >= Decimal::ONE => 2,
        () if size >= Decimal::new(1, 2) => 4,
        () if size >= Decimal::new(1, 4) => 6,
        () => return format!("${}", exponential(usd)),
    };
    format!("${}", rounded(usd, places))
}

/// `5.94e-6`
fn exponential(number: Decimal) -> String {
    let (mut mantissa, mut exponent) = (number, 0_i32);
    while mantissa.abs() < Decimal::ONE && exponent > -40 {
        mantissa *= Decimal::TEN;
        exponent -= 1;
    }
    let mut text = rounded(mantissa, 2);
    // 9.999 is told as 10.00, which is 1.00 one step up.
    if text.trim_start_matches('-').starts_with("10") {
        text = text.replacen("10.0", "1.0", 1);
        exponent += 1;
    }
    format!("{text}e{exponent}")
}

/// A price.
pub(in crate::assistant) fn price(price: Price) -> String {
    dollars(price.usd())
}

/// `$1.92T`
pub(super) fn large(usd: Decimal) -> String {
    for (size, letter) in [(1_000_000_000_000_u64, 'T'), (1_000_000_000, 'B'), (1_000_000, 'M')] {
        if usd.abs() >= size.into() {
            return format!("${}{letter}", grouped(&rounded(usd / Decimal::from(size), 2)));
        }
    }
    dollars(usd)
}

/// To two places, or as many as it takes for a loss of nearly everything not to look like one of everything.
fn of_percent(value: Decimal) -> String {
    let is_all = |text: &str| text == "-100.00" && value > -Decimal::ONE_HUNDRED;
    let text = rounded(value, 2);
    if is_all(&text) { value.round_dp_with_strategy(8, RoundingStrategy::ToZero).normalize().to_string() } else { text }
}

/// `+1.25%`
pub(in crate::assistant) fn percent(percent: Percent) -> String {
    let text = grouped(&of_percent(percent.value()));
    let is_gain = percent.value() > Decimal::ZERO && text != "0.00";
    format!("{}{text}%", if is_gain { "+" } else { "" })
}

/// `53.10%`, of a share rather than a change.
pub(super) fn share(percent: Percent) -> String {
    format!("{}%", rounded(percent.value(), 2))
}

/// An amount of an asset, without zeros that say nothing.
pub(super) fn quantity(amount: Decimal) -> String {
    let size = amount.abs();
    let places = match () {
        () if size >= Decimal::ONE_THOUSAND => 2,
        () if size >= Decimal::ONE => 6,
        () if size >= Decimal::new(1, 6) => 8,
        () if size.is_zero() => return "0".to_owned(),
        () => return exponential(amount),
    };
    let text = grouped(&rounded(amount, places));
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// `3 s ago`
pub(in crate::assistant) fn ago(now: OffsetDateTime, then: OffsetDateTime) -> String {
    let age = (now - then).max(Duration::ZERO);
    match () {
        () if age < Duration::minutes(2) => format!("{} s ago", age.whole_seconds()),
        () if age < Duration::hours(2) => format!("{} min ago", age.whole_minutes()),
        () if age < Duration::days(2) => format!("{} h ago", age.whole_hours()),
        () => format!("{} d ago", age.whole_days()),
    }
}

/// A source's name for people.
pub(in crate::assistant) const fn source(source: Source) -> &'static str {
    match source {
        Source::CoinGecko => "CoinGecko",
        Source::Coinbase => "Coinbase",
        Source::CoinbaseLive => "Coinbase, live",
        Source::Kraken => "Kraken",
        Source::BinanceUsdt => "Binance (in USDT)",
        Source::Simulated => "made up for a demonstration, no real market",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use time::macros::datetime;

    fn number(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn prices_look_as_in_the_front_end() {
        for (usd, shown) in [
            ("97012.344", "$97,012.34"),
            ("1234567.895", "$1,234,567.90"),
            ("999.999", "$1000.00"),
            ("146.02", "$146.02"),
            ("1", "$1.00"),
            ("0.12345678", "$0.1235"),
            ("0.00123456", "$0.001235"),
            ("0.000005938674704566297", "$5.94e-6"),
            ("0.000009999", "$1.00e-5"),
            ("0", "$0.00"),
        ] {
            assert_eq!(dollars(number(usd)), shown);
        }
    }

    #[test]
    fn changes_have_a_sign_only_where_there_is_one() {
        for (value, shown) in [
            ("1.254", "+1.25%"),
            ("-0.5", "-0.50%"),
            ("0", "0.00%"),
            ("0.001", "0.00%"),
            ("-0.001", "0.00%"),
            ("-99.99999", "-99.99999%"),
            ("-100", "-100.00%"),
            ("123456789.12", "+123,456,789.12%"),
        ] {
            assert_eq!(percent(Percent::new(number(value))), shown);
        }
    }

    #[test]
    fn large_sums_amounts_and_ages_are_short() {
        assert_eq!(large(number("1920000000000")), "$1.92T");
        assert_eq!(large(number("24135089331.42")), "$24.14B");
        assert_eq!(large(number("12500000")), "$12.50M");
        assert_eq!(large(number("1000")), "$1,000.00");
        assert_eq!(large(number("79228162514264337593543950335")), "$79,228,162,514,264,337.59T");
        assert_eq!(quantity(number("2.50")), "2.5");
        assert_eq!(quantity(number("0.03601234567")), "0.03601235");
        assert_eq!(quantity(number("1500")), "1,500");
        assert_eq!(quantity(number("0.000000001")), "1.00e-9");
        let now = datetime!(2026-03-04 12:00 UTC);
        for (seconds, shown) in [
            (-5, "0 s ago"),
            (3, "3 s ago"),
            (119, "119 s ago"),
            (600, "10 min ago"),
            (90_000, "25 h ago"),
            (864_000, "10 d ago"),
        ] {
            assert_eq!(ago(now, now - Duration::seconds(seconds)), shown);
        }
    }

    proptest! {
        #[test]
        fn no_number_panics(mantissa: i128, scale in 0_u32..=28) {
            let number = Decimal::from_i128_with_scale(mantissa % 79_228_162_514_264_337_593_543_950_335, scale);
            for text in [dollars(number), large(number), quantity(number), percent(Percent::new(number))] {
                prop_assert!(text.chars().count() < 60);
            }
        }
    }
}
