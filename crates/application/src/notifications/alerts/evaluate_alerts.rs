//! Evaluate every active alert rule on each tick that this node published as the leader.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use coinlink_domain::{
    market::{Tick, TickId},
    notifications::alerts::{AlertBook, AlertRuleId},
};
use coinlink_ports::{
    market::{CandleStore, TickerBus},
    notifications::{AlertReads, NotificationsStore},
    shared::{BusError, Clock, Entropy, StoreError},
};
use time::OffsetDateTime;

use super::{follow_rules, hand_over::HeldUp, record_decided::Recorded};

/// How many of the newest ticks are asked for, to find those that nobody evaluated.
const RECENT: usize = 1_000;

/// What evaluating takes.
#[derive(Clone)]
pub struct EvaluatorParts {
    /// Where rules fire.
    pub store: Arc<dyn NotificationsStore>,
    /// Where rules are read.
    pub reads: Arc<dyn AlertReads>,
    /// Where the newest ticks are kept.
    pub bus: Arc<dyn TickerBus>,
    /// Where older prices are kept.
    pub candles: Arc<dyn CandleStore>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Names.
    pub entropy: Arc<dyn Entropy>,
}

/// How a tick was evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Evaluated {
    /// Ticks, those included that nobody had evaluated before.
    pub ticks: usize,
    /// Rules that fired.
    pub fired: usize,
    /// Rules that are active.
    pub rules: usize,
    /// Rules that cannot be read and are left out.
    pub unreadable: usize,
    /// Somebody else has evaluated this tick, or a later one.
    pub overtaken: bool,
    /// By somebody who seems to be gone: whether that is so shows soon.
    pub held_up: bool,
}

/// A tick could not be evaluated: it is, together with the next one.
#[derive(Debug, thiserror::Error)]
pub enum EvaluationError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What remembers the newest ticks.
    #[error(transparent)]
    Bus(#[from] BusError),
}

/// What the evaluator knows while it leads.
pub(super) struct Led {
    pub(super) book: AlertBook,
    /// Rules that cannot be read, and why.
    pub(super) unreadable: BTreeMap<AlertRuleId, String>,
    /// Of the leader whose ticks these are: another one may have changed rules meanwhile.
    epoch: u64,
    /// The newest tick that the rules have heard of.
    heard: Option<TickId>,
    /// What users change is known up to then.
    pub(super) news_until: OffsetDateTime,
}

/// Evaluates. Held by one task.
pub struct EvaluateAlerts {
    pub(super) parts: EvaluatorParts,
    led: Option<Led>,
    pub(super) held_up: Option<HeldUp>,
    /// Unreadable rules that the log names.
    told: BTreeSet<AlertRuleId>,
}

impl EvaluateAlerts {
    /// An evaluator that knows no rule yet.
    #[must_use]
    pub const fn new(parts: EvaluatorParts) -> Self {
        Self { parts, led: None, held_up: None, told: BTreeSet::new() }
    }

    /// Leadership ended: what is known grows old from now on.
    pub fn step_down(&mut self) {
        self.led = None;
    }

    /// Evaluates `tick`, and before it those that were published and that nobody evaluated: their evaluator was ended, or could not
    /// reach the store. What an earlier attempt left undone is done then, and what it did is not done again.
    #[tracing::instrument(skip_all, name = "evaluate_alerts", fields(epoch = tick.id.epoch, seq = tick.id.seq))]
    pub async fn execute(&mut self, tick: &Tick) -> Result<Evaluated, EvaluationError> {
        let mut led = match self.led.take().filter(|led| led.epoch == tick.id.epoch) {
            Some(led) => led,
            None if self.is_held_up(tick).await? => {
                return Ok(Evaluated { overtaken: true, held_up: self.held_up.is_some(), ..Evaluated::default() });
            }
            None => self.take_over(tick).await?,
        };
        let mut evaluated = self.evaluate(&mut led, tick).await;
        self.tell_unreadable(&led);
        match &mut evaluated {
            // Who was overtaken knows too little.
            Ok(evaluated) if evaluated.overtaken => {
                self.is_held_up(tick).await?;
                evaluated.held_up = self.held_up.is_some();
            }
            _ => self.led = Some(led),
        }
        evaluated
    }

