//! Ask the price providers that are due, in order of preference, with a fallback inside the same tick.

use std::{collections::BTreeMap, sync::Arc};

use coinlink_domain::{
    market::{Attempt, QuoteBatch, Source, Sourcing, Symbol},
    shared::{
        backoff::FullJitter,
        quota::QuotaPolicy,
        upstream_failure::{FailureClass, UpstreamFailure},
    },
};
use coinlink_ports::{
    market::{PriceProvider, QuotaLedger},
    shared::{Clock, Dice, Pause},
};
use futures_util::{
    FutureExt as _, StreamExt as _,
    future::{BoxFuture, Either, select},
    stream::FuturesUnordered,
};
use time::{Duration, OffsetDateTime};

/// The next provider is asked as well when the one before has not answered by now.
const HEDGE_AFTER: Duration = Duration::milliseconds(800);
/// A tick waits no longer for its prices.
const DEADLINE: Duration = Duration::seconds(4);
/// The wait before the one retry.
const RETRY: FullJitter = FullJitter { base: Duration::milliseconds(250), cap: Duration::milliseconds(250) };

/// What a metered provider's plan allows.
pub type Metering = Vec<(Source, QuotaPolicy)>;

/// One call to a provider and how it ended; `Ok` is an answer, used or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallReport {
    /// Who was asked.
    pub source: Source,
    /// How it ended; a call given up at the tick's deadline is a transient failure.
    pub result: Result<(), UpstreamFailure>,
    /// How long it took.
    pub took: Duration,
}

/// What a tick got from its providers.
#[derive(Debug, Default)]
pub struct Collected {
    /// The list to show, where a provider's answer became it.
    pub batch: Option<QuoteBatch>,
    /// When that answer was there, by the monotonic clock.
    pub received: Option<Duration>,
    /// Every call made.
    pub calls: Vec<CallReport>,
}

/// Asks providers. Held by the one task that leads, so it keeps its state without a lock.
pub struct CollectQuotes {
    /// In order of preference, as in `sourcing`.
    pub providers: Vec<Arc<dyn PriceProvider>>,
    /// Which provider is asked when.
    pub sourcing: Sourcing,
    /// Plans of metered providers.
    pub metering: Metering,
    /// The cluster's count of metered calls.
    pub ledger: Arc<dyn QuotaLedger>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Waiting.
    pub pause: Arc<dyn Pause>,
    /// Jitter.
    pub dice: Arc<dyn Dice>,
}

struct Answer {
    place: usize,
    result: Result<QuoteBatch, UpstreamFailure>,
    took: Duration,
    /// By the monotonic clock.
    received: Duration,
    is_retry: bool,
}

impl CollectQuotes {
    /// One tick's worth of asking, for at most four seconds. A preferred provider that is slow is waited for to its own
    /// time-out while the next one is asked beside it; the more preferred answer counts.
    pub async fn execute(&mut self, symbols: &[Symbol]) -> Collected {
        let started = self.clock.monotonic();
        let now = self.clock.now();
        let mut collected = Collected::default();
        let mut flying: FuturesUnordered<BoxFuture<'static, Answer>> = FuturesUnordered::new();
        let mut asked: Vec<usize> = Vec::new();
        let mut done: BTreeMap<usize, Answer> = BTreeMap::new();
        let mut places = 0..self.providers.len();
        let symbols: Arc<[Symbol]> = symbols.into();
        let mut may_ask = true;
        loop {
            if may_ask {
                match self.next_due(&mut places, now).await {
                    Some(place) => {
                        asked.push(place);
                        flying.push(self.ask(place, &symbols, None));
                    }
                    None if flying.is_empty() => break,
                    None => {}
                }
                may_ask = false;
            }
            let left = DEADLINE - (self.clock.monotonic() - started);
            if left <= Duration::ZERO {
                break;
            }
            let wait = if places.is_empty() { left } else { left.min(HEDGE_AFTER) };
            let alarm = self.pause.pause(wait);
            let answer = match select(flying.next(), alarm).await {
                Either::Left((Some(answer), _)) => answer,
                Either::Left((None, _)) | Either::Right(_) => {
                    may_ask = true;
                    continue;
                }
            };
            if let Err(failure) = &answer.result
                && !answer.is_retry
                && self.sourcing.may_retry(self.source(answer.place), failure.class)
                && self.budgeted(answer.place, now).await
            {
                collected.calls.push(report(self.source(answer.place), &answer));
                flying.push(self.ask(answer.place, &symbols, Some(RETRY.delay(0, self.dice.roll()))));
                continue;
            }
            done.insert(answer.place, answer);
            if self.settle(&mut asked, &mut done, now, &mut collected) {
                return collected;
            }
            may_ask = true;
        }
        self.give_up(&asked, done, now, &mut collected);
        collected
    }

