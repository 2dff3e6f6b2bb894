use std::{
    collections::{BTreeMap, HashMap},
    sync::Mutex,
};

use async_trait::async_trait;
use coinlink_domain::{
    market::Source,
    shared::quota::{QuotaPolicy, QuotaUse, QuotaVerdict},
};
use coinlink_ports::{market::QuotaLedger, shared::BusError};
use time::OffsetDateTime;

use crate::lock;

/// Calls counted in this process; a restart forgets them.
#[derive(Default)]
pub struct EmbeddedQuota(Mutex<HashMap<Source, Counts>>);

#[derive(Default)]
struct Counts {
    minutes: BTreeMap<i64, u32>,
    months: BTreeMap<(i32, u8), u32>,
}

/// Callers need not agree on `now` to the second, so the period before the current one is still counted exactly.
const PERIODS_KEPT: usize = 2;

fn count<K: Ord + Copy>(periods: &mut BTreeMap<K, u32>, period: K) {
    *periods.entry(period).or_default() += 1;
    while periods.len() > PERIODS_KEPT {
        periods.pop_first();
    }
}

#[async_trait]
impl QuotaLedger for EmbeddedQuota {
    async fn spend(&self, source: Source, policy: QuotaPolicy, now: OffsetDateTime) -> Result<QuotaVerdict, BusError> {
        let now = now.to_offset(time::UtcOffset::UTC);
        let minute = now.unix_timestamp().div_euclid(60);
        let month = (now.year(), u8::from(now.month()));
        let mut counts = lock(&self.0);
        let counts = counts.entry(source).or_default();
        let used = QuotaUse {
            minute: counts.minutes.get(&minute).copied().unwrap_or(0),
            month: counts.months.get(&month).copied().unwrap_or(0),
        };
        let verdict = policy.judge(used);
        if verdict != QuotaVerdict::Exhausted {
            count(&mut counts.minutes, minute);
            count(&mut counts.months, month);
        }
        Ok(verdict)
    }
}
