//! Lead the cluster's ticker: hold the lease, collect prices, publish one tick at a time.

use std::sync::Arc;

use coinlink_domain::market::{Listing, Quote, QuoteBatch, Symbol, Tick, TickId, Ticker};
use coinlink_ports::{
    market::{LastKnownPrices, LeaderLease, Lease, LiveQuotes, PublishError, TickerBus},
    shared::{BusError, Clock},
};
use time::Duration;

use super::{CallReport, CollectQuotes};

/// How leadership is held.
#[derive(Debug, Clone, Copy)]
pub struct LeaderPolicy {
    /// The lease's length; longer than two ticks.
    pub ttl: Duration,
    /// This much before the lease ends by our clock, we have stopped.
    pub margin: Duration,
    /// Between writes of the last known prices.
    pub remember_every: Duration,
}

/// How a tick went.
#[derive(Debug)]
pub enum TickOutcome {
    /// Another node leads.
    Following,
    /// Published.
    Published {
        /// What was published.
        tick: Arc<Tick>,
        /// How many nodes heard of it, where that is known.
        receivers: u64,
        /// Every call to a provider.
        calls: Vec<CallReport>,
    },
    /// Leadership was lost before the tick could be published.
    Fenced {
        /// Every call to a provider.
        calls: Vec<CallReport>,
    },
    /// The shared state could not be reached.
    Unavailable {
        /// Why.
        error: BusError,
        /// Every call to a provider.
        calls: Vec<CallReport>,
    },
}

#[derive(Debug, Clone, Copy)]
struct Leading {
    lease: Lease,
    /// By the monotonic clock; what the coordinator says later cannot extend it.
    until: Duration,
    seq: u64,
}

/// What leading takes.
pub struct LeaderParts {
    /// Asks the providers.
    pub collect: CollectQuotes,
    /// The list.
    pub ticker: Ticker,
    /// Who leads.
    pub leases: Arc<dyn LeaderLease>,
    /// Carries ticks to the nodes.
    pub bus: Arc<dyn TickerBus>,
    /// Live prices, where that is switched on.
    pub live: Option<Arc<dyn LiveQuotes>>,
    /// What is kept for the next start.
    pub last_known: Arc<dyn LastKnownPrices>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// How leadership is held.
    pub policy: LeaderPolicy,
    /// Asked for before any list is known.
    pub defaults: Vec<Symbol>,
}

/// Leads, or waits to. Held by one task, so it keeps its state without a lock.
pub struct LeadTicker {
    parts: LeaderParts,
    leading: Option<Leading>,
    remembered_at: Option<Duration>,
}

impl LeadTicker {
    /// A node that does not lead yet.
    #[must_use]
    pub const fn new(parts: LeaderParts) -> Self {
        Self { parts, leading: None, remembered_at: None }
    }

    /// Whether this node led at its last tick.
    #[must_use]
    pub const fn is_leading(&self) -> bool {
        self.leading.is_some()
    }

