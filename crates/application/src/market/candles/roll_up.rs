use std::sync::Arc;

use coinlink_domain::market::{
    Symbol,
    candles::{CandleRecord, Interval, Span, roll_up},
};
use coinlink_ports::{
    market::CandleStore,
    shared::{Clock, StoreError},
};
use time::Duration;

/// Assets rolled up at once: a day of theirs is read together.
const AT_ONCE: usize = 50;

/// Makes longer candles of the minutes that are stored.
pub struct RollUpCandles {
    store: Arc<dyn CandleStore>,
    clock: Arc<dyn Clock>,
}

impl RollUpCandles {
    /// In this store.
    pub fn new(store: Arc<dyn CandleStore>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock }
    }

    /// After minutes of ticks within `span` were recorded: joins what they come to with the longer candles that are there, so that what
    /// a provider knew of the same time is not lost. A store that rolls up by itself is left to it.
    pub async fn follow(&self, symbols: &[Symbol], span: Span) -> Result<(), StoreError> {
        if self.store.rolls_up().await? {
            return Ok(());
        }
        for symbols in symbols.chunks(AT_ONCE) {
            // Each interval is made of the one before: a day reads twenty-four hours and not its minutes.
            for pair in Interval::ALL.windows(2) {
                let [shorter, longer] = *pair else { continue };
                let records = self.rolled(symbols, shorter, longer, span).await?;
                self.store.record(longer, &records).await?;
            }
        }
        Ok(())
    }

    /// After minutes within `span` were filled in: writes what each longer candle comes to over the one that is there, wherever no part
    /// of it is missing, up to now. Ticks may have made that one of the parts that they saw.
    pub async fn mend(&self, symbol: &Symbol, span: Span) -> Result<(), StoreError> {
        let rolls_up = self.store.rolls_up().await?;
        let symbols = std::slice::from_ref(symbol);
        for pair in Interval::ALL.windows(2) {
            let [shorter, longer] = *pair else { continue };
            let last = longer.open_of(span.to - Duration::MICROSECOND) + longer.length();
            let until = last.min(shorter.open_of(self.clock.now()));
            let parts = Span { from: longer.open_of(span.from), to: until };
            let missing = self.store.missing(symbol, shorter, parts).await?;
            let is_whole = |record: &CandleRecord| {
                let (from, to) = (record.candle.open_at, record.candle.open_at + longer.length());
                missing.iter().all(|gap| gap.to <= from || to <= gap.from)
            };
            let mut records = self.rolled(symbols, shorter, longer, span).await?;
            // What a store rolls up by itself goes on with ticks; what is written over it would not.
            records.retain(|record| is_whole(record) && (record.candle.closed || !rolls_up));
            self.store.replace(longer, &records).await?;
        }
        Ok(())
    }

    async fn rolled(
        &self,
        symbols: &[Symbol],
        shorter: Interval,
        longer: Interval,
        span: Span,
    ) -> Result<Vec<CandleRecord>, StoreError> {
        let now = self.clock.now();
        let last = span.to - Duration::MICROSECOND;
        let whole = Span { from: longer.open_of(span.from), to: longer.open_of(last) + longer.length() };
        let found = self.store.read_all(symbols, shorter, whole, now).await?;
        let of_one_asset = found.chunk_by(|a, b| a.symbol == b.symbol);
        let rolled = of_one_asset.flat_map(|records| {
            let candles = roll_up(records.iter().map(|record| record.candle), longer, now);
            let origin_of = move |open_at| records.iter().find(|record| record.candle.open_at >= open_at);
            candles.into_iter().filter_map(move |candle| {
                let first = origin_of(candle.open_at)?;
                Some(CandleRecord { candle, ..first.clone() })
            })
        });
        Ok(rolled.collect())
    }
}
