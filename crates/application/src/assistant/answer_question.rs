//! Answer a question about the market: from what is known, in a language model's words where there is one and it keeps to the facts.

use std::sync::Arc;

use coinlink_domain::{
    assistant::{Briefing, Directory, Facts, Question, Reply, Speaker, Turn, answer},
    shared::user_id::UserId,
};
use coinlink_ports::{
    assistant::{Assistant, ModelRequest},
    notifications::AlertReads,
    shared::{Clock, Pause},
};
use time::OffsetDateTime;

use super::{ask_model::AskModel, gather_facts::GatherFacts};
use crate::market::MarketUseCases;

/// Whose answers are those that no language model had a part in.
pub const BASELINE: &str = "baseline";

/// What was asked.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The question, as it was typed.
    pub text: Arc<str>,
    /// Whose alerts may be told of; `None` where nobody is signed in, and for a program that may not read them.
    pub alerts_of: Option<UserId>,
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

/// Questions of the past that a model is told, and characters of each.
const TOLD_BEFORE: usize = 3;
const TOLD_CHARACTERS: usize = 500;
/// What a model is told in place of what was answered: alerts and others' words may be in that, and figures that were right then.
const ANSWERED: &str = "(answered)";
/// Characters of a question that a model is told.
const TOLD_QUESTION: usize = 2_000;

/// What answers are made from.
pub struct AnswerParts {
    /// Prices, bulletins, history and mood.
    pub market: MarketUseCases,
    /// Users' alert rules.
    pub alerts: Arc<dyn AlertReads>,
    /// Who writes answers beside the baseline.
    pub model: Option<Arc<dyn Assistant>>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Waiting.
    pub pause: Arc<dyn Pause>,
}

/// Answers from what this node knows.
pub struct AnswerQuestion {
    facts: GatherFacts,
    model: Option<AskModel>,
}

impl AnswerQuestion {
    /// Of these.
    pub fn new(parts: AnswerParts) -> Self {
        let AnswerParts { market, alerts, model, clock, pause } = parts;
        let model = model.map(|model| AskModel::new(model, Arc::clone(&clock), pause));
        Self { facts: GatherFacts { market, alerts, clock }, model }
    }

    /// Never fails: what is not known is said to be unknown, and where the model fails the baseline answers.
    #[tracing::instrument(name = "answer_question", skip_all, fields(intent, model))]
    pub async fn execute(&self, asked: Asked) -> Answer {
        let shown = self.facts.shown();
        let directory = Directory::of(shown.as_ref().map_or(&[], |shown| &shown.tick.items));
        let question = Question::read(&asked.text, before(&asked.history), &directory);
        let facts = self.facts.gather(&question, shown, asked.alerts_of).await;
        let (reply, model) = match self.written(&asked, &question, &facts, &directory).await {
            Some((reply, model)) => (reply, model),
            None => (answer(&question, &facts), BASELINE),
        };
        let span = tracing::Span::current();
        span.record("intent", tracing::field::debug(question.intent));
        span.record("model", model);
        Answer { text: reply.text.into(), model: model.to_owned(), as_of: reply.as_of }
    }

    /// The model's answer, where it is asked, answers, and keeps to the facts.
    async fn written(&self, asked: &Asked, question: &Question, facts: &Facts, directory: &Directory) -> Option<(Reply, &str)> {
        let model = self.model.as_ref()?;
        let briefing = Briefing::of(question, facts)?;
        let request = ModelRequest {
            system: briefing.system.clone(),
            history: told(&asked.history, directory),
            question: beginning(&asked.text, TOLD_QUESTION),
        };
        let wrote = model.write(&request).await?;
        let checked = briefing.check(&wrote);
        if checked.is_none() {
            tracing::info!(model = model.name(), "the language model's answer does not keep to the facts");
        }
        Some((checked?, model.name()))
    }
}

/// What the same person asked last.
fn before(history: &[Turn]) -> Option<&str> {
    history.iter().rev().find(|turn| turn.speaker == Speaker::User).map(|turn| &*turn.text)
}

/// The last questions that a model would have been asked, cut, and none of the answers.
fn told(history: &[Turn], directory: &Directory) -> Vec<Turn> {
    let asked = history.iter().filter(|turn| turn.speaker == Speaker::User);
    let may_hear = |turn: &&Turn| Briefing::is_for(&Question::read(&turn.text, None, directory));
    let mut last: Vec<&Turn> = asked.rev().filter(may_hear).take(TOLD_BEFORE).collect();
    last.reverse();
    let told = |turn: &Turn| {
        let answer = Turn { speaker: Speaker::Assistant, text: ANSWERED.into(), at: turn.at };
        [Turn { text: beginning(&turn.text, TOLD_CHARACTERS), ..turn.clone() }, answer]
    };
    last.into_iter().flat_map(told).collect()
}

fn beginning(text: &Arc<str>, longest: usize) -> Arc<str> {
    text.char_indices().nth(longest).map_or_else(|| Arc::clone(text), |(end, _)| text[..end].into())
}