    /// The state of a provider's breaker: see [`coinlink_domain::market::Sourcing::breaker_state`].
    pub fn breakers(&self) -> impl Iterator<Item = (coinlink_domain::market::Source, u8)> + '_ {
        let sourcing = &self.parts.collect.sourcing;
        sourcing.order().map(|source| (source, sourcing.breaker_state(source)))
    }

    /// One tick: takes or keeps the lease, asks who is due, publishes.
    #[tracing::instrument(skip_all, name = "lead_ticker")]
    pub async fn execute(&mut self) -> TickOutcome {
        let leading = match self.lead().await {
            Ok(Some(leading)) => leading,
            Ok(None) => return TickOutcome::Following,
            Err(error) => return TickOutcome::Unavailable { error, calls: Vec::new() },
        };
        self.collect_and_publish(leading).await
    }

    async fn collect_and_publish(&mut self, leading: Leading) -> TickOutcome {
        let symbols = self.parts.ticker.symbols(&self.parts.defaults);
        if let Some(live) = &self.parts.live {
            live.watch(&symbols);
        }
        let collected = self.parts.collect.execute(&symbols).await;
        let calls = collected.calls;
        let is_new = collected.batch.is_some();
        if let Some(batch) = collected.batch {
            self.parts.ticker.take(batch);
        }
        // A node frozen while it collected wakes up without its lease: it must not even try.
        if self.parts.clock.monotonic() >= leading.until {
            self.step_down();
            return TickOutcome::Fenced { calls };
        }
        let tick = Arc::new(self.tick(leading, collected.received));
        let renewed_from = self.parts.clock.monotonic();
        match self.parts.bus.publish(&tick).await {
            Ok(receivers) => {
                self.renew(leading, renewed_from).await;
                if is_new {
                    self.remember().await;
                }
                TickOutcome::Published { tick, receivers, calls }
            }
            Err(PublishError::NotNewer) => {
                // Only a wiped clock or a lost answer gets here: the next lease has a newer epoch.
                self.step_down();
                TickOutcome::Fenced { calls }
            }
            Err(PublishError::Fenced { newer }) => {
                tracing::warn!(epoch = leading.lease.epoch, newer, "fenced: another node leads");
                self.step_down();
                TickOutcome::Fenced { calls }
            }
            Err(PublishError::Unavailable(error)) => {
                // Whether it arrived is unknown, so its number is never used again.
                if let Some(leading) = &mut self.leading {
                    leading.seq += 1;
                }
                TickOutcome::Unavailable { error, calls }
            }
        }
    }

    /// Gives leadership up, so that another node can take over at once.
    pub async fn release(&mut self) -> Result<(), BusError> {
        let leading = self.leading;
        self.step_down();
        match leading {
            Some(leading) => self.parts.leases.release(leading.lease).await,
            None => Ok(()),
        }
    }

    async fn lead(&mut self) -> Result<Option<Leading>, BusError> {
        let now = self.parts.clock.monotonic();
        match self.leading {
            Some(leading) if now < leading.until => return Ok(Some(leading)),
            Some(_) => self.step_down(),
            None => {}
        }
        let Some(lease) = self.parts.leases.acquire(self.parts.policy.ttl).await? else { return Ok(None) };
        tracing::info!(epoch = lease.epoch, "this node leads the ticker");
        let leading = Leading { lease, until: now + self.parts.policy.ttl - self.parts.policy.margin, seq: 0 };
        self.leading = Some(leading);
        self.take_over().await;
        Ok(self.leading)
    }

    /// Goes on from where the last leader, or the last run, was.
    async fn take_over(&mut self) {
        match self.parts.bus.snapshot().await {
            Ok(Some(snapshot)) => self.adopt(&snapshot),
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "the last tick could not be read"),
        }
        match self.parts.last_known.recall().await {
            Ok(quotes) => {
                let sourcing = &self.parts.collect.sourcing;
                self.parts.ticker.recall(quotes.into_iter().filter(|quote| sourcing.mixes_with(quote.source)));
            }
            Err(error) => tracing::warn!(%error, "the last known prices could not be read"),
        }
        self.show_what_is_known().await;
    }

    /// Providers may take seconds to answer, or to fail: until then clients see what was known, marked stale.
    async fn show_what_is_known(&mut self) {
        let Some(leading) = self.leading else { return };
        if self.parts.ticker.known().is_empty() || self.parts.collect.sourcing.is_current(self.parts.clock.now()) {
            return;
        }
        let tick = self.tick(leading, None);
        match self.parts.bus.publish(&tick).await {
            Ok(_) | Err(PublishError::Unavailable(_)) => self.leading = Some(Leading { seq: tick.id.seq, ..leading }),
            Err(PublishError::Fenced { .. } | PublishError::NotNewer) => self.step_down(),
        }
    }

    /// The last leader's list is as good as ours for as long as its source would answer the same.
    fn adopt(&mut self, snapshot: &Tick) {
        let now = self.parts.clock.now();
        let quotes = || snapshot.items.iter().map(|item| item.quote.clone());
        if let (Some(source), Some(as_of), false) = (snapshot.source, snapshot.as_of, snapshot.stale)
            && self.parts.collect.sourcing.adopt(source, as_of, now)
            && let Some(batch) = QuoteBatch::collect(source, quotes())
        {
            self.parts.ticker.take(QuoteBatch { as_of, ..batch });
        } else {
            self.parts.ticker.recall(quotes());
        }
    }

    /// `received` is when the newest answer in it was there, by the monotonic clock.
    fn tick(&mut self, leading: Leading, received: Option<Duration>) -> Tick {
        let now = self.parts.clock.now();
        let held = received.map(|received| self.parts.clock.monotonic() - received);
        let live: Vec<Quote> = self.parts.live.as_ref().map(|live| live.latest()).unwrap_or_default();
        let delivered = self.parts.collect.sourcing.is_current(now);
        let Listing { source, as_of, stale, items } = self.parts.ticker.list(&live, delivered, now);
        let id = TickId { epoch: leading.lease.epoch, seq: leading.seq + 1 };
        Tick { id, timestamp: now, source, as_of, stale, held, items: items.into() }
    }

    /// Only what was published extends the lease: a leader whose words do not arrive is none.
    async fn renew(&mut self, published: Leading, from: Duration) {
        let mut leading = Leading { seq: published.seq + 1, ..published };
        match self.parts.leases.renew(leading.lease, self.parts.policy.ttl).await {
            Ok(true) => leading.until = from + self.parts.policy.ttl - self.parts.policy.margin,
            Ok(false) => {
                tracing::warn!(epoch = leading.lease.epoch, "the lease was lost");
                self.step_down();
                return;
            }
            Err(error) => tracing::warn!(%error, "the lease could not be renewed"),
        }
        self.leading = Some(leading);
    }

    async fn remember(&mut self) {
        let now = self.parts.clock.monotonic();
        if self.remembered_at.is_some_and(|at| now - at < self.parts.policy.remember_every) {
            return;
        }
        self.remembered_at = Some(now);
        let real: Vec<Quote> = self.parts.ticker.known().into_iter().filter(|quote| quote.source.is_real()).collect();
        if real.is_empty() {
            return;
        }
        if let Err(error) = self.parts.last_known.remember(&real).await {
            tracing::warn!(%error, "the last known prices could not be kept");
        }
    }

    fn step_down(&mut self) {
        self.leading = None;
        if let Some(live) = &self.parts.live {
            live.watch(&[]);
        }
    }
}
