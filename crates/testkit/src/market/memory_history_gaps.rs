use std::{collections::BTreeMap, sync::Mutex};

use async_trait::async_trait;
use coinlink_domain::market::{
    Source, Symbol,
    candles::{Interval, Span},
};
use coinlink_ports::{market::HistoryGaps, shared::StoreError};
use time::OffsetDateTime;

use crate::shared::lock;

type Place = (Symbol, Interval, Source, OffsetDateTime);

/// Gaps in memory.
#[derive(Debug, Default)]
pub struct MemoryHistoryGaps(Mutex<BTreeMap<Place, (OffsetDateTime, OffsetDateTime)>>);

#[async_trait]
impl HistoryGaps for MemoryHistoryGaps {
    async fn note(
        &self,
        symbol: &Symbol,
        interval: Interval,
        source: Source,
        gaps: &[Span],
        at: OffsetDateTime,
    ) -> Result<(), StoreError> {
        lock(&self.0).extend(gaps.iter().map(|gap| ((symbol.clone(), interval, source, gap.from), (gap.to, at))));
        Ok(())
    }

    async fn noted(
        &self,
        symbol: &Symbol,
        interval: Interval,
        source: Source,
        since: OffsetDateTime,
    ) -> Result<Vec<Span>, StoreError> {
        let known = lock(&self.0);
        let wanted = known
            .iter()
            .filter(|((of, length, by, _), (_, at))| of == symbol && *length == interval && *by == source && *at >= since);
        Ok(wanted.map(|((.., from), (to, _))| Span { from: *from, to: *to }).collect())
    }

    async fn forget(&self, before: OffsetDateTime) -> Result<u64, StoreError> {
        let mut known = lock(&self.0);
        let count = known.len();
        known.retain(|_, (_, at)| *at >= before);
        Ok((count - known.len()) as u64)
    }
}
