//! What clients may say: JSON objects with a `type`.

use std::{collections::BTreeSet, fmt};

use coinlink_domain::{
    assistant::{self, MessageError},
    market::{Symbol, TickId},
};
use serde::Deserialize;
use serde_json::Value;

use super::Channel;
use crate::http::malformed::{self, Fault};

/// The most symbols one subscription may name.
pub(super) const MAX_SYMBOLS: usize = 64;
/// The longest interval a client may ask for: a minute.
const MAX_INTERVAL_MS: u32 = 60_000;

/// Every `type` that is understood.
pub const TYPES: [&str; 11] = [
    "ping",
    "pong",
    "subscribe",
    "unsubscribe",
    "resume",
    "authenticate",
    "join_channel",
    "leave_channel",
    "subscribe_bitcoin",
    "unsubscribe_bitcoin",
    "chat_message",
];

/// A text that is not printed.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Secret(pub(super) String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What a client shows of whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shown {
    Nothing,
    Token(Secret),
    Ticket(Secret),
}

/// A message understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Message {
    Ping,
    Pong,
    Subscribe { symbols: Option<BTreeSet<Symbol>>, delta: bool, interval_ms: u32 },
    Unsubscribe,
    Resume(TickId),
    Authenticate(Shown),
    Join(Channel),
    Leave(Channel),
    SubscribeBitcoin,
    UnsubscribeBitcoin,
    Chat { message: assistant::Message, channel: Channel },
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
        "subscribe" => match malformed::read(text) {
            Ok(wish) => subscribe(wish),
            Err(Fault { field, why }) => misunderstood("invalid_message", format!("subscribe: {field} {why}")),
        },
        "unsubscribe" => Ok(Message::Unsubscribe),
        "resume" => match malformed::read(text) {
            Ok(Resume { epoch, seq }) => Ok(Message::Resume(TickId { epoch, seq })),
            Err(Fault { field, why }) => misunderstood("invalid_message", format!("resume: {field} {why}")),
        },
        "authenticate" => shown(&fields(text)),
        "join_channel" => channel(&fields(text)).map(Message::Join),
        "leave_channel" => channel(&fields(text)).map(Message::Leave),
        "subscribe_bitcoin" => Ok(Message::SubscribeBitcoin),
        "unsubscribe_bitcoin" => Ok(Message::UnsubscribeBitcoin),
        "chat_message" => question(&fields(text)),
        _ => misunderstood("unknown_message_type", format!("known types: {}", TYPES.join(", "))),
    }
}

/// The fields of a message of the first backend's clients.
struct Fields(Value);

fn fields(text: &[u8]) -> Fields {
    Fields(serde_json::from_slice(text).unwrap_or_default())
}

impl Fields {
    /// A field, or that of `data`, where some clients put them all.
    fn get(&self, name: &str) -> Option<&Value> {
        let of = |object: &'_ Value| object.get(name).is_some_and(|value| !value.is_null());
        if of(&self.0) { self.0.get(name) } else { self.0.get("data").filter(|data| of(data))?.get(name) }
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str().map(str::trim)
    }
}

fn shown(fields: &Fields) -> Result<Message, Misunderstood> {
    let secret = |text: &str| Secret(text.to_owned());
    let token = fields.text("token").map(without_scheme).filter(|token| !token.is_empty());
    let ticket = fields.text("ticket").filter(|ticket| !ticket.is_empty());
    match (token, ticket) {
        (None, None) => Ok(Message::Authenticate(Shown::Nothing)),
        (Some(token), None) => Ok(Message::Authenticate(Shown::Token(secret(token)))),
        (None, Some(ticket)) => Ok(Message::Authenticate(Shown::Ticket(secret(ticket)))),
        (Some(_), Some(_)) => misunderstood("invalid_message", "authenticate: a token or a ticket, not both"),
    }
}

fn without_scheme(token: &str) -> &str {
    match token.split_once(' ') {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("bearer") => rest.trim(),
        // Blanks around it are gone already.
        None if token.eq_ignore_ascii_case("bearer") => "",
        _ => token,
    }
}

fn channel(fields: &Fields) -> Result<Channel, Misunderstood> {
    match fields.get("channel") {
        None => misunderstood("missing_channel", "name a channel"),
        Some(name) => name.as_str().and_then(Channel::from_name).map_or_else(
            || {
                let names = Channel::ALL.map(Channel::name).join(", ");
                misunderstood("invalid_channel", format!("the channels are {names}"))
            },
            Ok,
        ),
    }
}

