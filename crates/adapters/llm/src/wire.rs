//! The shapes of `/chat/completions`.

use coinlink_domain::assistant::{Speaker, Turn};
use coinlink_domain::shared::upstream_failure::FailureClass;
use coinlink_ports::assistant::ModelRequest;
use coinlink_upstream::ProviderError;
use serde::{Deserialize, Serialize};

use crate::settings::LlmSettings;

#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    stream: bool,
    temperature: f32,
    max_tokens: u32,
    messages: Vec<Message<'a>>,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: &'a str,
}

/// The body of a request: what we say as the system, what people say as people.
pub(crate) fn request(model: &str, request: &ModelRequest) -> Result<String, serde_json::Error> {
    let role = |turn: &Turn| match turn.speaker {
        Speaker::User => "user",
        Speaker::Assistant => "assistant",
    };
    let mut messages = vec![Message { role: "system", content: &request.system }];
    messages.extend(request.history.iter().map(|turn| Message { role: role(turn), content: &turn.text }));
    messages.push(Message { role: "user", content: &request.question });
    serde_json::to_string(&Request { model, stream: true, temperature: 0.0, max_tokens: LlmSettings::MAX_TOKENS, messages })
}

#[derive(Deserialize)]
struct Chunk {
    #[serde(default)]
    choices: Vec<Choice>,
    #[serde(default)]
    error: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    delta: Delta,
    #[serde(default)]
    finish_reason: Option<String>,
}

#[derive(Deserialize, Default)]
struct Delta {
    #[serde(default)]
    content: Option<String>,
}

/// What one event says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A piece of the text, perhaps empty, and whether the answer is whole with it, or was stopped.
    Piece(String, Option<End>),
    /// The stream ends.
    Done,
    /// The other side says that it failed.
    Failed,
    /// Nothing that was agreed.
    Unreadable,
}

/// How an answer ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// It is whole.
    Whole,
    /// The model stopped: its answer was too long, or not allowed.
    Stopped,
}

pub(crate) fn event(data: &[u8]) -> Event {
    if data.trim_ascii() == b"[DONE]" {
        return Event::Done;
    }
    let Ok(chunk) = serde_json::from_slice::<Chunk>(data) else { return Event::Unreadable };
    if chunk.error.is_some() {
        return Event::Failed;
    }
    let Some(choice) = chunk.choices.into_iter().next() else { return Event::Piece(String::new(), None) };
    let end = choice.finish_reason.map(|reason| if reason == "stop" { End::Whole } else { End::Stopped });
    Event::Piece(choice.delta.content.unwrap_or_default(), end)
}

#[derive(Deserialize)]
struct Refused {
    error: Error,
}

#[derive(Deserialize)]
struct Error {
    #[serde(default, rename = "type", deserialize_with = "coinlink_upstream::lenient")]
    kind: Option<String>,
    #[serde(default, deserialize_with = "coinlink_upstream::lenient")]
    code: Option<String>,
}

/// The kind of an error, never its message: endpoints quote the key and the question there.
pub(crate) fn read_error(body: &[u8]) -> Option<ProviderError> {
    let Error { kind, code } = serde_json::from_slice::<Refused>(body).ok()?.error;
    let is_name = |text: &String| text.len() <= 40 && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let message = [kind, code].into_iter().flatten().filter(is_name).collect::<Vec<_>>().join(" ");
    let class = message.contains("insufficient_quota").then_some(FailureClass::Quota { retry_after: None });
    Some(ProviderError { class, message })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn events_are_read_as_they_are_sent() {
        let piece = |text: &str, end| Event::Piece(text.to_owned(), end);
        for (data, expected) in [
            (r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}"#, piece("", None)),
            (r#"{"choices":[{"delta":{"content":"Hi"}}]}"#, piece("Hi", None)),
            (r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#, piece("", Some(End::Whole))),
            (r#"{"choices":[{"delta":{"content":null},"finish_reason":"length"}]}"#, piece("", Some(End::Stopped))),
            (r#"{"choices":[],"usage":{"total_tokens":7}}"#, piece("", None)),
            (r#"{"error":{"message":"overloaded"}}"#, Event::Failed),
            ("[DONE]", Event::Done),
            ("<html>", Event::Unreadable),
            (r#"{"choices":"none"}"#, Event::Unreadable),
        ] {
            assert_eq!(event(data.as_bytes()), expected, "{data}");
        }
    }

    #[test]
    fn an_error_is_named_and_never_quoted() {
        let told = read_error(br#"{"error":{"message":"Incorrect API key provided: sk-secret","type":"invalid_request_error","code":"invalid_api_key"}}"#);
        assert_eq!(told.unwrap().message, "invalid_request_error invalid_api_key");
        let odd = read_error(br#"{"error":{"message":"x","type":"sk-SECRET1","code":401}}"#);
        assert_eq!(odd.unwrap().message, "");
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>, text in "\\PC{0,60}") {
            let _ = (event(&bytes), read_error(&bytes), event(text.as_bytes()));
        }
    }
}
