use std::{collections::BTreeMap, sync::Arc};

use coinlink_domain::market::{
    Symbol,
    candles::{Candle, CandleRecord, GapFinder, Interval, Span},
};
use coinlink_ports::{
    market::{CandleQuery, CandleStore, CurrentPrices, Keep},
    shared::{Clock, StoreError},
};
use time::{Duration, OffsetDateTime};

/// Which candles somebody wants.
#[derive(Debug, Clone)]
pub struct AskedCandles {
    /// Whose.
    pub symbol: Symbol,
    /// How long each lasts.
    pub interval: Interval,
    /// From here on, oldest first; without it the newest ones.
    pub from: Option<OffsetDateTime>,
    /// Only what opened before; without it up to now.
    pub to: Option<OffsetDateTime>,
    /// At most so many.
    pub limit: u32,
}

/// Times at which what was collected here begins anew that are looked at for one answer.
const BEGINNINGS: usize = 20;

/// Candles, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CandlePage {
    /// The candles; the last one may be running.
    pub records: Vec<CandleRecord>,
    /// What is missing among them, and before and after them of what was asked for.
    pub gaps: Vec<Span>,
    /// Where to go on, where there are more: from there on, or, where the newest were asked for, before that.
    pub next: Option<OffsetDateTime>,
    /// Candles of which only a later part is known, because collecting began within them: when each opens, and when that part begins.
    pub known_from: BTreeMap<OffsetDateTime, OffsetDateTime>,
}

impl CandlePage {
    /// When what is known of a candle of this page begins.
    #[must_use]
    pub fn known_from(&self, candle: &Candle) -> OffsetDateTime {
        self.known_from.get(&candle.open_at).copied().unwrap_or(candle.open_at)
    }
}

/// There is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ReadCandlesError {
    /// The asset is neither in the current list nor in the history.
    #[error("nothing is known of this asset")]
    UnknownSymbol,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Reads price history.
pub struct ReadCandles {
    store: Arc<dyn CandleStore>,
    prices: Arc<dyn CurrentPrices>,
    clock: Arc<dyn Clock>,
}

impl ReadCandles {
    /// From this store.
    pub fn new(store: Arc<dyn CandleStore>, prices: Arc<dyn CurrentPrices>, clock: Arc<dyn Clock>) -> Self {
        Self { store, prices, clock }
    }

    /// What was asked for; of an asset that is known and has no history, nothing.
    #[tracing::instrument(skip_all, fields(symbol = %asked.symbol, interval = asked.interval.name()))]
    pub async fn execute(&self, asked: AskedCandles) -> Result<CandlePage, ReadCandlesError> {
        let AskedCandles { symbol, interval, from, to, limit } = asked;
        let now = self.clock.now();
        let end = to.unwrap_or(now + Duration::MICROSECOND);
        let query = CandleQuery {
            symbol: symbol.clone(),
            interval,
            span: Span { from: from.unwrap_or(OffsetDateTime::UNIX_EPOCH), to: end },
            limit: limit.saturating_add(1),
            keep: if from.is_some() { Keep::Oldest } else { Keep::Newest },
            now,
        };
        let mut records = self.store.read(&query).await?;
        if records.is_empty() && !self.is_known(&symbol).await? {
            return Err(ReadCandlesError::UnknownSymbol);
        }
        let next = cut(&mut records, limit as usize, query.keep);
        let mut told = Span { from: from.unwrap_or(end), to: end.min(interval.open_of(now)) };
        if from.is_none() {
            told.from = records.first().map_or(told.to, |first| first.candle.open_at);
        } else if let Some(next) = next {
            told.to = next;
        }
        let mut finder = GapFinder::new(interval, told);
        for record in &records {
            finder.there_is(record.candle.open_at);
        }
        let known_from = self.known_from(interval, &records, now).await?;
        Ok(CandlePage { records, gaps: finder.gaps(), next, known_from })
    }

    /// What begins a stretch that was collected here: the first of all, what follows a gap, what follows a provider's candle.
    async fn known_from(
        &self,
        interval: Interval,
        records: &[CandleRecord],
        now: OffsetDateTime,
    ) -> Result<BTreeMap<OffsetDateTime, OffsetDateTime>, StoreError> {
        let mut known = BTreeMap::new();
        let before = std::iter::once(None).chain(records.iter().map(Some));
        let goes_on = |before: &CandleRecord, of: &CandleRecord| {
            before.origin.is_collected() && before.candle.open_at + interval.length() == of.candle.open_at
        };
        let begins = records.iter().zip(before).filter(|(of, before)| {
            of.origin.is_collected() && interval != Interval::Minute && !before.is_some_and(|before| goes_on(before, of))
        });
        for (of, _) in begins.take(BEGINNINGS) {
            let begins = self.beginning(of, interval, now).await?;
            if begins > of.candle.open_at {
                known.insert(of.candle.open_at, begins);
            }
        }
        Ok(known)
    }

    /// When what is known of this candle begins, by the first of the shorter ones it is made of.
    async fn beginning(&self, of: &CandleRecord, interval: Interval, now: OffsetDateTime) -> Result<OffsetDateTime, StoreError> {
        let mut begins = of.candle.open_at;
        let mut until = begins + interval.length();
        for shorter in Interval::ALL.into_iter().rev().filter(|shorter| *shorter < interval) {
            let (symbol, span) = (of.symbol.clone(), Span { from: begins, to: until });
            let query = CandleQuery { symbol, interval: shorter, span, limit: 1, keep: Keep::Oldest, now };
            // Short ones are not kept for as long.
            let Some(first) = self.store.read(&query).await?.into_iter().next() else { continue };
            begins = first.candle.open_at;
            until = begins + shorter.length();
            if !first.origin.is_collected() {
                break;
            }
        }
        Ok(begins)
    }

    /// The newest candles of a time that ends now.
    pub async fn last(
        &self,
        symbol: Symbol,
        interval: Interval,
        period: Duration,
        limit: u32,
    ) -> Result<Vec<CandleRecord>, StoreError> {
        let now = self.clock.now();
        let span = Span { from: now - period, to: now + Duration::MICROSECOND };
        self.store.read(&CandleQuery { symbol, interval, span, limit, keep: Keep::Newest, now }).await
    }

    async fn is_known(&self, symbol: &Symbol) -> Result<bool, StoreError> {
        let is_listed = self.prices.current().is_some_and(|current| current.tick.item(symbol.as_str()).is_some());
        if is_listed { Ok(true) } else { self.store.knows(symbol).await }
    }
}

/// Leaves `limit` of them, and says where the rest begins: at the first that was left out, or, of the newest, before the first that
/// is left.
fn cut(records: &mut Vec<CandleRecord>, limit: usize, keep: Keep) -> Option<OffsetDateTime> {
    if records.len() <= limit {
        return None;
    }
    match keep {
        Keep::Oldest => {
            let next = records.get(limit).map(|record| record.candle.open_at);
            records.truncate(limit);
            next
        }
        Keep::Newest => {
            records.drain(..records.len() - limit);
            records.first().map(|record| record.candle.open_at)
        }
    }
}
