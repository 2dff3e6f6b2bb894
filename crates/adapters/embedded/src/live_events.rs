use std::sync::Arc;

use async_trait::async_trait;
use coinlink_domain::shared::user_id::UserId;
use coinlink_ports::{
    notifications::{LiveEvent, LiveEvents, LiveListener},
    shared::BusError,
};
use time::Duration;
use tokio::sync::broadcast::{Receiver, Sender, error::RecvError};

/// Events that may wait to be heard: a listener only hands them on, so it is this far behind when it does not run at all.
const KEPT: usize = 1_024;

type Told = (UserId, Arc<LiveEvent>);

/// Events within this process.
pub struct EmbeddedLiveEvents(Sender<Told>);

impl Default for EmbeddedLiveEvents {
    fn default() -> Self {
        Self(Sender::new(KEPT))
    }
}

#[async_trait]
impl LiveEvents for EmbeddedLiveEvents {
    async fn publish(&self, user: UserId, event: &LiveEvent) -> Result<(), BusError> {
        // Nobody may listen: then nobody hears it.
        drop(self.0.send((user, Arc::new(event.clone()))));
        Ok(())
    }

    async fn subscribe(&self) -> Result<Box<dyn LiveListener>, BusError> {
        Ok(Box::new(Listener(self.0.subscribe())))
    }
}

struct Listener(Receiver<Told>);

impl Listener {
    async fn heard(&mut self) -> Result<Told, BusError> {
        loop {
            match self.0.recv().await {
                Ok(told) => return Ok(told),
                // The oldest are lost; what comes next is still there.
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return Err(BusError("the events are gone".into())),
            }
        }
    }
}

#[async_trait]
impl LiveListener for Listener {
    async fn next(&mut self, wait: Duration) -> Result<Option<Told>, BusError> {
        let wait = std::time::Duration::try_from(wait).unwrap_or_default();
        tokio::time::timeout(wait, self.heard()).await.map_or(Ok(None), |heard| heard.map(Some))
    }
}
