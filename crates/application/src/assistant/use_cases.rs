use std::sync::Arc;

use coinlink_ports::shared::{Clock, Entropy};

use super::AnswerQuestion;
use crate::market::MarketUseCases;

/// What the assistant needs from outside.
#[derive(Clone)]
pub struct AssistantAdapters {
    /// What is asked of the market.
    pub market: MarketUseCases,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Names.
    pub entropy: Arc<dyn Entropy>,
}

/// What is asked of the assistant.
#[derive(Clone)]
pub struct AssistantUseCases {
    /// Answers a question about the market.
    pub answer: Arc<AnswerQuestion>,
}

impl AssistantUseCases {
    /// All of them.
    pub fn new(adapters: AssistantAdapters) -> Self {
        let AssistantAdapters { market, clock, .. } = adapters;
        Self { answer: Arc::new(AnswerQuestion::new(market, clock)) }
    }
}
