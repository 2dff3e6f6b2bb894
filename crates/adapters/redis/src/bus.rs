use std::sync::LazyLock;

use async_trait::async_trait;
use coinlink_domain::market::{Tick, TickId};
use coinlink_ports::{
    market::{PublishError, TickFollower, TickerBus},
    operations::ClearableCache,
    shared::BusError,
};
use deadpool_redis::redis::{Script, cmd, pipe};

use crate::{follower::Subscription, link::RedisLink, payload};

static PUBLISH: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/publish.lua")));

/// Ticks in Redis: the newest in a hash, the newest few in a stream, each told to the followers of a topic, all in one
/// script, so that nobody sees a message before its snapshot.
pub struct RedisBus {
    link: RedisLink,
    keep: usize,
    epoch_key: String,
    snapshot_key: String,
    history_key: String,
}

/// What the script answers first.
const PUBLISHED: u8 = 0;
const FENCED: u8 = 1;

impl RedisBus {
    /// A bus that keeps the newest `keep` ticks, at least one.
    pub fn new(link: RedisLink, keep: usize) -> Self {
        let [epoch_key, snapshot_key, history_key] = ["epoch", "snapshot", "history"].map(|what| link.keys().ticker(what));
        Self { link, keep: keep.max(1), epoch_key, snapshot_key, history_key }
    }

    fn tick(&self, payload: &[u8]) -> Result<Tick, BusError> {
        let tick = payload::decode(payload)?;
        self.link.heard_of_epoch(tick.id.epoch);
        Ok(tick)
    }
}

#[async_trait]
impl TickerBus for RedisBus {
    async fn publish(&self, tick: &Tick) -> Result<u64, PublishError> {
        let mut call = PUBLISH.key(&self.epoch_key);
        call.key(&self.snapshot_key).key(&self.history_key);
        call.arg(tick.id.epoch).arg(tick.id.seq).arg(payload::encode(tick)?).arg(self.keep).arg(self.link.keys().topic());
        let (outcome, figure): (u8, u64) =
            self.link.run("publish", |mut connection| async move { call.invoke_async(&mut connection).await }).await?;
        match outcome {
            PUBLISHED => Ok(figure),
            FENCED => {
                self.link.heard_of_epoch(figure);
                Err(PublishError::Fenced { newer: figure })
            }
            _ => Err(PublishError::NotNewer),
        }
    }

    async fn snapshot(&self) -> Result<Option<Tick>, BusError> {
        let mut read = cmd("HGET");
        read.arg(&self.snapshot_key).arg("tick");
        let payload: Option<Vec<u8>> =
            self.link.run("HGET", |mut connection| async move { read.query_async(&mut connection).await }).await?;
        payload.map(|payload| self.tick(&payload)).transpose()
    }

    async fn history(&self, count: usize) -> Result<Vec<Tick>, BusError> {
        if count == 0 {
            return Ok(Vec::new());
        }
        let mut read = cmd("XREVRANGE");
        read.arg(&self.history_key).arg("+").arg("-").arg("COUNT").arg(count);
        let newest_first: Vec<(String, Vec<(String, Vec<u8>)>)> =
            self.link.run("XREVRANGE", |mut connection| async move { read.query_async(&mut connection).await }).await?;
        let payloads = newest_first.iter().rev().flat_map(|(_, fields)| fields).filter(|(name, _)| name == "tick");
        payloads.map(|(_, payload)| self.tick(payload)).collect()
    }

    async fn newest_id(&self) -> Result<Option<TickId>, BusError> {
        let mut read = cmd("HMGET");
        read.arg(&self.snapshot_key).arg("epoch").arg("seq");
        let (epoch, seq): (Option<u64>, Option<u64>) =
            self.link.run("HMGET", |mut connection| async move { read.query_async(&mut connection).await }).await?;
        Ok(epoch.zip(seq).map(|(epoch, seq)| TickId { epoch, seq }))
    }

    async fn follow(&self) -> Result<Box<dyn TickFollower>, BusError> {
        Ok(Box::new(Subscription::begin(&self.link).await?))
    }
}

#[async_trait]
impl ClearableCache for RedisBus {
    fn name(&self) -> &'static str {
        "ticker"
    }

    fn is_shared(&self) -> bool {
        true
    }

    /// The epoch stays: it is what fences leaders, and no cache.
    async fn clear(&self) -> Result<u64, BusError> {
        let mut forget = pipe();
        forget.atomic().exists(&self.snapshot_key).cmd("XLEN").arg(&self.history_key);
        forget.del(&[&self.snapshot_key, &self.history_key]).ignore();
        let (snapshot, history): (u64, u64) =
            self.link.run("DEL", |mut connection| async move { forget.query_async(&mut connection).await }).await?;
        Ok(snapshot + history)
    }
}
