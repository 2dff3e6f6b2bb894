//! What is known for a question: prices and bulletins from memory, and what only this question needs from the stores.

use std::sync::Arc;

use coinlink_domain::{
    assistant::{AlertLine, Alerts, Facts, Intent, Moment, Mood, Past, Period, Question, Then},
    market::{
        Symbol,
        candles::{Candle, CandleRecord, Interval},
    },
    shared::user_id::UserId,
};
use coinlink_ports::{market::CurrentTick, notifications::AlertReads, shared::Clock};
use time::{Duration, OffsetDateTime};

use crate::market::{AskedCandles, CandlePage, MarketUseCases};

/// Assets whose past is looked up for one question.
const PASTS: usize = 3;
/// Candles of one asset at most: ten years of days.
const CANDLES: u32 = 4_000;

/// Reads what answers are made from.
pub(super) struct GatherFacts {
    pub(super) market: MarketUseCases,
    pub(super) alerts: Arc<dyn AlertReads>,
    pub(super) clock: Arc<dyn Clock>,
}

impl GatherFacts {
    /// What this node shows now.
    pub(super) fn shown(&self) -> Option<CurrentTick> {
        self.market.prices.current()
    }

    /// All that is known for `question`. What cannot be read is not known.
    pub(super) async fn gather(&self, question: &Question, current: Option<CurrentTick>, user: Option<UserId>) -> Facts {
        let now = self.clock.now();
        let bulletins = &self.market.bulletins;
        Facts {
            now,
            stale: current.as_ref().is_some_and(|current| current.stale),
            tick: current.map(|current| current.tick),
            news: bulletins.news(),
            fear_greed: bulletins.fear_greed(),
            totals: bulletins.totals(),
            trending: bulletins.trending(),
            mood: self.mood(question),
            past: self.past(question, now).await,
            then: self.then(question, now).await,
            alerts: self.alerts(question, user).await,
        }
    }

    fn mood(&self, question: &Question) -> Option<Mood> {
        if question.intent != Intent::Mood {
            return None;
        }
        let sentiment = self.market.read_sentiment.execute()?;
        let as_of = sentiment.inputs.iter().map(|input| input.evidence.as_of).min()?;
        let score = sentiment.mood.score;
        Some(Mood { score: score.value(), label: score.mood().name().replace('_', " ").into(), as_of })
    }

    async fn alerts(&self, question: &Question, user: Option<UserId>) -> Alerts {
        let Some(user) = user else { return Alerts::SignedOut };
        if question.intent != Intent::Alerts {
            return Alerts::Unknown;
        }
        match self.alerts.rules_of(user, false).await {
            Ok(rules) => Alerts::Known(
                rules
                    .into_iter()
                    .map(|rule| AlertLine { symbol: rule.symbol, condition: rule.condition, active: rule.is_active })
                    .collect(),
            ),
            Err(error) => {
                tracing::warn!(%error, "alerts could not be read for an answer");
                Alerts::Unknown
            }
        }
    }

    /// What the named assets did in the named period, where the ticker itself does not say.
    async fn past(&self, question: &Question, now: OffsetDateTime) -> Vec<Past> {
        let Some(period) = question.period.filter(|_| matches!(question.intent, Intent::Change | Intent::Range)) else {
            return Vec::new();
        };
        let mut known = Vec::new();
        for symbol in named(question) {
            known.extend(self.past_of(&symbol, period, now).await);
        }
        known
    }

    /// What the named assets cost at the named time.
    async fn then(&self, question: &Question, now: OffsetDateTime) -> Vec<Then> {
        let moment = question.moment.filter(|_| matches!(question.intent, Intent::Then | Intent::Convert));
        let Some((moment, (from, to))) = moment.and_then(|moment| Some((moment, moment.span(now)?))) else { return Vec::new() };
        if from > now {
            return Vec::new();
        }
        let mut known = Vec::new();
        for symbol in named(question) {
            for interval in intervals_for(moment) {
                // Of a moment the one candle that holds it.
                let span =
                    if from == to { (interval.open_of(from), interval.open_of(from) + interval.length()) } else { (from, to) };
                if let Some(then) = self.then_of((&symbol, *interval), span, (from == to).then_some(from)).await {
                    known.push(then);
                    break;
                }
            }
        }
        known
    }

