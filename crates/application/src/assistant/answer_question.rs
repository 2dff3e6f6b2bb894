//! Answer a question about the market.

use std::sync::Arc;

use coinlink_domain::{
    assistant::{Alerts, Directory, Facts, Question, Speaker, Turn, answer},
    shared::user_id::UserId,
};
use coinlink_ports::shared::Clock;
use time::OffsetDateTime;

use crate::market::MarketUseCases;

/// Whose answers are those that no language model had a part in.
pub const BASELINE: &str = "baseline";

/// What was asked.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The question, as it was typed.
    pub text: Arc<str>,
    /// Who asks, where somebody is signed in.
    pub user: Option<UserId>,
    /// What was said before, oldest first.
    pub history: Vec<Turn>,
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Plain text, never empty.
    pub text: Arc<str>,
    /// Who wrote it: `baseline`, or a language model's name.
    pub model: String,
    /// How old the oldest figure in it is; `None` where it has none.
    pub as_of: Option<OffsetDateTime>,
}

/// Answers from what this node knows.
pub struct AnswerQuestion {
    market: MarketUseCases,
    clock: Arc<dyn Clock>,
}

impl AnswerQuestion {
    /// Of these.
    pub fn new(market: MarketUseCases, clock: Arc<dyn Clock>) -> Self {
        Self { market, clock }
    }

    /// Never fails: what is not known is said to be unknown.
    #[tracing::instrument(name = "answer_question", skip_all, fields(intent))]
    #[expect(clippy::unused_async, reason = "alerts, history and the model are asked for over the network")]
    pub async fn execute(&self, asked: Asked) -> Answer {
        let facts = self.facts(&asked);
        let directory = Directory::of(facts.tick.as_ref().map_or(&[], |tick| &tick.items));
        let question = Question::read(&asked.text, before(&asked.history), &directory);
        tracing::Span::current().record("intent", tracing::field::debug(question.intent));
        let reply = answer(&question, &facts);
        Answer { text: reply.text.into(), model: BASELINE.to_owned(), as_of: reply.as_of }
    }

    fn facts(&self, asked: &Asked) -> Facts {
        let current = self.market.prices.current();
        let bulletins = &self.market.bulletins;
        Facts {
            now: self.clock.now(),
            stale: current.as_ref().is_some_and(|current| current.stale),
            tick: current.map(|current| current.tick),
            news: bulletins.news(),
            fear_greed: bulletins.fear_greed(),
            totals: bulletins.totals(),
            trending: bulletins.trending(),
            mood: None,
            past: Vec::new(),
            alerts: if asked.user.is_some() { Alerts::Unknown } else { Alerts::SignedOut },
        }
    }
}

/// What the same person asked last.
fn before(history: &[Turn]) -> Option<&str> {
    history.iter().rev().find(|turn| turn.speaker == Speaker::User).map(|turn| &*turn.text)
}
