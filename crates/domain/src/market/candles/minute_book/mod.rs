//! Minutes as ticks make them.

use std::collections::{BTreeMap, HashMap};

use time::OffsetDateTime;

use super::{Candle, CandleOrigin, CandleRecord, Interval};
use crate::market::{Price, Symbol, Tick, TickItem};

/// Collects ticks into candles of one minute, and keeps those that changed until they were stored.
#[derive(Debug)]
pub struct MinuteBook {
    room: usize,
    seen: HashMap<Symbol, (OffsetDateTime, Price)>,
    minutes: BTreeMap<(OffsetDateTime, Symbol), Minute>,
    left_out: u64,
}

#[derive(Debug)]
struct Minute {
    candle: Candle,
    origin: CandleOrigin,
    changed: bool,
}

impl MinuteBook {
    /// With room for so many candles that wait to be stored.
    #[must_use]
    pub fn new(room: usize) -> Self {
        Self { room: room.max(1), seen: HashMap::new(), minutes: BTreeMap::new(), left_out: 0 }
    }

    /// Takes a tick's lines. A line that is stale, or says nothing newer than what was taken of its asset, moves no candle. A
    /// price belongs to the minute its source says it is of; what a source says of the future, to the tick's own.
    pub fn take(&mut self, tick: &Tick) {
        if tick.stale {
            return;
        }
        for item in tick.items.iter().filter(|item| !item.stale) {
            self.take_line(item, tick.timestamp);
        }
        while self.minutes.len() > self.room {
            self.minutes.pop_first();
            self.left_out = self.left_out.saturating_add(1);
        }
    }

    fn take_line(&mut self, TickItem { quote, .. }: &TickItem, published_at: OffsetDateTime) {
        let (as_of, price) = (quote.as_of.min(published_at), quote.price);
        let is_new = |&(last_at, last): &(OffsetDateTime, Price)| as_of > last_at || (as_of == last_at && price != last);
        if !self.seen.get(&quote.symbol).is_none_or(is_new) {
            return;
        }
        self.seen.insert(quote.symbol.clone(), (as_of, price));
        let open_at = Interval::Minute.open_of(as_of);
        let minute = Candle::first(open_at, price);
        self.minutes
            .entry((open_at, quote.symbol.clone()))
            .and_modify(|kept| *kept = Minute { candle: kept.candle.join(minute), changed: true, ..*kept })
            .or_insert(Minute { candle: minute, origin: CandleOrigin::of_ticks(quote.source), changed: true });
    }

    /// The candles that changed since they were last [`stored`](Self::stored), oldest first.
    #[must_use]
    pub fn changed(&self, now: OffsetDateTime) -> Vec<CandleRecord> {
        let changed = self.minutes.iter().filter(|(_, minute)| minute.changed);
        let record = |((open_at, symbol), minute): (&(OffsetDateTime, Symbol), &Minute)| CandleRecord {
            symbol: symbol.clone(),
            candle: Candle { closed: Interval::Minute.is_over(*open_at, now), ..minute.candle },
            origin: minute.origin,
        };
        changed.map(record).collect()
    }

    /// These were stored: they are kept no longer, but for those that ticks still come for.
    pub fn stored(&mut self, records: &[CandleRecord]) {
        for record in records {
            let key = (record.candle.open_at, record.symbol.clone());
            if record.candle.closed {
                self.minutes.remove(&key);
            } else if let Some(minute) = self.minutes.get_mut(&key) {
                minute.changed = false;
            }
        }
    }

    /// How many candles were left out for want of room, since it was last asked.
    pub fn left_out(&mut self) -> u64 {
        std::mem::take(&mut self.left_out)
    }
}

#[cfg(test)]
mod tests;
