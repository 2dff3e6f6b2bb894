use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use async_trait::async_trait;
use coinlink_domain::market::{
    Symbol,
    candles::{Candle, CandleRecord, GapFinder, Interval, Span},
};
use coinlink_ports::{
    market::{CandleQuery, CandleStore, Keep, Pruned},
    shared::StoreError,
};
use time::OffsetDateTime;

use crate::shared::lock;

type Kept = BTreeMap<(Interval, Symbol, OffsetDateTime), CandleRecord>;

/// Keeps candles as long as the test runs, and fails when told to.
#[derive(Debug, Default)]
pub struct MemoryCandles {
    kept: Mutex<Kept>,
    down: AtomicBool,
    writes: AtomicU32,
}

impl MemoryCandles {
    /// Fails every call from now on, or none any more.
    pub fn fail(&self, down: bool) {
        self.down.store(down, Ordering::SeqCst);
    }

    /// How often something was written.
    pub fn writes(&self) -> u32 {
        self.writes.load(Ordering::SeqCst)
    }

    fn up(&self) -> Result<(), StoreError> {
        if self.down.load(Ordering::SeqCst) { Err(StoreError::Unavailable("away, as asked".into())) } else { Ok(()) }
    }

    fn write(
        &self,
        (interval, candles): (Interval, &[CandleRecord]),
        over: impl Fn(CandleRecord, &CandleRecord) -> CandleRecord,
    ) -> Result<(), StoreError> {
        self.up()?;
        self.writes.fetch_add(1, Ordering::SeqCst);
        let mut kept = lock(&self.kept);
        for given in candles {
            let key = (interval, given.symbol.clone(), given.candle.open_at);
            let joined = kept.remove(&key).map_or_else(|| given.clone(), |kept| over(kept, given));
            kept.insert(key, joined);
        }
        Ok(())
    }

    fn within(&self, symbol: &Symbol, interval: Interval, span: Span, now: OffsetDateTime) -> Vec<CandleRecord> {
        if span.from >= span.to {
            return Vec::new();
        }
        let kept = lock(&self.kept);
        let range = kept.range((interval, symbol.clone(), span.from)..(interval, symbol.clone(), span.to));
        let seen = |record: &CandleRecord| {
            let closed = interval.is_over(record.candle.open_at, now);
            CandleRecord { candle: Candle { closed, ..record.candle }, ..record.clone() }
        };
        range.map(|(_, record)| seen(record)).collect()
    }
}

#[async_trait]
impl CandleStore for MemoryCandles {
    async fn record(&self, interval: Interval, candles: &[CandleRecord]) -> Result<(), StoreError> {
        self.write((interval, candles), CandleRecord::join)
    }

    async fn replace(&self, interval: Interval, candles: &[CandleRecord]) -> Result<(), StoreError> {
        self.write((interval, candles), |_, given| given.clone())
    }

    async fn read(&self, query: &CandleQuery) -> Result<Vec<CandleRecord>, StoreError> {
        self.up()?;
        let mut found = self.within(&query.symbol, query.interval, query.span, query.now);
        let limit = query.limit as usize;
        match query.keep {
            Keep::Oldest => found.truncate(limit),
            Keep::Newest => drop(found.drain(..found.len().saturating_sub(limit))),
        }
        Ok(found)
    }

    async fn read_all(
        &self,
        symbols: &[Symbol],
        interval: Interval,
        span: Span,
        now: OffsetDateTime,
    ) -> Result<Vec<CandleRecord>, StoreError> {
        self.up()?;
        let symbols: BTreeSet<&Symbol> = symbols.iter().collect();
        Ok(symbols.into_iter().flat_map(|symbol| self.within(symbol, interval, span, now)).collect())
    }

    async fn newest(&self, symbol: &Symbol, interval: Interval) -> Result<Option<OffsetDateTime>, StoreError> {
        self.up()?;
        let kept = lock(&self.kept);
        Ok(kept.keys().filter(|(of, whose, _)| *of == interval && whose == symbol).map(|(_, _, at)| *at).max())
    }

    async fn missing(&self, symbol: &Symbol, interval: Interval, span: Span) -> Result<Vec<Span>, StoreError> {
        self.up()?;
        let mut finder = GapFinder::new(interval, span);
        for record in self.within(symbol, interval, span, span.to) {
            finder.there_is(record.candle.open_at);
        }
        Ok(finder.gaps())
    }

    async fn knows(&self, symbol: &Symbol) -> Result<bool, StoreError> {
        self.up()?;
        Ok(lock(&self.kept).keys().any(|(_, whose, _)| whose == symbol))
    }

    async fn rolls_up(&self) -> Result<bool, StoreError> {
        Ok(false)
    }

    async fn prepare(&self, _: OffsetDateTime) -> Result<(), StoreError> {
        self.up()
    }

    async fn prune(&self, interval: Interval, before: OffsetDateTime, limit: u32) -> Result<Pruned, StoreError> {
        self.up()?;
        let mut kept = lock(&self.kept);
        let mut old: Vec<_> = kept.keys().filter(|(of, _, at)| *of == interval && *at < before).cloned().collect();
        old.sort_by_key(|(_, _, at)| *at);
        let more = old.len() > limit as usize;
        for key in old.into_iter().take(limit as usize) {
            kept.remove(&key);
        }
        Ok(if more { Pruned::More } else { Pruned::Done })
    }
}
