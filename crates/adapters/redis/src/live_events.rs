use std::sync::Arc;

use async_trait::async_trait;
use coinlink_domain::shared::user_id::UserId;
use coinlink_ports::{
    notifications::{LiveEvent, LiveEvents, LiveListener},
    shared::BusError,
};
use deadpool_redis::redis::cmd;
use time::Duration;
use tokio::time::Instant;

use crate::{
    follower::{Heard, TopicListener},
    link::RedisLink,
    live_event,
};

/// Messages that may wait to be heard.
const KEPT: usize = 1_024;

/// Events over one topic of Redis to every node.
pub struct RedisLiveEvents {
    link: RedisLink,
}

impl RedisLiveEvents {
    /// Over this link.
    pub fn new(link: RedisLink) -> Self {
        Self { link }
    }
}

#[async_trait]
impl LiveEvents for RedisLiveEvents {
    async fn publish(&self, user: UserId, event: &LiveEvent) -> Result<(), BusError> {
        let mut publish = cmd("PUBLISH");
        publish.arg(self.link.keys().live_events()).arg(live_event::encode(user, event)?);
        let _: u64 = self.link.run("PUBLISH", |mut connection| async move { publish.query_async(&mut connection).await }).await?;
        Ok(())
    }

    async fn subscribe(&self) -> Result<Box<dyn LiveListener>, BusError> {
        let topic = TopicListener::begin(&self.link, self.link.keys().live_events(), KEPT).await?;
        Ok(Box::new(Listener { topic }))
    }
}

struct Listener {
    topic: TopicListener,
}

#[async_trait]
impl LiveListener for Listener {
    async fn next(&mut self, wait: Duration) -> Result<Option<(UserId, Arc<LiveEvent>)>, BusError> {
        let until = Instant::now() + std::time::Duration::try_from(wait).unwrap_or_default();
        loop {
            let left = Duration::try_from(until - Instant::now()).unwrap_or_default();
            match self.topic.next(left).await? {
                None => return Ok(None),
                Some(Heard::Missed(missed)) => tracing::warn!(missed, "events were not heard in time"),
                Some(Heard::Message(message)) => match live_event::decode(message.value.as_bytes().unwrap_or_default()) {
                    Ok((user, event)) => return Ok(Some((user, Arc::new(event)))),
                    // A newer node may say what this one does not know.
                    Err(why) => tracing::warn!(why, "an event cannot be read"),
                },
            }
        }
    }
}