    /// Once for each rule, not with every tick.
    fn tell_unreadable(&mut self, led: &Led) {
        for (rule, why) in led.unreadable.iter().filter(|(rule, _)| !self.told.contains(rule)) {
            tracing::error!(%rule, why, "an alert rule cannot be read: it is left out, the others are evaluated");
        }
        self.told.retain(|rule| led.unreadable.contains_key(rule));
        self.told.extend(led.unreadable.keys());
    }

    async fn evaluate(&self, led: &mut Led, tick: &Tick) -> Result<Evaluated, EvaluationError> {
        follow_rules::follow(&self.parts, led).await?;
        let mut evaluated = Evaluated::default();
        let missed = self.missed(led, tick.id).await?;
        for tick in missed.iter().chain([tick]) {
            if led.heard.is_some_and(|heard| tick.id <= heard) {
                continue;
            }
            if !tick.stale {
                let Recorded { fired, overtaken } = self.record(led, tick).await?;
                evaluated.fired += fired;
                evaluated.overtaken = overtaken;
                if overtaken {
                    break;
                }
            }
            evaluated.ticks += 1;
            led.heard = Some(tick.id);
        }
        evaluated.overtaken |= led.heard.is_some_and(|heard| tick.id < heard);
        if evaluated.overtaken {
            tracing::warn!(epoch = tick.id.epoch, seq = tick.id.seq, "alerts were evaluated on a newer tick elsewhere");
        }
        evaluated.rules = led.book.len();
        evaluated.unreadable = led.unreadable.len();
        Ok(evaluated)
    }

    /// Ticks between the last one that was evaluated and `newest`, oldest first.
    async fn missed(&self, led: &Led, newest: TickId) -> Result<Vec<Tick>, EvaluationError> {
        if led.heard.is_some_and(|heard| heard.epoch == newest.epoch && heard.seq + 1 >= newest.seq) {
            return Ok(Vec::new());
        }
        let mut recent = self.parts.bus.history(RECENT).await?;
        recent.retain(|tick| led.heard.is_none_or(|heard| heard < tick.id) && tick.id < newest);
        Ok(recent)
    }

    /// Reads all there is to know. Before the rules, how far they were evaluated: whoever still evaluates leaves rules that are
    /// ahead of that, which evaluating again does not change.
    async fn take_over(&self, tick: &Tick) -> Result<Led, EvaluationError> {
        let news_until = self.parts.clock.now();
        let heard = self.parts.reads.last_evaluated().await?;
        let (book, unreadable) = (AlertBook::default(), BTreeMap::new());
        let mut led = Led { book, unreadable, epoch: tick.id.epoch, heard, news_until };
        follow_rules::load(&self.parts, &mut led).await?;
        let mut recent = self.parts.bus.history(RECENT).await?;
        // Nothing moves from a price that was made up to a real one.
        recent.retain(|other| is_real(other) == is_real(tick));
        // Windows reach back from the first tick that is evaluated, which may be older than this one.
        let is_known = |tick: &&Tick| heard.is_some_and(|heard| tick.id <= heard);
        let first =
            recent.iter().find(|tick| !is_known(tick)).map_or(tick.timestamp, |first| first.timestamp.min(tick.timestamp));
        let known: Vec<&Tick> = recent.iter().filter(|tick| is_known(tick) && !tick.stale).collect();
        follow_rules::recall(&self.parts, &mut led.book, &known, first).await;
        tracing::info!(rules = led.book.len(), "alert rules are evaluated here");
        Ok(led)
    }
}

/// Whether a tick is of the real market.
fn is_real(tick: &Tick) -> bool {
    tick.items.iter().all(|item| item.quote.source.is_real())
}
