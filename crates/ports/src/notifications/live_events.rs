use std::sync::Arc;

use async_trait::async_trait;
use coinlink_domain::{
    notifications::{Notification, alerts::FiredAlert},
    shared::user_id::UserId,
};
use time::Duration;

use crate::shared::BusError;

/// What a user's open sockets are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LiveEvent {
    /// Something was left in the inbox.
    Notice(Notification),
    /// A rule came true. The notification of it comes as well.
    AlertFired(FiredAlert),
}

/// Carries events from whoever has them to every node, each of which has some of a user's sockets. Nothing is kept: an event that
/// nobody listens to is lost, and one may come twice.
#[async_trait]
pub trait LiveEvents: Send + Sync {
    /// Tells all who listen.
    async fn publish(&self, user: UserId, event: &LiveEvent) -> Result<(), BusError>;

    /// Begins to listen. What is published after this returned arrives, unless the listener is too slow.
    async fn subscribe(&self) -> Result<Box<dyn LiveListener>, BusError>;
}

/// Whoever listens.
#[async_trait]
pub trait LiveListener: Send {
    /// The next event and whose it is, or `None` when none came within `wait`. One that lags loses the oldest, and goes on. An
    /// error ends it: a connection that does not answer is found out within a few seconds. Safe to drop while waiting.
    async fn next(&mut self, wait: Duration) -> Result<Option<(UserId, Arc<LiveEvent>)>, BusError>;
}
