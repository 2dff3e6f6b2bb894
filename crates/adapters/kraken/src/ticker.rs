use std::collections::HashMap;

use coinlink_domain::market::{Quote, Source, Symbol};
use coinlink_upstream::{ExactDecimal, lenient};
use serde::Deserialize;
use serde_json::value::RawValue;
use time::OffsetDateTime;

use crate::names::usd_asset;

/// The answer to `/Ticker`; the pairs nobody asked for are not looked into.
#[derive(Deserialize)]
pub(crate) struct Answer<'a> {
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) error: Option<Vec<String>>,
    #[serde(default, borrow)]
    pub(crate) result: Option<HashMap<String, &'a RawValue>>,
}

/// One pair. Of the pairs of figures the second is that of the last 24 hours, the first that since midnight UTC.
#[derive(Deserialize)]
struct Pair {
    #[serde(rename = "c")]
    last_trade: Vec<ExactDecimal>,
    #[serde(rename = "v", default, deserialize_with = "lenient")]
    volume: Option<Vec<ExactDecimal>>,
    #[serde(rename = "h", default, deserialize_with = "lenient")]
    high: Option<Vec<ExactDecimal>>,
    #[serde(rename = "l", default, deserialize_with = "lenient")]
    low: Option<Vec<ExactDecimal>>,
}

/// Quotes for those of `symbols` that Kraken lists, in their order.
pub(crate) fn quotes(result: &HashMap<String, &RawValue>, symbols: &[Symbol], received: OffsetDateTime) -> Vec<Quote> {
    let listed: HashMap<&str, &RawValue> = result.iter().filter_map(|(pair, raw)| Some((usd_asset(pair)?, *raw))).collect();
    symbols.iter().filter_map(|symbol| quote(symbol, listed.get(symbol.as_str())?.get(), received)).collect()
}

fn quote(symbol: &Symbol, json: &str, received: OffsetDateTime) -> Option<Quote> {
    let pair: Pair = serde_json::from_str(json).ok()?;
    let last_day = |figures: Option<Vec<ExactDecimal>>| figures.and_then(|figures| figures.get(1).copied()).unwrap_or_default();
    let price = pair.last_trade.first()?.price()?;
    Some(Quote {
        high_24h: last_day(pair.high).price(),
        low_24h: last_day(pair.low).price(),
        volume_24h: last_day(pair.volume).amount().and_then(|units| units.checked_mul(price.usd())).map(|usd| usd.normalize()),
        // The only opening price given is midnight's, which is not that of 24 hours ago: no change rather than a wrong one.
        ..Quote::bare(symbol.clone(), price, Source::Kraken, received)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use time::macros::datetime;

    proptest! {
        #[test]
        fn no_answer_panics(bytes: Vec<u8>, text in r#"[\[\]{}",:0-9a-z.]{0,80}"#) {
            for body in [bytes, format!(r#"{{"error":[],"result":{{"XXBTZUSD":{text}}}}}"#).into_bytes()] {
                if let Ok(Answer { result: Some(result), .. }) = serde_json::from_slice::<Answer<'_>>(&body) {
                    let _ = quotes(&result, &[Symbol::btc()], datetime!(2026-01-01 0:00 UTC));
                }
            }
        }
    }
}
