use async_trait::async_trait;
use coinlink_domain::{
    market::Source,
    shared::quota::{QuotaPolicy, QuotaVerdict},
};
use time::OffsetDateTime;

use crate::shared::BusError;

/// Counts metered calls for the whole cluster.
#[async_trait]
pub trait QuotaLedger: Send + Sync {
    /// In one step: judges one more call at `now` by [`QuotaPolicy::judge`] and, unless the budget is exhausted, counts
    /// it. Minutes and months are those of UTC.
    async fn spend(&self, source: Source, policy: QuotaPolicy, now: OffsetDateTime) -> Result<QuotaVerdict, BusError>;
}
