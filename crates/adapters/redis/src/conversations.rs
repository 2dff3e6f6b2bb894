use async_trait::async_trait;
use coinlink_domain::assistant::{ConversationId, Exchange, Speaker, Turn};
use coinlink_ports::{assistant::VisitorConversations, shared::BusError};
use deadpool_redis::redis::{cmd, pipe};
use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, UtcOffset, serde::rfc3339};
use uuid::Uuid;

use crate::link::RedisLink;

/// Visitors' conversations that all nodes share: for each a list, which lapses.
pub struct RedisConversations {
    link: RedisLink,
}

impl RedisConversations {
    /// Those behind `link`.
    pub fn new(link: RedisLink) -> Self {
        Self { link }
    }
}

/// An exchange as it is kept. Fields it does not know are passed over, so that a newer node may add some while older ones still
/// run.
#[derive(Serialize, Deserialize)]
struct Payload {
    id: Uuid,
    question: String,
    #[serde(with = "rfc3339")]
    asked_at: OffsetDateTime,
    answer: String,
    #[serde(with = "rfc3339")]
    answered_at: OffsetDateTime,
}

fn encode(exchange: &Exchange) -> Result<Vec<u8>, BusError> {
    let payload = Payload {
        id: exchange.id,
        question: exchange.question.text.to_string(),
        asked_at: exchange.question.at.to_offset(UtcOffset::UTC),
        answer: exchange.answer.text.to_string(),
        answered_at: exchange.answer.at.to_offset(UtcOffset::UTC),
    };
    serde_json::to_vec(&payload).map_err(|error| BusError(format!("an exchange that cannot be written: {error}")))
}

fn decode(payload: &[u8]) -> Result<Exchange, BusError> {
    // What serde says may quote what people said.
    let read: Payload = serde_json::from_slice(payload).map_err(|_| BusError("an exchange that cannot be read".to_owned()))?;
    let turn = |speaker, text: String, at: OffsetDateTime| Turn { speaker, text: text.into(), at };
    Ok(Exchange {
        id: read.id,
        question: turn(Speaker::User, read.question, read.asked_at),
        answer: turn(Speaker::Assistant, read.answer, read.answered_at),
    })
}

/// The place in a list from its end.
fn from_the_end(limit: usize) -> i64 {
    -i64::try_from(limit.min(Exchange::KEPT_OF_VISITOR)).unwrap_or(0)
}

#[async_trait]
impl VisitorConversations for RedisConversations {
    async fn append(&self, conversation: ConversationId, exchange: &Exchange) -> Result<(), BusError> {
        let (key, line) = (self.link.keys().conversation(conversation), encode(exchange)?);
        let mut step = pipe();
        step.atomic();
        step.cmd("RPUSH").arg(&key).arg(line).ignore();
        step.cmd("LTRIM").arg(&key).arg(from_the_end(Exchange::KEPT_OF_VISITOR)).arg(-1).ignore();
        step.cmd("EXPIRE").arg(&key).arg(Exchange::VISITOR_KEPT_FOR.whole_seconds()).ignore();
        self.link.run("RPUSH", |mut connection| async move { step.exec_async(&mut connection).await }).await
    }

    async fn newest(&self, conversation: ConversationId, limit: usize) -> Result<Vec<Exchange>, BusError> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let key = self.link.keys().conversation(conversation);
        let mut read = cmd("LRANGE");
        read.arg(key).arg(from_the_end(limit)).arg(-1);
        let lines: Vec<Vec<u8>> =
            self.link.run("LRANGE", |mut connection| async move { read.query_async(&mut connection).await }).await?;
        lines.iter().map(|line| decode(line)).collect()
    }

    async fn forget(&self, conversation: ConversationId) -> Result<(), BusError> {
        let mut remove = cmd("DEL");
        remove.arg(self.link.keys().conversation(conversation));
        self.link.run("DEL", |mut connection| async move { remove.exec_async(&mut connection).await }).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const AT: OffsetDateTime = time::macros::datetime!(2026-11-21 12:00:00.000001 UTC);

    proptest! {
        #[test]
        fn whatever_was_said_comes_back_as_it_was(question in any::<String>(), answer in any::<String>(), nanoseconds in any::<i64>()) {
            let at = AT + time::Duration::nanoseconds(nanoseconds / 1_000);
            let turn = |speaker, text: &str| Turn { speaker, text: text.into(), at };
            let (question, answer) = (turn(Speaker::User, &question), turn(Speaker::Assistant, &answer));
            let exchange = Exchange { id: Uuid::from_u128(7), question, answer };
            prop_assert_eq!(decode(&encode(&exchange).unwrap()).unwrap(), exchange);
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), text in "[{}\":a-z0-9,]{0,80}") {
            let _ = (decode(&bytes), decode(text.as_bytes()));
        }
    }

    #[test]
    fn what_cannot_be_read_is_not_repeated_and_what_is_not_known_is_passed_over() {
        let turn = |speaker| Turn { speaker, text: "secret".into(), at: AT };
        let exchange = Exchange { id: Uuid::nil(), question: turn(Speaker::User), answer: turn(Speaker::Assistant) };
        let text = String::from_utf8(encode(&exchange).unwrap()).unwrap();
        assert!(!decode(text.replace("\"answer\"", "\"a\"").as_bytes()).unwrap_err().0.contains("secret"));
        assert_eq!(decode(text.replacen('{', "{\"new\":1,", 1).as_bytes()).unwrap(), exchange);
    }
}
