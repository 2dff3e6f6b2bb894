//! Product names, errors and figures that REST and the socket share.

use coinlink_domain::market::{Price, Quote, Source, Symbol};
use coinlink_upstream::{ExactDecimal, ProviderError, lenient};
use serde::Deserialize;
use time::OffsetDateTime;

const QUOTE_SUFFIX: &str = "-USD";

/// The product that prices `symbol` in US dollars.
pub(crate) fn product_id(symbol: &Symbol) -> String {
    format!("{symbol}{QUOTE_SUFFIX}")
}

/// The asset that a product prices in US dollars.
pub(crate) fn symbol_of(product_id: &str) -> Option<Symbol> {
    Symbol::try_new(product_id.strip_suffix(QUOTE_SUFFIX)?).ok()
}

#[derive(Deserialize)]
struct Envelope {
    #[serde(default, deserialize_with = "lenient")]
    message: Option<String>,
}

/// `{"message":"NotFound"}`: words only, so the status decides.
pub(crate) fn read_error(body: &[u8]) -> Option<ProviderError> {
    let message = serde_json::from_slice::<Envelope>(body).ok()?.message?;
    Some(ProviderError { class: None, message })
}

/// A product's last 24 hours.
pub(crate) struct Day {
    pub(crate) open: ExactDecimal,
    pub(crate) high: ExactDecimal,
    pub(crate) low: ExactDecimal,
    /// In units of the asset.
    pub(crate) volume: ExactDecimal,
}

/// A product's price with the figures that follow from its day.
pub(crate) fn quote(symbol: Symbol, price: Price, day: &Day, source: Source, as_of: OffsetDateTime) -> Quote {
    let turnover = day.volume.amount().and_then(|units| units.checked_mul(price.usd()));
    Quote {
        change_24h: day.open.price().and_then(|open| price.change_since(open)),
        high_24h: day.high.price(),
        low_24h: day.low.price(),
        volume_24h: turnover.map(|usd| usd.normalize()),
        ..Quote::bare(symbol, price, source, as_of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_symbol_and_its_product_lead_to_each_other() {
        assert_eq!(product_id(&Symbol::btc()), "BTC-USD");
        assert_eq!(symbol_of("BTC-USD"), Some(Symbol::btc()));
        assert_eq!(symbol_of("BTC-USDT"), None);
        assert_eq!(symbol_of("-USD"), None);
    }

    proptest! {
        #[test]
        fn no_error_body_panics(bytes: Vec<u8>, text in "\\PC{0,30}") {
            let _ = read_error(&bytes);
            let _ = read_error(format!(r#"{{"message":{text}}}"#).as_bytes());
            let _ = symbol_of(&text);
        }
    }
}
