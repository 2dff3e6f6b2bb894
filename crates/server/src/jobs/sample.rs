//! Gauges that nobody reports: they are looked at.

use std::{sync::Arc, time::Duration as StdDuration};

use coinlink_credentials::BcryptPool;
use coinlink_ports::{market::LiveQuotes, operations::DependencyProbe, shared::Clock};
use coinlink_postgres::{Database, DatabaseProbe};
use coinlink_redis::{RedisLink, RedisProbe};
use tokio::time::timeout;

use super::upkeep::beats;
use crate::{broadcast::Broadcaster, telemetry::Metrics};

const LOOK_EVERY: StdDuration = StdDuration::from_secs(1);
const PROBE_EVERY: StdDuration = StdDuration::from_secs(5);
/// A probe that takes longer is a failure.
const PROBE_WITHIN: StdDuration = StdDuration::from_millis(500);

/// What is looked at.
pub struct Sampled {
    pub broadcaster: Broadcaster,
    pub live: Option<Arc<dyn LiveQuotes>>,
    pub redis: Option<RedisLink>,
    pub database: Database,
    pub hasher: Arc<BcryptPool>,
    pub clock: Arc<dyn Clock>,
    pub metrics: Metrics,
}

/// Looks at it until the node ends. A probe that hangs delays no other figure.
pub async fn sample(sampled: Sampled) {
    tokio::join!(look(&sampled), probe_redis(&sampled), probe_database(&sampled));
}

async fn look(sampled: &Sampled) {
    let mut beats = beats(LOOK_EVERY);
    loop {
        beats.tick().await;
        let metrics = &sampled.metrics;
        if let Some(age) = sampled.broadcaster.current().tick.as_ref().and_then(|tick| tick.age(sampled.clock.now())) {
            metrics.ticker_age.set(age.as_seconds_f64());
        }
        if let Some(live) = &sampled.live {
            metrics.live_feed_connected.set(i64::from(live.health().connected));
        }
        metrics.password_hash_queue.set(gauged(sampled.hasher.waiting()));
        let pool = sampled.database.pool();
        metrics.stores.db_pool_size.set(pool.most.into());
        metrics.stores.db_pool_free.set(pool.most.saturating_sub(pool.used).into());
        if let Some(redis) = &sampled.redis {
            let link = redis.in_use();
            metrics.stores.redis_pool_size.set(gauged(link.open));
            metrics.stores.redis_pool_active.set(gauged(link.under_way));
        }
    }
}

async fn probe_redis(sampled: &Sampled) {
    let Some(redis) = &sampled.redis else { return };
    let probe = RedisProbe::new(redis.clone());
    let mut beats = beats(PROBE_EVERY);
    loop {
        beats.tick().await;
        sampled.metrics.stores.redis_answers(answers(&probe).await);
    }
}

async fn probe_database(sampled: &Sampled) {
    let probe = DatabaseProbe::new(sampled.database.clone());
    let mut beats = beats(PROBE_EVERY);
    loop {
        beats.tick().await;
        sampled.metrics.stores.db_up.set(i64::from(answers(&probe).await));
    }
}

async fn answers(probe: &dyn DependencyProbe) -> bool {
    matches!(timeout(PROBE_WITHIN, probe.check()).await, Ok(Ok(())))
}

fn gauged(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