fn question(fields: &Fields) -> Result<Message, Misunderstood> {
    let channel = if fields.get("channel").is_some() { channel(fields)? } else { Channel::General };
    let text = match fields.get("message") {
        Some(Value::String(text)) => text,
        None => "",
        Some(_) => return misunderstood("invalid_message", "chat_message: `message` is a text"),
    };
    match assistant::Message::try_new(text) {
        Ok(message) => Ok(Message::Chat { message, channel }),
        Err(error @ MessageError::Empty) => misunderstood("empty_message", error.to_string()),
        Err(error @ MessageError::TooLong { .. }) => misunderstood("message_too_long", error.to_string()),
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

    #[test]
    fn a_token_comes_with_or_without_its_scheme_and_is_not_printed() {
        let token = |text: &str| Message::Authenticate(Shown::Token(Secret(text.to_owned())));
        for text in [
            r#"{"type":"authenticate","token":"abc.def"}"#,
            r#"{"type":"authenticate","token":" Bearer abc.def "}"#,
            r#"{"type":"authenticate","token":"bearer  abc.def"}"#,
            r#"{"type":"authenticate","data":{"token":"abc.def"}}"#,
        ] {
            let read = parse(text.as_bytes()).unwrap();
            assert_eq!(read, token("abc.def"));
            assert!(!format!("{read:?}").contains("abc"), "{read:?}");
        }
        let ticket = parse(br#"{"type":"authenticate","ticket":"00ff"}"#).unwrap();
        assert_eq!(ticket, Message::Authenticate(Shown::Ticket(Secret("00ff".to_owned()))));
        for text in [
            r#"{"type":"authenticate"}"#,
            r#"{"type":"authenticate","token":" "}"#,
            r#"{"type":"authenticate","token":"Bearer "}"#,
            r#"{"type":"authenticate","token":7}"#,
        ] {
            assert_eq!(parse(text.as_bytes()), Ok(Message::Authenticate(Shown::Nothing)));
        }
        assert_eq!(code(r#"{"type":"authenticate","token":"a","ticket":"b"}"#), "invalid_message");
    }

    #[test]
    fn channels_are_those_of_the_list() {
        assert_eq!(parse(br#"{"type":"join_channel","channel":" General "}"#), Ok(Message::Join(Channel::General)));
        assert_eq!(
            parse(br#"{"type":"leave_channel","data":{"channel":"market_news"}}"#),
            Ok(Message::Leave(Channel::MarketNews))
        );
        assert_eq!(code(r#"{"type":"join_channel"}"#), "missing_channel");
        assert_eq!(code(r#"{"type":"join_channel","channel":"admins"}"#), "invalid_channel");
        assert_eq!(code(r#"{"type":"join_channel","channel":["general"]}"#), "invalid_channel");
    }

    #[test]
    fn a_question_has_one_to_a_thousand_characters() {
        let long = |count: usize| serde_json::json!({ "type": "chat_message", "message": "é".repeat(count) }).to_string();
        assert!(matches!(parse(long(1_000).as_bytes()), Ok(Message::Chat { channel: Channel::General, .. })));
        assert_eq!(code(&long(1_001)), "message_too_long");
        let around = serde_json::json!({ "type": "chat_message", "message": format!(" {}\u{0}\n", "é".repeat(1_000)) });
        let Ok(Message::Chat { message, .. }) = parse(around.to_string().as_bytes()) else { panic!("counted as over HTTP") };
        assert_eq!(&**message.text(), "é".repeat(1_000), "without what nobody can read");
        assert_eq!(code(r#"{"type":"chat_message","message":"\u0007"}"#), "empty_message");
        assert_eq!(code(r#"{"type":"chat_message","message":" \n "}"#), "empty_message");
        assert_eq!(code(r#"{"type":"chat_message"}"#), "empty_message");
        assert_eq!(code(r#"{"type":"chat_message","message":7}"#), "invalid_message");
        assert_eq!(code(r#"{"type":"chat_message","message":"hi","channel":"vip"}"#), "invalid_channel");
    }

    #[test]
    fn every_type_of_the_list_is_understood_and_no_other() {
        for kind in TYPES {
            assert_ne!(
                parse(format!(r#"{{"type":"{kind}"}}"#).as_bytes()).err().map(|error| error.code),
                Some("unknown_message_type")
            );
        }
        assert_eq!(code(r#"{"type":"bitcoin_update"}"#), "unknown_message_type");
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

        #[test]
        fn no_fields_of_older_clients_panic_it(kind in prop::sample::select(&TYPES[..]), name in "token|ticket|channel|message|data", text in ".{0,60}", deep: bool) {
            let field = serde_json::json!({ name.clone(): text });
            let mut message = if deep { serde_json::json!({ "data": field }) } else { field };
            message["type"] = kind.into();
            let _ = parse(message.to_string().as_bytes());
        }
    }
}