    /// Applies answers in order of preference, as far as no more preferred one is still out. `true` when one became the
    /// list.
    fn settle(
        &mut self,
        asked: &mut Vec<usize>,
        done: &mut BTreeMap<usize, Answer>,
        now: OffsetDateTime,
        collected: &mut Collected,
    ) -> bool {
        while let Some(&first) = asked.first() {
            let Some(answer) = done.remove(&first) else { return false };
            asked.remove(0);
            if self.apply(answer, now, collected) {
                return true;
            }
        }
        false
    }

    /// The deadline has come: answers count as they are, and who has not answered has failed.
    fn give_up(&mut self, asked: &[usize], mut done: BTreeMap<usize, Answer>, now: OffsetDateTime, collected: &mut Collected) {
        for &place in asked {
            let answer = done.remove(&place).unwrap_or_else(|| Answer {
                place,
                result: Err(UpstreamFailure::new(
                    FailureClass::Transient { retryable: false },
                    "no answer by the tick's deadline",
                )),
                took: DEADLINE,
                received: self.clock.monotonic(),
                is_retry: false,
            });
            if collected.batch.is_none() {
                self.apply(answer, now, collected);
            }
        }
    }

    fn apply(&mut self, answer: Answer, now: OffsetDateTime, collected: &mut Collected) -> bool {
        let source = self.source(answer.place);
        collected.calls.push(report(source, &answer));
        match answer.result {
            Ok(batch) if self.sourcing.succeeded(source, now) => {
                collected.batch = Some(batch);
                collected.received = Some(answer.received);
                true
            }
            Ok(_) => false,
            Err(failure) => {
                self.sourcing.failed(source, failure.class, now);
                false
            }
        }
    }

    /// The next provider worth asking: none once the shown list is current and only less preferred ones are left.
    async fn next_due(&mut self, places: &mut std::ops::Range<usize>, now: OffsetDateTime) -> Option<usize> {
        for place in places.by_ref() {
            let source = self.source(place);
            let needed = !self.sourcing.is_current(now) || self.sourcing.is_preferred(source);
            if !needed {
                continue;
            }
            if self.sourcing.admit(source, now) == Attempt::Ask && self.budgeted(place, now).await {
                return Some(place);
            }
        }
        None
    }

    /// Counts a metered call before it is made. When nobody can count it, it is not made.
    async fn budgeted(&mut self, place: usize, now: OffsetDateTime) -> bool {
        let source = self.source(place);
        let Some(&(_, policy)) = self.metering.iter().find(|(metered, _)| *metered == source) else { return true };
        match self.ledger.spend(source, policy, now).await {
            Ok(verdict) => self.sourcing.budgeted(source, verdict, now),
            Err(error) => {
                tracing::warn!(provider = source.name(), %error, "metered call left out: its budget cannot be counted");
                false
            }
        }
    }

    fn ask(&self, place: usize, symbols: &Arc<[Symbol]>, after: Option<Duration>) -> BoxFuture<'static, Answer> {
        let provider = Arc::clone(&self.providers[place]);
        let (symbols, clock, pause) = (Arc::clone(symbols), Arc::clone(&self.clock), Arc::clone(&self.pause));
        async move {
            if let Some(wait) = after {
                pause.pause(wait).await;
            }
            let started = clock.monotonic();
            let result = provider.fetch(&symbols).await;
            let received = clock.monotonic();
            Answer { place, result, took: received - started, received, is_retry: after.is_some() }
        }
        .boxed()
    }

    fn source(&self, place: usize) -> Source {
        self.providers[place].source()
    }
}

fn report(source: Source, answer: &Answer) -> CallReport {
    CallReport { source, result: answer.result.as_ref().map(|_| ()).map_err(Clone::clone), took: answer.took }
}
