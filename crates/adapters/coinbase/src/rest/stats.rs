use coinlink_domain::market::{Quote, Source, Symbol};
use coinlink_upstream::ExactDecimal;
use serde::Deserialize;
use time::OffsetDateTime;

use crate::product::{Day, quote};

/// `/products/{id}/stats`: price and day in one call, where `/ticker` would need a second one for the day.
#[derive(Debug, Deserialize)]
pub(super) struct Stats {
    #[serde(default)]
    last: ExactDecimal,
    #[serde(default)]
    open: ExactDecimal,
    #[serde(default)]
    high: ExactDecimal,
    #[serde(default)]
    low: ExactDecimal,
    #[serde(default)]
    volume: ExactDecimal,
}

impl Stats {
    /// `None` where there is no price, or no trade in 24 hours: then the last price is of no known age.
    pub(super) fn into_quote(self, symbol: Symbol, received: OffsetDateTime) -> Option<Quote> {
        if self.volume.0.is_some_and(|volume| volume.is_zero()) {
            return None;
        }
        let day = Day { open: self.open, high: self.high, low: self.low, volume: self.volume };
        Some(quote(symbol, self.last.price()?, &day, Source::Coinbase, received))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use time::macros::datetime;

    fn read(json: &str) -> Option<Quote> {
        let stats: Stats = serde_json::from_str(json).ok()?;
        stats.into_quote(Symbol::btc(), datetime!(2026-01-01 0:00 UTC))
    }

    #[test]
    fn an_opening_price_of_zero_gives_no_change() {
        assert_eq!(read(r#"{"last":"2","open":"0"}"#).unwrap().change_24h, None);
    }

    #[test]
    fn a_product_without_price_or_trades_gives_no_quote() {
        for json in [r#"{"last":"0","open":"1"}"#, r#"{"last":null}"#, "{}", r#"{"last":"2","open":"1","volume":"0"}"#] {
            assert_eq!(read(json), None, "{json}");
        }
    }

    proptest! {
        #[test]
        fn no_body_panics(text in "\\PC{0,40}", number in "[\"]?-?[0-9.eE+-]{0,60}[\"]?") {
            let _ = read(&text);
            let _ = read(&format!(r#"{{"last":{number},"open":{number},"volume":{number}}}"#));
        }
    }
}
