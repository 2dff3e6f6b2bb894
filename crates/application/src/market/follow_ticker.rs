//! Follow the cluster's ticker: forward each tick to this node's audience, and keep talking when the bus does not.

use std::sync::Arc;

use coinlink_domain::{
    market::{Accepted, Tick, TickLog},
    shared::backoff::FullJitter,
};
use coinlink_ports::{
    market::{TickAudience, TickFollower, TickerBus},
    shared::{BusError, Clock, Dice, Pause, StoreError},
};
use futures_util::future::{BoxFuture, Either, select};
use time::Duration;

use super::RecallTicker;

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
    /// What is shown where none ever came from there.
    pub recall: RecallTicker,
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

struct Progress<'a> {
    log: TickLog,
    /// When the audience last got something, by the monotonic clock.
    told_at: Duration,
    recall: Recall<'a>,
}

/// How the node comes by a list before its first tick.
enum Recall<'a> {
    /// Not yet, or not with success; whether that was told.
    Wanted { told: bool },
    /// Asked for while the node waits for the bus.
    UnderWay { told: bool, recall: BoxFuture<'a, Result<Option<Tick>, StoreError>> },
    /// Shown.
    Done,
}

impl Progress<'_> {
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
    /// the audience gets the last tick again, marked stale, as often as ticks are due. Where none ever came, it gets what
    /// is recalled: at once, and never after a tick.
    pub async fn execute(&self) {
        let mut progress =
            Progress { log: TickLog::new(1), told_at: self.clock.monotonic(), recall: Recall::Wanted { told: false } };
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
            if let Recall::Wanted { told } = progress.recall
                && progress.log.newest().is_none()
            {
                progress.recall = Recall::UnderWay { told, recall: Box::pin(self.recall.execute()) };
            }
            self.replay_while_waiting(&mut progress, RECONNECT.delay(attempt, self.dice.roll())).await;
            attempt = attempt.saturating_add(1);
        }
    }

    async fn follow(&self, progress: &mut Progress<'_>, attempt: &mut u32) -> Result<std::convert::Infallible, BusError> {
        let mut follower = self.bus.follow().await?;
        // Subscribed first, read second: what is published in between arrives twice and is dropped once.
        self.catch_up(progress).await?;
        // Nobody would hear its answer, and it holds a connection.
        if let Recall::UnderWay { told, .. } = progress.recall {
            progress.recall = Recall::Wanted { told };
        }
        *attempt = 0;
        loop {
            self.forward_next(&mut *follower, progress).await?;
        }
    }

    async fn forward_next(&self, follower: &mut dyn TickFollower, progress: &mut Progress<'_>) -> Result<(), BusError> {
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

    async fn catch_up(&self, progress: &mut Progress<'_>) -> Result<(), BusError> {
        for tick in self.bus.history(CATCH_UP).await? {
            self.deliver(tick, progress);
        }
        Ok(())
    }

    fn deliver(&self, tick: Tick, progress: &mut Progress<'_>) {
        let tick = Arc::new(tick);
        if progress.log.accept(Arc::clone(&tick)) != Accepted::NotNewer {
            self.audience.deliver(tick);
            progress.told_at = self.clock.monotonic();
        }
    }

    /// The audience hears something every interval, however long the wait for the next attempt.
    async fn replay_while_waiting(&self, progress: &mut Progress<'_>, wait: Duration) {
        let until = self.clock.monotonic() + wait;
        loop {
            self.replay_if_due(progress, self.interval);
            let now = self.clock.monotonic();
            if now >= until {
                return;
            }
            let pause = self.pause.pause(until.min(progress.told_at + self.interval) - now);
            progress.recall = match std::mem::replace(&mut progress.recall, Recall::Done) {
                Recall::UnderWay { told, recall } => match select(recall, pause).await {
                    Either::Left((recalled, _)) => self.show_recalled(recalled, told, &mut progress.told_at),
                    Either::Right(((), recall)) => Recall::UnderWay { told, recall },
                },
                other => {
                    pause.await;
                    other
                }
            };
        }
    }

    /// No tick came meanwhile: a recall is waited for only where none ever came.
    fn show_recalled(&self, recalled: Result<Option<Tick>, StoreError>, told: bool, told_at: &mut Duration) -> Recall<'static> {
        match recalled {
            Ok(Some(tick)) => {
                self.audience.deliver(Arc::new(tick));
                *told_at = self.clock.monotonic();
                Recall::Done
            }
            Ok(None) => Recall::Wanted { told },
            Err(error) => {
                if !told {
                    tracing::warn!(%error, "the last known prices could not be read");
                }
                Recall::Wanted { told: true }
            }
        }
    }

    fn replay_if_due(&self, progress: &mut Progress<'_>, patience: Duration) {
        let now = self.clock.monotonic();
        if now - progress.told_at >= patience {
            self.audience.replay_stale();
            progress.told_at = now;
        }
    }
}
