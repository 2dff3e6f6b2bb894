use std::sync::{
    LazyLock,
    atomic::{AtomicU64, Ordering},
};

use coinlink_ports::shared::BusError;
use deadpool_redis::redis::Script;
use time::Duration;
use uuid::Uuid;

use crate::link::RedisLink;

static GO_BY_NAME: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/go_by_name.lua")));

/// A name that a process goes by. Nobody is kept from one that is taken: whoever shares it is to hear of it.
pub struct RedisNodeName {
    link: RedisLink,
    key: String,
    me: String,
    /// When this process was first heard, by Redis' clock; 0 before.
    first: AtomicU64,
    silent_for: i64,
}

impl RedisNodeName {
    /// This process goes by `name`. Others are forgotten when nothing was heard of them for so long.
    #[must_use]
    pub fn new(link: RedisLink, name: &str, silent_for: Duration) -> Self {
        let silent_for = i64::try_from(silent_for.whole_milliseconds()).unwrap_or(i64::MAX).max(1);
        let (key, me) = (link.keys().node_name(name), Uuid::now_v7().simple().to_string());
        Self { link, key, me, first: AtomicU64::new(0), silent_for }
    }

    /// Says that this process still goes by it, and whether another one does: one that was heard after this one first was, so that what
    /// went before it, under the same name, is none.
    pub async fn is_shared(&self) -> Result<bool, BusError> {
        let mut call = GO_BY_NAME.key(&self.key);
        call.arg(&self.me).arg(self.first.load(Ordering::Relaxed)).arg(self.silent_for);
        let (first, others): (u64, u64) =
            self.link.run("go_by_name", |mut connection| async move { call.invoke_async(&mut connection).await }).await?;
        self.first.store(first, Ordering::Relaxed);
        Ok(others > 0)
    }
}
