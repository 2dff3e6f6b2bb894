//! Fill what is missing of price history from what providers still have.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
};

use coinlink_domain::{
    market::{
        Source, Symbol,
        candles::{Candle, CandleOrigin, CandleRecord, GapFinder, Interval, Span, next_call, without},
    },
    shared::{
        quota::QuotaVerdict,
        upstream_failure::{FailureClass, UpstreamFailure},
    },
};
use coinlink_ports::{
    market::{CandleProvider, CandleStore, CurrentPrices, HistoryGaps, QuotaLedger},
    shared::{Clock, StoreError},
};
use time::{Duration, OffsetDateTime};

use super::{Metering, RollUpCandles};

/// Assets that are filled whole before the others: their charts are looked at first.
const LARGEST: usize = 5;
/// A provider that failed is left alone for this long, twice as long each time after,
const REST: Duration = Duration::MINUTE;
/// and never longer than this; one whose settings are wrong, at once.
const LONGEST_REST: Duration = Duration::HOUR;
/// So many failures in a row, and the next provider is asked instead.
const GIVEN_UP_AFTER: u32 = 2;
/// Whether a provider has what it once had not is asked again after this.
const ASK_AGAIN: Duration = Duration::days(7);
/// Whether it lists an asset that it did not list, after this.
const LOOK_AGAIN: Duration = Duration::DAY;

/// How far back history is filled.
#[derive(Debug, Clone)]
pub struct HistoryDepth(pub Vec<(Interval, Duration)>);

/// What filling takes.
pub struct FillHistoryParts {
    /// In order of preference.
    pub providers: Vec<Arc<dyn CandleProvider>>,
    /// Plans of metered providers.
    pub metering: Metering,
    /// The cluster's count of metered calls.
    pub ledger: Arc<dyn QuotaLedger>,
    /// The history.
    pub store: Arc<dyn CandleStore>,
    /// What providers have nothing of.
    pub gaps: Arc<dyn HistoryGaps>,
    /// Which assets there are.
    pub prices: Arc<dyn CurrentPrices>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// How far back.
    pub depth: HistoryDepth,
}

/// What one step did.
#[derive(Debug)]
pub enum FillStep {
    /// A provider was asked.
    Asked {
        /// Who.
        source: Source,
        /// How many candles that were missing it brought, or how it failed.
        result: Result<usize, UpstreamFailure>,
    },
    /// Whoever could be asked is to be left alone for this long.
    Resting(Duration),
    /// Everything that providers have is there. What is missing still, in candles, by interval.
    Done(BTreeMap<Interval, u64>),
}

/// Fills history one call at a time. What is missing is found in the store, so that whoever leads next goes on where this one
/// stopped. Held by one task, so it keeps its state without a lock.
pub struct FillHistory {
    parts: FillHistoryParts,
    round: VecDeque<(Interval, Symbol)>,
    missing: BTreeMap<Interval, u64>,
    resting: HashMap<Source, Resting>,
    unlisted: HashMap<(Source, Symbol), Duration>,
    roll_up: RollUpCandles,
}

impl FillHistory {
    /// Nothing is known to be missing yet.
    #[must_use]
    pub fn new(parts: FillHistoryParts) -> Self {
        let roll_up = RollUpCandles::new(Arc::clone(&parts.store), Arc::clone(&parts.clock));
        let (round, missing) = (VecDeque::new(), BTreeMap::new());
        Self { parts, round, missing, resting: HashMap::new(), unlisted: HashMap::new(), roll_up }
    }

