use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use coinlink_domain::{
    market::{QuoteBatch, Source, Symbol},
    shared::upstream_failure::UpstreamFailure,
};
use coinlink_ports::{market::PriceProvider, shared::Pause};
use time::Duration;

use crate::shared::lock;

type Answer = Result<QuoteBatch, UpstreamFailure>;
type Script = Box<dyn FnMut(&[Symbol]) -> Answer + Send>;

/// A source that answers by script, and notes what it was asked.
pub struct ScriptedPrices {
    source: Source,
    script: Mutex<Script>,
    asked: Mutex<Vec<Vec<Symbol>>>,
    delay: Option<(Arc<dyn Pause>, Duration)>,
}

impl ScriptedPrices {
    /// Gives these answers in turn, then the last one for ever.
    pub fn new(source: Source, answers: impl IntoIterator<Item = Answer>) -> Self {
        let mut answers: VecDeque<Answer> = answers.into_iter().collect();
        assert!(!answers.is_empty(), "a script needs an answer");
        Self::answering(source, move |_| {
            let next = answers.pop_front().unwrap_or_else(|| unreachable!("the last answer stays"));
            if answers.is_empty() {
                answers.push_back(next.clone());
            }
            next
        })
    }

    /// Answers what `script` says.
    pub fn answering(source: Source, script: impl FnMut(&[Symbol]) -> Answer + Send + 'static) -> Self {
        Self { source, script: Mutex::new(Box::new(script)), asked: Mutex::default(), delay: None }
    }

    /// Takes `wait` on `pause` before each answer.
    #[must_use]
    pub fn delayed(self, pause: Arc<dyn Pause>, wait: Duration) -> Self {
        Self { delay: Some((pause, wait)), ..self }
    }

    /// Calls begun, whether or not they were waited for.
    pub fn calls(&self) -> usize {
        lock(&self.asked).len()
    }

    /// What was asked for, call by call.
    pub fn asked(&self) -> Vec<Vec<Symbol>> {
        lock(&self.asked).clone()
    }
}

#[async_trait]
impl PriceProvider for ScriptedPrices {
    fn source(&self) -> Source {
        self.source
    }

    async fn fetch(&self, symbols: &[Symbol]) -> Answer {
        lock(&self.asked).push(symbols.to_vec());
        if let Some((pause, wait)) = &self.delay {
            pause.pause(*wait).await;
        }
        (lock(&self.script))(symbols)
    }
}
