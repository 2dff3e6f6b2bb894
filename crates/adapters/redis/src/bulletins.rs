use std::sync::LazyLock;

use async_trait::async_trait;
use coinlink_domain::market::{AnyBulletin, BulletinKind};
use coinlink_ports::{market::BulletinBoard, shared::BusError};
use deadpool_redis::redis::{Script, cmd, pipe};
use time::Duration;

use crate::{bulletin_payload, link::RedisLink};

static POST: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/post_bulletin.lua")));

/// What is known outlasts a provider that is away for a week.
const KEPT_SECONDS: u32 = 7 * 24 * 3600;

/// What was fetched from outside, for all nodes: each kind in a hash of its own, and beside it whose turn it was.
pub struct RedisBulletins {
    link: RedisLink,
}

impl RedisBulletins {
    /// The board behind `link`.
    pub fn new(link: RedisLink) -> Self {
        Self { link }
    }
}

#[async_trait]
impl BulletinBoard for RedisBulletins {
    async fn post(&self, bulletin: &AnyBulletin) -> Result<bool, BusError> {
        let micros = bulletin.fetched_at().unix_timestamp_nanos() / 1_000;
        let mut call = POST.key(self.link.keys().bulletin(bulletin.kind()));
        call.arg(micros.to_string()).arg(bulletin_payload::encode(bulletin)?).arg(KEPT_SECONDS);
        self.link.run("post_bulletin", |mut connection| async move { call.invoke_async(&mut connection).await }).await
    }

    async fn read(&self) -> Result<Vec<AnyBulletin>, BusError> {
        let mut read = pipe();
        for kind in BulletinKind::ALL {
            read.hget(self.link.keys().bulletin(kind), "bulletin");
        }
        let found: Vec<Option<Vec<u8>>> =
            self.link.run("HGET", |mut connection| async move { read.query_async(&mut connection).await }).await?;
        let mut bulletins = Vec::new();
        for (kind, payload) in BulletinKind::ALL.into_iter().zip(found) {
            match payload.map(|payload| bulletin_payload::decode(kind, &payload)).transpose() {
                Ok(bulletin) => bulletins.extend(bulletin),
                Err(error) => tracing::debug!(kind = kind.name(), %error, "a bulletin is left out"),
            }
        }
        Ok(bulletins)
    }

    async fn take_turn(&self, kind: BulletinKind, every: Duration) -> Result<bool, BusError> {
        let millis = i64::try_from(every.whole_milliseconds()).unwrap_or(i64::MAX).max(1);
        let mut take = cmd("SET");
        take.arg(self.link.keys().bulletin_turn(kind)).arg(1).arg("NX").arg("PX").arg(millis);
        let taken: Option<String> =
            self.link.run("SET", |mut connection| async move { take.query_async(&mut connection).await }).await?;
        Ok(taken.is_some())
    }
}