    /// The next call: the largest assets first, each whole, then the others, longer intervals first.
    #[tracing::instrument(level = "debug", name = "market.fill_history", skip_all)]
    pub async fn execute(&mut self) -> Result<FillStep, StoreError> {
        if self.round.is_empty() {
            self.begin_round();
        }
        let mut wait: Option<Duration> = None;
        for _ in 0..self.round.len() {
            let Some((interval, symbol)) = self.round.front().cloned() else { break };
            let now = self.parts.clock.now();
            let Some(span) = self.span(interval, now) else {
                self.round.pop_front();
                continue;
            };
            let missing = self.parts.store.missing(&symbol, interval, span).await?;
            match self.next(&symbol, interval, &missing, now).await? {
                Next::Call(place, call) => return self.ask(place, &symbol, interval, (call, &missing)).await,
                Next::Rest(rest) => {
                    wait = Some(wait.map_or(rest, |wait| wait.min(rest)));
                    self.round.rotate_left(1);
                }
                Next::Nothing => {
                    *self.missing.entry(interval).or_default() += candles_in(&missing, interval);
                    self.round.pop_front();
                }
            }
        }
        Ok(wait.map_or_else(|| FillStep::Done(std::mem::take(&mut self.missing)), FillStep::Resting))
    }

    /// Forgets what providers had nothing of too long ago.
    pub async fn forget(&self) -> Result<u64, StoreError> {
        self.parts.gaps.forget(self.parts.clock.now() - ASK_AGAIN).await
    }

    fn begin_round(&mut self) {
        self.missing.clear();
        let Some(current) = self.parts.prices.current() else { return };
        let symbols = || current.tick.items.iter().filter(|item| item.quote.source.is_real()).map(|item| &item.quote.symbol);
        let mut intervals: Vec<Interval> = self.parts.depth.0.iter().map(|(interval, _)| *interval).collect();
        intervals.sort_unstable_by_key(|interval| std::cmp::Reverse(*interval));
        let of = |interval: Interval, symbol: &Symbol| (interval, symbol.clone());
        let largest = symbols().take(LARGEST).flat_map(|symbol| intervals.iter().map(move |interval| of(*interval, symbol)));
        let others = intervals.iter().flat_map(|interval| symbols().skip(LARGEST).map(move |symbol| of(*interval, symbol)));
        self.round = largest.chain(others).collect();
    }

    /// What history is to hold: up to the candle that is not over.
    fn span(&self, interval: Interval, now: OffsetDateTime) -> Option<Span> {
        let (_, depth) = self.parts.depth.0.iter().find(|(of, _)| *of == interval)?;
        Some(Span { from: interval.open_of(now - *depth), to: interval.open_of(now) })
    }

    async fn next(&self, symbol: &Symbol, interval: Interval, missing: &[Span], now: OffsetDateTime) -> Result<Next, StoreError> {
        let mut wait: Option<Duration> = None;
        for (place, provider) in self.parts.providers.iter().enumerate() {
            let (source, Some(window)) = (provider.source(), provider.window(interval)) else { continue };
            if self.is_unlisted(source, symbol) {
                continue;
            }
            let empty = self.parts.gaps.noted(symbol, interval, source, now - ASK_AGAIN).await?;
            let Some(call) = next_call(&without(missing, &empty), interval, window.longest, window.reach, now) else { continue };
            if let Some(resting) = self.resting.get(&source).filter(|resting| resting.until > self.parts.clock.monotonic()) {
                let rest = resting.until - self.parts.clock.monotonic();
                wait = Some(wait.map_or(rest, |wait| wait.min(rest)));
                if resting.failures < GIVEN_UP_AFTER {
                    // The next one is not asked for what a better one may bring in a minute.
                    break;
                }
                continue;
            }
            return Ok(Next::Call(place, call));
        }
        Ok(wait.map_or(Next::Nothing, Next::Rest))
    }

    fn is_unlisted(&self, source: Source, symbol: &Symbol) -> bool {
        let since = self.unlisted.get(&(source, symbol.clone()));
        since.is_some_and(|since| self.parts.clock.monotonic() - *since < LOOK_AGAIN)
    }

