//! Talk with the assistant: what was said before is remembered, and so is what is said now.

use std::sync::Arc;

use coinlink_domain::assistant::{Exchange, Message, Speaker, Turn, VisitorKey, VisitorSession};
use coinlink_ports::shared::{Clock, Entropy};
use time::OffsetDateTime;

use super::{
    AnswerQuestion, Asked, Talker,
    conversations::{ConversationError, Conversations, turns},
};

/// So many questions before this one are looked at with it, and their answers.
const BEFORE: usize = 5;

/// A question that was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chatted {
    /// What was asked, and what was answered.
    pub exchange: Exchange,
    /// Who wrote the answer: see [`super::Answer::model`].
    pub model: String,
    /// How old the oldest figure in it is.
    pub as_of: Option<OffsetDateTime>,
    /// Whether it will be in the history. What keeps that may be away; the answer does not wait for it to come back.
    pub remembered: bool,
}

/// Answers what somebody says.
pub struct Chat {
    pub(super) answer: Arc<AnswerQuestion>,
    pub(super) conversations: Conversations,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
}

impl Chat {
    /// What somebody without an account is known by from now on.
    pub fn greet(&self, key: &VisitorKey) -> VisitorSession {
        key.give_out(self.entropy.key())
    }

    /// Never fails. The question and its answer are kept together once there is an answer, so that many at once do not mix.
    #[tracing::instrument(name = "chat", skip_all)]
    pub async fn execute(&self, talker: Talker, message: &Message) -> Chatted {
        let text = Arc::clone(message.text());
        let question = Turn { speaker: Speaker::User, text: Arc::clone(&text), at: self.clock.now() };
        let before = self.conversations.newest(talker, BEFORE).await;
        let history = heard(before, "chat goes on without what was said before").map_or_else(Vec::new, turns);
        let answer = self.answer.execute(Asked { text, alerts_of: talker.reads_alerts_of(), history }).await;
        let said = Turn { speaker: Speaker::Assistant, text: answer.text, at: self.clock.now() };
        let exchange = Exchange { id: self.entropy.id(), question, answer: said };
        let kept = heard(self.conversations.append(talker, &exchange).await, "what was said in chat is not remembered");
        Chatted { exchange, model: answer.model, as_of: answer.as_of, remembered: kept.is_some() }
    }
}

fn heard<T>(answer: Result<T, ConversationError>, otherwise: &'static str) -> Option<T> {
    answer.inspect_err(|error| tracing::warn!(%error, "{otherwise}")).ok()
}
