use std::sync::Arc;

use async_trait::async_trait;
use coinlink_domain::market::{Tick, TickId};
use time::Duration;

use crate::shared::BusError;

/// A tick could not be published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// A newer leader has published or taken over: this node's lease is over.
    #[error("fenced by epoch {newer}")]
    Fenced {
        /// The newer leader's epoch.
        newer: u64,
    },
    /// This or a later tick of the same epoch is already there.
    #[error("already published")]
    NotNewer,
    /// It may or may not have been published.
    #[error(transparent)]
    Unavailable(#[from] BusError),
}

/// Carries ticks from the leader to every node.
#[async_trait]
pub trait TickerBus: Send + Sync {
    /// In one step: refuses a tick that is not newer than the newest, else makes it the snapshot, appends it to the
    /// capped history and sends it to all followers. Answers how many followers it reached, where that is known.
    async fn publish(&self, tick: &Tick) -> Result<u64, PublishError>;

    /// The newest tick.
    async fn snapshot(&self) -> Result<Option<Tick>, BusError>;

    /// The newest ticks, at most `count`, oldest first.
    async fn history(&self, count: usize) -> Result<Vec<Tick>, BusError>;

    /// The newest tick's identity, or what a wiped bus cannot say.
    async fn newest_id(&self) -> Result<Option<TickId>, BusError> {
        Ok(self.snapshot().await?.map(|tick| tick.id))
    }

    /// Starts following. Ticks published after this returned arrive; earlier ones are in [`TickerBus::history`].
    async fn follow(&self) -> Result<Box<dyn TickFollower>, BusError>;
}

/// One subscription. Ticks may be missed: [`Tick::id`] tells.
#[async_trait]
pub trait TickFollower: Send {
    /// The next tick, or `None` when none came within `wait`. An error ends the subscription: a connection that does not
    /// answer is found out within a few seconds, even when it stays open. Safe to drop while waiting.
    async fn next(&mut self, wait: Duration) -> Result<Option<Tick>, BusError>;
}

/// Those on this node who want to know of ticks.
pub trait TickAudience: Send + Sync {
    /// A newer tick.
    fn deliver(&self, tick: Arc<Tick>);

    /// No tick came when one was due: show the newest one again, marked stale.
    fn replay_stale(&self);
}
