//! Against a real local server.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::{sync::Arc, time::Duration};

use coinlink_domain::shared::upstream_failure::{FailureClass, UpstreamFailure};
use coinlink_llm::{LlmAssistant, LlmSettings};
use coinlink_ports::assistant::{Assistant as _, ModelRequest};
use coinlink_testkit::{
    assistant::{ChatStep, ChatStub, chat_answer, chat_end, chat_head, chat_piece},
    market::NOON,
    shared::StoppedClock,
};
use secrecy::SecretString;

const KEY: &str = "sk-very-secret";
const ONCE: FailureClass = FailureClass::Transient { retryable: false };

fn request() -> ModelRequest {
    ModelRequest { system: "facts".to_owned(), history: Vec::new(), question: "price?".into() }
}

/// The pieces of an answer, and the failure it ended with.
async fn read(script: Vec<ChatStep>) -> (Vec<String>, Option<UpstreamFailure>) {
    let stub = ChatStub::start(script).await;
    let settings = LlmSettings {
        key: Some(SecretString::from(KEY)),
        timeout: Duration::from_millis(300),
        ..LlmSettings::new(stub.base_url(), "m")
    };
    let assistant = LlmAssistant::new(settings, Arc::new(StoppedClock::at(NOON))).unwrap();
    let mut read = Vec::new();
    let mut pieces = match assistant.answer(&request()).await {
        Ok(pieces) => pieces,
        Err(failure) => return (read, Some(failure)),
    };
    loop {
        match pieces.next().await {
            Some(Ok(piece)) => read.push(piece),
            Some(Err(failure)) => {
                assert!(pieces.next().await.is_none(), "a failure is the end");
                return (read, Some(failure));
            }
            None => return (read, None),
        }
    }
}

fn send(text: &str) -> ChatStep {
    ChatStep::Send(text.as_bytes().to_vec())
}

#[tokio::test]
async fn an_answer_comes_in_its_pieces_however_the_bytes_are_cut() {
    assert_eq!(
        read(chat_answer(&["a", "", "\u{e9}\n", "c"])).await,
        (vec!["a".to_owned(), "\u{e9}\n".to_owned(), "c".to_owned()], None)
    );
    let ChatStep::Send(event) = chat_piece("\u{1f600}") else { unreachable!("a piece is sent") };
    let bytes = event.iter().map(|byte| ChatStep::Send(vec![*byte]));
    let script = std::iter::once(chat_head(200, "text/event-stream", "")).chain(bytes).chain([chat_end("stop")]).collect();
    assert_eq!(read(script).await, (vec!["\u{1f600}".to_owned()], None));
}

#[tokio::test]
async fn every_failure_has_its_class_and_none_tells_the_key() {
    let head = || chat_head(200, "text/event-stream", "");
    let echo = format!(r#"{{"error":{{"message":"bad key {KEY}","type":"{KEY}","code":"invalid_api_key"}}}}"#);
    let refused = |status| vec![chat_head(status, "application/json", ""), send(&echo)];
    let quota = r#"{"error":{"message":"x","code":"insufficient_quota"}}"#;
    for (script, class) in [
        (refused(401), FailureClass::Config),
        (vec![chat_head(401, "text/plain", ""), send("Unauthorized")], FailureClass::Config),
        (vec![chat_head(401, "text/plain", "")], FailureClass::Config),
        (refused(403), FailureClass::Config),
        (refused(400), FailureClass::Data),
        (refused(500), ONCE),
        (
            vec![chat_head(429, "text/plain", "retry-after: 7\r\n")],
            FailureClass::Quota { retry_after: Some(time::Duration::seconds(7)) },
        ),
        (vec![chat_head(403, "application/json", ""), send(quota)], FailureClass::Quota { retry_after: None }),
        (vec![ChatStep::Hang], ONCE),
        (vec![head(), chat_piece("a"), chat_end("length")], FailureClass::Data),
        (vec![head(), chat_piece("a")], ONCE),
        (vec![head(), send("data: nonsense\n\n")], ONCE),
        (vec![head(), ChatStep::Flood(vec![b'x'; 8_192])], ONCE),
        (vec![head(), ChatStep::Flood(b": nothing\n".repeat(500))], ONCE),
    ] {
        let described = format!("{script:?}").chars().take(200).collect::<String>();
        let failure = read(script).await.1.unwrap_or_else(|| panic!("{described} is no failure"));
        assert_eq!(failure.class, class, "{described}");
        assert!(!format!("{failure:?} {failure}").contains(KEY), "{failure:?}");
    }
}

#[tokio::test]
async fn settings_that_cannot_work_are_refused_without_telling_the_key() {
    let clock = || Arc::new(StoppedClock::at(NOON));
    let settings = |url: &str, model: &str, key: &str| LlmSettings {
        key: Some(SecretString::from(key.to_owned())),
        ..LlmSettings::new(url, model)
    };
    for wrong in [
        settings("no url", "m", KEY),
        settings("ftp://host/v1", "m", KEY),
        settings("http://host/v1", " ", KEY),
        settings("http://host/v1", "m", "sk-very-secret\n"),
    ] {
        assert!(!format!("{wrong:?}").contains(KEY));
        let Err(error) = LlmAssistant::new(wrong, clock()) else { panic!("taken") };
        assert!(!format!("{error:?} {error}").contains(KEY));
    }
}
