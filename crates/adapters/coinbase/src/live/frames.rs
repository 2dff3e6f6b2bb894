//! What the socket says, and what is said to it.

use coinlink_domain::market::{Price, Symbol};
use coinlink_upstream::{ExactDecimal, instant, lenient};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::product::{Day, symbol_of};

/// A message from Coinbase.
pub(super) enum Incoming {
    Ticker(Box<Ticker>),
    /// A subscription changed. Which channel it names is not looked at: `ticker_batch` was seen acknowledged as
    /// `ticker_1000`.
    Acknowledged,
    /// Something we asked for was refused; the words may name the product.
    Refused(String),
    /// A kind of message we do not use.
    Other,
    /// Not what was agreed.
    Unreadable,
}

pub(super) struct Ticker {
    pub(super) symbol: Symbol,
    pub(super) sequence: Option<u64>,
    pub(super) price: Price,
    pub(super) day: Day,
    pub(super) time: OffsetDateTime,
}

#[derive(Deserialize)]
struct Frame {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default, deserialize_with = "lenient")]
    product_id: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    sequence: Option<u64>,
    #[serde(default)]
    price: ExactDecimal,
    #[serde(default)]
    open_24h: ExactDecimal,
    #[serde(default)]
    high_24h: ExactDecimal,
    #[serde(default)]
    low_24h: ExactDecimal,
    #[serde(default)]
    volume_24h: ExactDecimal,
    #[serde(default, deserialize_with = "lenient")]
    time: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    message: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    reason: Option<String>,
}

impl Incoming {
    pub(super) fn read(text: &str) -> Self {
        let Ok(frame) = serde_json::from_str::<Frame>(text) else { return Self::Unreadable };
        match frame.kind.as_str() {
            "ticker" => frame.into_ticker().map_or(Self::Unreadable, |ticker| Self::Ticker(Box::new(ticker))),
            "subscriptions" => Self::Acknowledged,
            "error" => Self::Refused([frame.message, frame.reason].map(Option::unwrap_or_default).join(" ")),
            _ => Self::Other,
        }
    }
}

impl Frame {
    fn into_ticker(self) -> Option<Ticker> {
        Some(Ticker {
            symbol: symbol_of(self.product_id.as_deref()?)?,
            sequence: self.sequence,
            price: self.price.price()?,
            day: Day { open: self.open_24h, high: self.high_24h, low: self.low_24h, volume: self.volume_24h },
            time: instant(self.time.as_deref()?)?,
        })
    }
}

/// Whether a refusal's words name this product, and not one whose name only contains it.
pub(super) fn names(words: &str, product: &str) -> bool {
    words.split(|c: char| c.is_whitespace() || "\"'`[](){},;:".contains(c)).any(|word| word.trim_end_matches('.') == product)
}

#[derive(Serialize)]
struct Request<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    product_ids: Vec<&'a str>,
    channels: [&'a str; 1],
}

/// A `subscribe` or `unsubscribe` message.
pub(super) fn request<'a>(kind: &str, products: impl IntoIterator<Item = &'a String>) -> String {
    let product_ids = products.into_iter().map(String::as_str).collect();
    serde_json::to_string(&Request { kind, product_ids, channels: ["ticker_batch"] }).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_recorded_frame_is_read_to_the_last_digit() {
        let Incoming::Ticker(ticker) = Incoming::read(include_str!("../../tests/fixtures/ticker.json")) else {
            panic!("no ticker")
        };
        assert_eq!(ticker.symbol, Symbol::btc());
        assert_eq!(ticker.sequence, Some(96_318_242_801));
        assert_eq!(ticker.price.usd().to_string(), "64123.45");
        assert_eq!(Some(ticker.time), instant("2026-06-19T10:15:02.123456Z"));
    }

    #[test]
    fn a_frame_without_price_time_or_sense_is_unreadable_and_a_new_kind_is_not() {
        for text in [
            "",
            "[]",
            "{}",
            r#"{"type":"ticker"}"#,
            r#"{"type":"ticker","product_id":"BTC-USD","price":"1"}"#,
            r#"{"type":"ticker","product_id":"BTC-USD","price":"0","time":"2026-01-01T00:00:00Z"}"#,
        ] {
            assert!(matches!(Incoming::read(text), Incoming::Unreadable), "{text}");
        }
        assert!(matches!(Incoming::read(r#"{"type":"heartbeat","sequence":"x"}"#), Incoming::Other));
    }

    #[test]
    fn a_refusal_names_a_product_only_by_its_whole_name() {
        let words = "Failed to subscribe ETC-USD is not a valid product";
        assert!(names(words, "ETC-USD") && !names(words, "TC-USD") && !names("Failed: [AETC-USD]", "ETC-USD"));
        assert!(names("products: ['ETC-USD', \"ADA-USD\"].", "ADA-USD"));
    }

    #[test]
    fn a_subscription_names_products_and_the_batched_channel() {
        let expected = r#"{"type":"subscribe","product_ids":["BTC-USD"],"channels":["ticker_batch"]}"#;
        assert_eq!(request("subscribe", &["BTC-USD".to_owned()]), expected);
    }

    proptest! {
        #[test]
        fn no_frame_panics(text in "\\PC{0,80}", value in r#"[\[\]{}",:0-9a-zA-Z.-]{0,40}"#) {
            let _ = Incoming::read(&text);
            let _ = Incoming::read(&format!(r#"{{"type":"ticker","product_id":"BTC-USD","price":"1","time":"{value}","sequence":{value}}}"#));
            let _ = names(&text, &value);
        }
    }
}
