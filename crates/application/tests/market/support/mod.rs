//! Virtual time and scripted providers for the use cases of the market.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use coinlink_domain::{
    market::{Price, Quote, QuoteBatch, Source, Symbol},
    shared::upstream_failure::{FailureClass, UpstreamFailure},
};
use coinlink_ports::{
    market::PriceProvider,
    shared::{Clock, Dice, Pause},
};
use time::{Duration, OffsetDateTime, macros::datetime};
use tokio::time::Instant;

pub(crate) const START: OffsetDateTime = datetime!(2026-01-01 0:00 UTC);

/// Tokio's paused clock: time jumps to the next timer whenever nothing can run.
pub(crate) struct VirtualTime(Instant);

impl VirtualTime {
    pub(crate) fn start() -> Arc<Self> {
        Arc::new(Self(Instant::now()))
    }
}

impl Clock for VirtualTime {
    fn now(&self) -> OffsetDateTime {
        START + self.monotonic()
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed().try_into().unwrap()
    }
}

#[async_trait]
impl Pause for VirtualTime {
    async fn pause(&self, wait: Duration) {
        tokio::time::sleep(wait.try_into().unwrap_or_default()).await;
    }
}

/// Always the same roll: a fraction of every longest wait, never nothing.
pub(crate) struct FixedDice;

impl Dice for FixedDice {
    fn roll(&self) -> u64 {
        99_999
    }
}

/// What a provider does when it is called: waits, then answers.
#[derive(Clone)]
pub(crate) struct Step(pub(crate) Duration, pub(crate) Result<u32, FailureClass>);

pub(crate) const TIME_OUT: Step = Step(Duration::seconds(3), Err(FailureClass::Transient { retryable: false }));
pub(crate) const DOWN: Step = Step(Duration::milliseconds(5), Err(FailureClass::Transient { retryable: true }));

/// A provider that follows a script, then repeats its last step.
pub(crate) struct ScriptedProvider {
    source: Source,
    clock: Arc<VirtualTime>,
    script: Mutex<VecDeque<Step>>,
    calls: AtomicUsize,
}

impl ScriptedProvider {
    pub(crate) fn new(source: Source, clock: &Arc<VirtualTime>, script: impl IntoIterator<Item = Step>) -> Arc<Self> {
        let script = Mutex::new(script.into_iter().collect());
        Arc::new(Self { source, clock: Arc::clone(clock), script, calls: AtomicUsize::new(0) })
    }

    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    pub(crate) fn now_does(&self, step: Step) {
        *self.script.lock().unwrap() = [step].into();
    }
}

#[async_trait]
impl PriceProvider for ScriptedProvider {
    fn source(&self) -> Source {
        self.source
    }

    async fn fetch(&self, _: &[Symbol]) -> Result<QuoteBatch, UpstreamFailure> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let Step(takes, result) = {
            let mut script = self.script.lock().unwrap();
            let step = script.front().cloned().expect("a script has a last step");
            if script.len() > 1 {
                script.pop_front();
            }
            step
        };
        self.clock.pause(takes).await;
        let price = result.map_err(|class| UpstreamFailure::new(class, "scripted"))?;
        let quote = Quote::bare(Symbol::btc(), Price::try_new(price.into()).unwrap(), self.source, self.clock.now());
        Ok(QuoteBatch::collect(self.source, [quote]).unwrap())
    }
}

/// Answers at once with a price.
pub(crate) fn answers(price: u32) -> Step {
    Step(Duration::milliseconds(50), Ok(price))
}

/// Answers with a price, but late.
pub(crate) fn answers_after(milliseconds: i64, price: u32) -> Step {
    Step(Duration::milliseconds(milliseconds), Ok(price))
}