    async fn ask(
        &mut self,
        place: usize,
        symbol: &Symbol,
        interval: Interval,
        (call, missing): (Span, &[Span]),
    ) -> Result<FillStep, StoreError> {
        let provider = Arc::clone(&self.parts.providers[place]);
        let source = provider.source();
        let now = self.parts.clock.now();
        if !self.budgeted(source, now).await {
            self.rest(source, FailureClass::Quota { retry_after: None });
            return Ok(FillStep::Resting(Duration::ZERO));
        }
        let candles = match provider.candles(symbol, interval, call).await {
            Ok(candles) => {
                self.resting.remove(&source);
                candles
            }
            Err(failure) => {
                match failure.class {
                    FailureClass::Data => {
                        self.unlisted.insert((source, symbol.clone()), self.parts.clock.monotonic());
                    }
                    class => self.rest(source, class),
                }
                return Ok(FillStep::Asked { source, result: Err(failure) });
            }
        };
        let wanted = |candle: &Candle| candle.closed && missing.iter().any(|span| within(candle, span));
        let found = candles.iter().filter(|candle| wanted(candle));
        let records: Vec<CandleRecord> = found
            .map(|candle| CandleRecord { symbol: symbol.clone(), candle: *candle, origin: CandleOrigin::Provider(source) })
            .collect();
        self.parts.store.replace(interval, &records).await?;
        if interval == Interval::Minute && !records.is_empty() {
            // Longer candles, such as the hour in which a node started, are of the minutes that ticks saw.
            self.roll_up.mend(symbol, call).await?;
        }
        // After the candles: a gap that is noted is not asked for again, so nothing of it may still be on its way.
        self.parts.gaps.note(symbol, interval, source, &gaps_in(&candles, interval, call), now).await?;
        Ok(FillStep::Asked { source, result: Ok(records.len()) })
    }

    /// Counts a metered call before it is made. The ticker comes first: a budget that is nearly used up is left to it.
    async fn budgeted(&self, source: Source, now: OffsetDateTime) -> bool {
        let Some(&(_, policy)) = self.parts.metering.iter().find(|(metered, _)| *metered == source) else { return true };
        match self.parts.ledger.spend(source, policy, now).await {
            Ok(verdict) => verdict == QuotaVerdict::Allow,
            Err(error) => {
                tracing::warn!(provider = source.name(), %error, "history left out: its call's budget cannot be counted");
                false
            }
        }
    }

    fn rest(&mut self, source: Source, class: FailureClass) {
        let now = self.parts.clock.monotonic();
        let resting = self.resting.entry(source).or_default();
        resting.failures = resting.failures.saturating_add(1);
        let longer = REST * 2_i32.saturating_pow(resting.failures.min(7) - 1);
        resting.until = now
            + match class {
                FailureClass::Quota { retry_after } => retry_after.unwrap_or(REST).max(longer).min(LONGEST_REST),
                FailureClass::Config => LONGEST_REST,
                FailureClass::Transient { .. } | FailureClass::Data => longer.min(LONGEST_REST),
            };
    }
}

/// A provider that failed.
#[derive(Default)]
struct Resting {
    /// In a row.
    failures: u32,
    /// By the monotonic clock.
    until: Duration,
}

enum Next {
    Call(usize, Span),
    Rest(Duration),
    Nothing,
}

fn within(candle: &Candle, span: &Span) -> bool {
    span.from <= candle.open_at && candle.open_at < span.to
}

fn gaps_in(candles: &[Candle], interval: Interval, span: Span) -> Vec<Span> {
    let mut finder = GapFinder::new(interval, span);
    for candle in candles {
        finder.there_is(candle.open_at);
    }
    finder.gaps()
}

fn candles_in(spans: &[Span], interval: Interval) -> u64 {
    let length = interval.length().whole_seconds();
    let count = spans.iter().map(|span| (span.to - span.from).whole_seconds() / length).sum::<i64>();
    u64::try_from(count).unwrap_or(0)
}
