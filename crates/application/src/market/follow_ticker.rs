//! Follow the cluster's ticker: forward each tick to this node's audience, and keep talking when the bus does not.

use std::sync::Arc;

use coinlink_domain::{
    market::{Accepted, Tick, TickLog},
    shared::backoff::FullJitter,
};
use coinlink_ports::{
    market::{TickAudience, TickFollower, TickerBus},
    shared::{BusError, Clock, Dice, Pause},
};
use time::Duration;

/// Waits before following again after the bus failed.
const RECONNECT: FullJitter = FullJitter { base: Duration::milliseconds(100), cap: Duration::seconds(5) };
/// Ticks read to catch up.
const CATCH_UP: usize = 60;

/// Hears how following goes.
pub trait FollowerReport: Send + Sync {
    /// Ticks were missed between two that came.
    fn gap(&self);
}

/// Follows for as long as it is polled. Held by one task.
pub struct FollowTicker {
    /// Where ticks come from.
    pub bus: Arc<dyn TickerBus>,
    /// Who wants them.
    pub audience: Arc<dyn TickAudience>,
    /// Who is told how it goes.
    pub report: Arc<dyn FollowerReport>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Waiting.
    pub pause: Arc<dyn Pause>,
    /// Jitter.
    pub dice: Arc<dyn Dice>,
    /// Between ticks.
    pub interval: Duration,
}

struct Progress {
    log: TickLog,
    /// When the audience last got something, by the monotonic clock.
    told_at: Duration,
}

impl Progress {
    /// Whether nothing was missed before `tick`; one that is not newer misses nothing either.
    fn is_followed_by(&self, tick: &Tick) -> bool {
        self.log.newest().is_none_or(|newest| {
            if newest.id.epoch == tick.id.epoch {
                tick.id.seq <= newest.id.seq + 1
            } else {
                tick.id < newest.id || tick.id.seq == 1
            }
        })
    }
}

impl FollowTicker {
    /// Never returns; drop it to stop. After a failure it follows again with growing waits, without end, and until then
    /// the audience gets the last tick again, marked stale, as often as ticks are due.
    pub async fn execute(&self) {
        let mut progress = Progress { log: TickLog::new(1), told_at: self.clock.monotonic() };
        let mut attempt = 0;
        loop {
            match self.follow(&mut progress, &mut attempt).await {
                Ok(never) => match never {},
                Err(error) => {
                    if attempt == 0 {
                        tracing::warn!(%error, "ticks no longer arrive; the last one is shown as stale");
                    }
                }
            }
            self.replay_while_waiting(&mut progress, RECONNECT.delay(attempt, self.dice.roll())).await;
            attempt = attempt.saturating_add(1);
        }
    }

    async fn follow(&self, progress: &mut Progress, attempt: &mut u32) -> Result<std::convert::Infallible, BusError> {
        let mut follower = self.bus.follow().await?;
        // Subscribed first, read second: what is published in between arrives twice and is dropped once.
        self.catch_up(progress).await?;
        *attempt = 0;
        loop {
            self.forward_next(&mut *follower, progress).await?;
        }
    }

    async fn forward_next(&self, follower: &mut dyn TickFollower, progress: &mut Progress) -> Result<(), BusError> {
        let patience = self.interval * 3 / 2;
        if let Some(tick) = follower.next(patience).await? {
            if !progress.is_followed_by(&tick) {
                self.report.gap();
                self.catch_up(progress).await?;
            }
            self.deliver(tick, progress);
        } else {
            // Silence may be the leader's or a lost message's: the history tells.
            self.catch_up(progress).await?;
            self.replay_if_due(progress, patience);
        }
        Ok(())
    }

    async fn catch_up(&self, progress: &mut Progress) -> Result<(), BusError> {
        for tick in self.bus.history(CATCH_UP).await? {
            self.deliver(tick, progress);
        }
        Ok(())
    }

    fn deliver(&self, tick: Tick, progress: &mut Progress) {
        let tick = Arc::new(tick);
        if progress.log.accept(Arc::clone(&tick)) != Accepted::NotNewer {
            self.audience.deliver(tick);
            progress.told_at = self.clock.monotonic();
        }
    }

    /// The audience hears something every interval, however long the wait for the next attempt.
    async fn replay_while_waiting(&self, progress: &mut Progress, wait: Duration) {
        let until = self.clock.monotonic() + wait;
        loop {
            self.replay_if_due(progress, self.interval);
            let now = self.clock.monotonic();
            if now >= until {
                return;
            }
            self.pause.pause(until.min(progress.told_at + self.interval) - now).await;
        }
    }

    fn replay_if_due(&self, progress: &mut Progress, patience: Duration) {
        let now = self.clock.monotonic();
        if now - progress.told_at >= patience {
            self.audience.replay_stale();
            progress.told_at = now;
        }
    }
}
