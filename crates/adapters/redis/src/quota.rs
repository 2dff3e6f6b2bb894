use std::sync::LazyLock;

use async_trait::async_trait;
use coinlink_domain::{
    market::Source,
    shared::quota::{QuotaPolicy, QuotaUse, QuotaVerdict},
};
use coinlink_ports::{market::QuotaLedger, shared::BusError};
use deadpool_redis::redis::Script;
use time::OffsetDateTime;

use crate::link::RedisLink;

static SPEND: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/spend.lua")));

/// Longer than the period each counts, so that nodes whose clocks differ a little still count in the same place.
const MINUTE_KEPT_SECONDS: u32 = 3 * 60;
const MONTH_KEPT_SECONDS: u32 = 33 * 24 * 3600;

/// Budgets that all nodes draw on.
pub struct RedisQuota {
    link: RedisLink,
}

impl RedisQuota {
    /// The ledger behind `link`.
    pub fn new(link: RedisLink) -> Self {
        Self { link }
    }
}

#[async_trait]
impl QuotaLedger for RedisQuota {
    async fn spend(&self, source: Source, policy: QuotaPolicy, now: OffsetDateTime) -> Result<QuotaVerdict, BusError> {
        let [minute, month] = self.link.keys().quota(source, now);
        let limit = |limit: Option<u32>| limit.map_or(-1, i64::from);
        let mut call = SPEND.key(minute);
        call.key(month)
            .arg(limit(policy.per_minute))
            .arg(limit(policy.per_month))
            .arg(MINUTE_KEPT_SECONDS)
            .arg(MONTH_KEPT_SECONDS);
        let (minute, month) =
            self.link.run("spend", |mut connection| async move { call.invoke_async(&mut connection).await }).await?;
        Ok(policy.judge(QuotaUse { minute, month }))
    }
}
