use std::sync::LazyLock;

use async_trait::async_trait;
use coinlink_ports::{
    market::{LeaderLease, Lease},
    shared::BusError,
};
use deadpool_redis::redis::Script;
use time::Duration;
use uuid::Uuid;

use crate::link::RedisLink;

static ACQUIRE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/acquire.lua")));
static RENEW: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/renew.lua")));
static RELEASE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/release.lua")));

/// The cluster's lease: a key that lapses, whose value is `node:nonce:epoch`.
pub struct RedisLease {
    link: RedisLink,
    holder: String,
    key: String,
    epoch_key: String,
}

impl RedisLease {
    /// The lease as seen by `node`, which is for people who look into Redis; a nonce tells two of the same name apart.
    pub fn new(link: RedisLink, node: &str) -> Self {
        let (key, epoch_key) = (link.keys().ticker("lease"), link.keys().ticker("epoch"));
        Self { holder: format!("{node}:{}", Uuid::now_v7().simple()), link, key, epoch_key }
    }

    fn value(&self, lease: Lease) -> String {
        format!("{}:{}", self.holder, lease.epoch)
    }
}

fn milliseconds(ttl: Duration) -> i64 {
    i64::try_from(ttl.whole_milliseconds()).unwrap_or(i64::MAX).max(1)
}

#[async_trait]
impl LeaderLease for RedisLease {
    async fn acquire(&self, ttl: Duration) -> Result<Option<Lease>, BusError> {
        let mut call = ACQUIRE.key(&self.key);
        call.key(&self.epoch_key).arg(&self.holder).arg(milliseconds(ttl)).arg(self.link.newest_epoch());
        let epoch: Option<u64> =
            self.link.run("acquire", |mut connection| async move { call.invoke_async(&mut connection).await }).await?;
        if let Some(epoch) = epoch {
            self.link.heard_of_epoch(epoch);
        }
        Ok(epoch.map(|epoch| Lease { epoch }))
    }

    async fn renew(&self, lease: Lease, ttl: Duration) -> Result<bool, BusError> {
        let mut call = RENEW.key(&self.key);
        call.arg(self.value(lease)).arg(milliseconds(ttl));
        self.link.run("renew", |mut connection| async move { call.invoke_async(&mut connection).await }).await
    }

    async fn release(&self, lease: Lease) -> Result<(), BusError> {
        let mut call = RELEASE.key(&self.key);
        call.arg(self.value(lease));
        let _released: bool =
            self.link.run("release", |mut connection| async move { call.invoke_async(&mut connection).await }).await?;
        Ok(())
    }
}