    /// What candles of this length know of a stretch; where a moment `at` is meant, only if what they know holds it.
    async fn then_of(
        &self,
        (symbol, interval): (&Symbol, Interval),
        (from, to): (OffsetDateTime, OffsetDateTime),
        at: Option<OffsetDateTime>,
    ) -> Option<Then> {
        let page = self.candles(symbol, interval, from, Some(to)).await?;
        let (first, last) = (page.records.first()?.candle, page.records.last()?.candle);
        let known_from = page.known_from(&first);
        if at.is_some_and(|at| at < known_from) {
            return None;
        }
        let joined = joined(&page.records)?;
        Some(Then {
            symbol: symbol.clone(),
            from: first.open_at,
            known_from,
            to: last.open_at + interval.length(),
            open: first.open,
            high: joined.high,
            low: joined.low,
            close: last.close,
        })
    }

    /// What cannot be read is not known.
    async fn candles(
        &self,
        symbol: &Symbol,
        interval: Interval,
        from: OffsetDateTime,
        to: Option<OffsetDateTime>,
    ) -> Option<CandlePage> {
        let asked = AskedCandles { symbol: symbol.clone(), interval, from: Some(from), to, limit: CANDLES };
        match self.market.candles.execute(asked).await {
            Ok(page) => Some(page),
            Err(error) => {
                tracing::debug!(%error, "no history for an answer");
                None
            }
        }
    }

    async fn past_of(&self, symbol: &Symbol, period: Period, now: OffsetDateTime) -> Option<Past> {
        let interval = interval_for(period);
        let from = interval.open_of(now - period.length());
        let mut page = self.candles(symbol, interval, from, None).await?;
        if page.records.is_empty() && interval == Interval::Day {
            // A history that is younger than its first day.
            page = self.candles(symbol, Interval::Hour, from, None).await?;
        }
        let first = page.records.first()?.candle;
        let joined = joined(&page.records)?;
        // The first candle may have opened a little earlier than the period does, and what is known of it later.
        let since = page.known_from(&first).max(now - period.length());
        Some(Past { symbol: symbol.clone(), period, since, open: first.open, high: joined.high, low: joined.low })
    }
}

/// The assets that a question is about, at most so many.
fn named(question: &Question) -> Vec<Symbol> {
    let assets = question.assets.iter().take(PASTS).cloned().collect::<Vec<_>>();
    if assets.is_empty() { vec![Symbol::btc()] } else { assets }
}

fn joined(candles: &[CandleRecord]) -> Option<Candle> {
    candles.iter().map(|record| record.candle).reduce(Candle::join)
}

/// Candles that may tell of a moment, the best first: short ones are not kept for long.
fn intervals_for(moment: Moment) -> &'static [Interval] {
    match moment {
        Moment::Ago(length) if length > Duration::days(40) => &[Interval::Day, Interval::Hour],
        Moment::Ago(_) => &[Interval::Minute, Interval::FiveMinutes, Interval::Hour, Interval::Day],
        Moment::In(..) | Moment::Year(_) | Moment::Last(_, None) => &[Interval::Day, Interval::Hour],
        _ => &[Interval::Day, Interval::Hour, Interval::FiveMinutes, Interval::Minute],
    }
}

/// Candles short enough for the period, and few enough.
fn interval_for(period: Period) -> Interval {
    match period.length() {
        length if length <= Duration::hours(12) => Interval::Minute,
        length if length <= Duration::days(3) => Interval::FiveMinutes,
        length if length <= Duration::days(40) => Interval::Hour,
        _ => Interval::Day,
    }
}
