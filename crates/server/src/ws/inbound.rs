//! What clients may say: JSON objects with a `type`.

use std::collections::BTreeSet;

use coinlink_domain::market::{Symbol, TickId};
use serde::Deserialize;

/// The most symbols one subscription may name.
pub(super) const MAX_SYMBOLS: usize = 64;
/// The longest interval a client may ask for: a minute.
const MAX_INTERVAL_MS: u32 = 60_000;

/// A message understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Message {
    Ping,
    Pong,
    Subscribe { symbols: Option<BTreeSet<Symbol>>, delta: bool, interval_ms: u32 },
    Unsubscribe,
    Resume(TickId),
}

/// A message not understood: the code and text of the `error` frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Misunderstood {
    pub(super) code: &'static str,
    pub(super) message: String,
}

fn misunderstood<T>(code: &'static str, message: impl Into<String>) -> Result<T, Misunderstood> {
    Err(Misunderstood { code, message: message.into() })
}

#[derive(Deserialize)]
struct Kind {
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct Subscribe {
    symbols: Option<Vec<String>>,
    #[serde(default)]
    mode: Mode,
    #[serde(default)]
    interval_ms: u32,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "lowercase")]
enum Mode {
    #[default]
    Full,
    Delta,
}

#[derive(Deserialize)]
struct Resume {
    epoch: u64,
    seq: u64,
}

/// Reads one text message. Unknown fields are ignored, so that newer clients work with older servers.
pub(super) fn parse(text: &[u8]) -> Result<Message, Misunderstood> {
    if serde_json::from_slice::<serde::de::IgnoredAny>(text).is_err() {
        return misunderstood("invalid_json", "the message is not JSON");
    }
    let Ok(Kind { kind }) = serde_json::from_slice(text) else {
        return misunderstood("invalid_message", "the message is not an object with a string `type`");
    };
    match kind.as_str() {
        "ping" => Ok(Message::Ping),
        "pong" => Ok(Message::Pong),
        "subscribe" => match serde_json::from_slice(text) {
            Ok(wish) => subscribe(wish),
            Err(error) => misunderstood("invalid_message", format!("subscribe: {error}")),
        },
        "unsubscribe" => Ok(Message::Unsubscribe),
        "resume" => match serde_json::from_slice(text) {
            Ok(Resume { epoch, seq }) => Ok(Message::Resume(TickId { epoch, seq })),
            Err(error) => misunderstood("invalid_message", format!("resume: {error}")),
        },
        _ => misunderstood("unknown_message_type", "known types: ping, pong, subscribe, unsubscribe, resume"),
    }
}

fn subscribe(wish: Subscribe) -> Result<Message, Misunderstood> {
    if wish.interval_ms > MAX_INTERVAL_MS {
        return misunderstood("invalid_message", format!("interval_ms is at most {MAX_INTERVAL_MS}"));
    }
    let symbols = match wish.symbols {
        None => None,
        Some(symbols) if symbols.is_empty() || symbols.len() > MAX_SYMBOLS => {
            return misunderstood("invalid_message", format!("name 1 to {MAX_SYMBOLS} symbols, or leave the field out for all"));
        }
        Some(symbols) => match symbols.iter().map(|raw| Symbol::try_new(raw)).collect() {
            Ok(symbols) => Some(symbols),
            Err(error) => return misunderstood("invalid_message", format!("symbols: {error}")),
        },
    };
    Ok(Message::Subscribe { symbols, delta: matches!(wish.mode, Mode::Delta), interval_ms: wish.interval_ms })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn code(text: &str) -> &'static str {
        parse(text.as_bytes()).unwrap_err().code
    }

    #[test]
    fn what_the_front_end_sends_is_understood() {
        assert_eq!(parse(br#"{"type":"ping","timestamp":"2026-01-01T00:00:00.000Z"}"#), Ok(Message::Ping));
        assert_eq!(parse(br#"{"type":"pong","timestamp":"x"}"#), Ok(Message::Pong));
    }

    #[test]
    fn a_subscription_may_name_symbols_a_mode_and_an_interval() {
        let all = Message::Subscribe { symbols: None, delta: false, interval_ms: 0 };
        assert_eq!(parse(br#"{"type":"subscribe"}"#), Ok(all));
        let some = Message::Subscribe { symbols: Some([Symbol::btc()].into()), delta: true, interval_ms: 10_000 };
        assert_eq!(parse(br#"{"type":"subscribe","symbols":["btc","BTC"],"mode":"delta","interval_ms":10000}"#), Ok(some));
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert_eq!(code("{"), "invalid_json");
        assert_eq!(code("[]"), "invalid_message");
        assert_eq!(code(r#"{"type":7}"#), "invalid_message");
        assert_eq!(code(r#"{"type":"dance"}"#), "unknown_message_type");
        assert_eq!(code(r#"{"type":"subscribe","symbols":[]}"#), "invalid_message");
        assert_eq!(code(r#"{"type":"subscribe","symbols":["<b>"]}"#), "invalid_message");
        assert_eq!(code(r#"{"type":"subscribe","mode":"half"}"#), "invalid_message");
        assert_eq!(code(r#"{"type":"subscribe","interval_ms":60001}"#), "invalid_message");
        assert_eq!(code(r#"{"type":"resume","epoch":-1,"seq":2}"#), "invalid_message");
        let many = serde_json::json!({ "type": "subscribe", "symbols": vec!["BTC"; MAX_SYMBOLS + 1] });
        assert_eq!(code(&many.to_string()), "invalid_message");
    }

    proptest! {
        #[test]
        fn no_bytes_panic_it(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn no_object_of_the_right_shape_panics_it(kind in "ping|subscribe|resume|x", symbols in prop::collection::vec(".{0,25}", 0..70), number: i64) {
            let text = serde_json::json!({ "type": kind, "symbols": symbols, "interval_ms": number, "epoch": number, "seq": number });
            let _ = parse(text.to_string().as_bytes());
        }
    }
}
