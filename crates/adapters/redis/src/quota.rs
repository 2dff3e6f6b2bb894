use std::{
    collections::{BTreeMap, HashMap},
    sync::{LazyLock, Mutex, PoisonError},
};

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

/// Months whose use is kept in mind: clocks need not agree on when one ends.
const MONTHS_IN_MIND: usize = 2;

/// Budgets that all nodes draw on. What was used of a month is kept in mind here as well: where Redis has lost its count, it goes on from
/// this node's, which as a rule is the leader and has made the calls.
pub struct RedisQuota {
    link: RedisLink,
    /// By the key of the month.
    seen: Mutex<HashMap<Source, BTreeMap<String, u32>>>,
}

impl RedisQuota {
    /// The ledger behind `link`.
    pub fn new(link: RedisLink) -> Self {
        Self { link, seen: Mutex::default() }
    }

    fn seen(&self, source: Source, month: &str) -> u32 {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.get(&source).and_then(|months| months.get(month)).copied().unwrap_or(0)
    }

    fn see(&self, source: Source, month: String, used: u32) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let months = seen.entry(source).or_default();
        let most = months.entry(month).or_default();
        *most = used.max(*most);
        while months.len() > MONTHS_IN_MIND {
            months.pop_first();
        }
    }
}

#[async_trait]
impl QuotaLedger for RedisQuota {
    async fn spend(&self, source: Source, policy: QuotaPolicy, now: OffsetDateTime) -> Result<QuotaVerdict, BusError> {
        let [minute, month] = self.link.keys().quota(source, now);
        let month_key = month.clone();
        let limit = |limit: Option<u32>| limit.map_or(-1, i64::from);
        let mut call = SPEND.key(minute);
        call.key(month)
            .arg(limit(policy.per_minute))
            .arg(limit(policy.per_month))
            .arg(MINUTE_KEPT_SECONDS)
            .arg(MONTH_KEPT_SECONDS)
            .arg(self.seen(source, &month_key));
        let (minute, month): (u32, u32) =
            self.link.run("spend", |mut connection| async move { call.invoke_async(&mut connection).await }).await?;
        let verdict = policy.judge(QuotaUse { minute, month });
        self.see(source, month_key, month.saturating_add(u32::from(verdict != QuotaVerdict::Exhausted)));
        Ok(verdict)
    }
}
