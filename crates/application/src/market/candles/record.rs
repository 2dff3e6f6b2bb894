use std::{collections::BTreeSet, sync::Arc};

use coinlink_domain::market::{
    Symbol, Tick,
    candles::{CandleRecord, Interval, MinuteBook, Span},
};
use coinlink_ports::{
    market::CandleStore,
    shared::{Clock, StoreError},
};
use time::{Duration, OffsetDateTime};

use super::RollUpCandles;

/// Candles written at once: a store gives up on what takes too long.
const AT_ONCE: usize = 2_000;
/// A leader that begins rolls up what was stored so long before as well: the one before may have ended between the two.
const LOOK_BACK: Duration = Duration::hours(1);

/// When minutes are stored.
#[derive(Debug, Clone, Copy)]
pub struct RecordPolicy {
    /// The running minute is stored so often, and when it ends.
    pub every: Duration,
    /// Candles that wait while the store is away.
    pub room: usize,
}

impl Default for RecordPolicy {
    fn default() -> Self {
        Self { every: Duration::seconds(15), room: 100_000 }
    }
}

/// Collects ticks into minutes, stores them, and rolls them up.
pub struct RecordCandles {
    store: Arc<dyn CandleStore>,
    clock: Arc<dyn Clock>,
    roll_up: RollUpCandles,
    policy: RecordPolicy,
    book: MinuteBook,
    tried_at: Option<OffsetDateTime>,
    unrolled: Option<Unrolled>,
    looked_back: bool,
}

/// Minutes that are stored and not yet part of longer candles.
struct Unrolled {
    symbols: BTreeSet<Symbol>,
    span: Span,
}

impl RecordCandles {
    /// With nothing collected yet.
    pub fn new(store: Arc<dyn CandleStore>, clock: Arc<dyn Clock>, policy: RecordPolicy) -> Self {
        let roll_up = RollUpCandles::new(Arc::clone(&store), Arc::clone(&clock));
        let book = MinuteBook::new(policy.room);
        Self { store, clock, roll_up, policy, book, tried_at: None, unrolled: None, looked_back: false }
    }

    /// Takes a tick, and stores what changed when it is time to. What could not be stored waits for the next time.
    pub async fn execute(&mut self, tick: &Tick) -> Result<(), StoreError> {
        self.book.take(tick);
        let now = self.clock.now();
        let minute = |at| Interval::Minute.open_of(at);
        let is_due = |tried_at| now - tried_at >= self.policy.every || minute(now) != minute(tried_at);
        if self.tried_at.is_none_or(is_due) { self.store().await } else { Ok(()) }
    }

    /// Stores what changed.
    pub async fn store(&mut self) -> Result<(), StoreError> {
        let now = self.clock.now();
        self.tried_at = Some(now);
        for records in self.book.changed(now).chunks(AT_ONCE) {
            self.store.record(Interval::Minute, records).await?;
            self.book.stored(records);
            self.note(records);
        }
        if let Some(unrolled) = &self.unrolled {
            let symbols: Vec<Symbol> = unrolled.symbols.iter().cloned().collect();
            self.roll_up.follow(&symbols, unrolled.span).await?;
            self.unrolled = None;
            self.looked_back = true;
        }
        Ok(())
    }

    fn note(&mut self, records: &[CandleRecord]) {
        let back = if self.looked_back { Duration::ZERO } else { LOOK_BACK };
        for CandleRecord { symbol, candle, .. } in records {
            let minute = Span { from: candle.open_at - back, to: candle.open_at + Duration::MINUTE };
            let unrolled = self.unrolled.get_or_insert_with(|| Unrolled { symbols: BTreeSet::new(), span: minute });
            unrolled.span.from = unrolled.span.from.min(minute.from);
            unrolled.span.to = unrolled.span.to.max(minute.to);
            unrolled.symbols.insert(symbol.clone());
        }
    }

    /// How many candles were left out for want of room, since it was last asked.
    pub fn left_out(&mut self) -> u64 {
        self.book.left_out()
    }

    /// Somebody else leads: what is collected from here on does not go on from what was.
    pub fn begin_anew(&mut self) {
        self.looked_back = false;
    }
}
