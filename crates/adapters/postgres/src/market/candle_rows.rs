//! Candles as rows, and back.

use std::collections::{BTreeMap, BTreeSet};

use coinlink_domain::market::{
    Price, Symbol,
    candles::{Candle, CandleOrigin, CandleRecord, Interval, Span},
};
use coinlink_ports::shared::StoreError;
use sea_orm::{QueryResult, Value};
use time::{Duration, OffsetDateTime, UtcOffset};

use crate::{
    errors::{corrupt, store_error},
    exact::{Exact, Moment},
};

/// Which market candles are of. It is a part of what the tables call an asset, so that nothing of one is ever read, joined, rolled up
/// or aggregated with the other.
#[derive(Debug, Clone, Copy)]
pub(super) struct World(&'static str);

impl World {
    pub(super) const REAL: Self = Self("");
    /// No symbol holds a colon.
    pub(super) const MADE_UP: Self = Self("simulated:");

    /// What the tables call an asset.
    pub(super) fn name(self, symbol: &Symbol) -> String {
        format!("{}{symbol}", self.0)
    }

    fn symbol(self, name: &str) -> Result<Symbol, StoreError> {
        Symbol::try_new(name.strip_prefix(self.0).unwrap_or(name)).map_err(|e| corrupt("the symbol of a candle", e))
    }
}

/// What identifies one.
pub(super) type Place = (Symbol, OffsetDateTime);

/// The values of a row in the order of its columns.
pub(super) fn values(world: World, record: &CandleRecord) -> [Value; 8] {
    let price = |price: Price| Exact(price.usd()).into();
    let candle = &record.candle;
    [
        Moment(candle.open_at).into(),
        world.name(&record.symbol).into(),
        price(candle.open),
        price(candle.high),
        price(candle.low),
        price(candle.close),
        candle.volume.map(Exact).into(),
        record.origin.name().into(),
    ]
}

/// A row; closed where its time is over.
pub(super) fn record(
    world: World,
    row: &QueryResult,
    interval: Interval,
    now: OffsetDateTime,
) -> Result<CandleRecord, StoreError> {
    let text = |name| row.try_get::<String>("", name).map_err(store_error);
    let price = |name| {
        let Exact(usd) = row.try_get("", name).map_err(store_error)?;
        Price::try_new(usd).map_err(|e| corrupt("the price of a candle", e))
    };
    let open_at = open_at(row)?;
    let volume: Option<Exact> = row.try_get("", "volume").map_err(store_error)?;
    let candle = Candle {
        open_at,
        open: price("open")?,
        high: price("high")?,
        low: price("low")?,
        close: price("close")?,
        volume: volume.map(|Exact(volume)| volume),
        closed: interval.is_over(open_at, now),
    };
    Ok(CandleRecord {
        symbol: world.symbol(&text("symbol")?)?,
        candle,
        origin: CandleOrigin::from_name(&text("origin")?)
            .ok_or(StoreError::Corrupt { what: "the origin of a candle", source: None })?,
    })
}

/// When the candle of a row opened.
pub(super) fn open_at(row: &QueryResult) -> Result<OffsetDateTime, StoreError> {
    let Moment(at) = row.try_get("", "open_at").map_err(store_error)?;
    Ok(at)
}

/// One of each place, sorted; what comes twice is made one by `over`, the first and the second.
pub(super) fn of_each_place(
    records: &[CandleRecord],
    over: impl Fn(CandleRecord, &CandleRecord) -> CandleRecord,
) -> BTreeMap<Place, CandleRecord> {
    let mut kept: BTreeMap<Place, CandleRecord> = BTreeMap::new();
    for record in records {
        let place = (record.symbol.clone(), record.candle.open_at);
        let joined = kept.remove(&place).map_or_else(|| record.clone(), |first| over(first, record));
        kept.insert(place, joined);
    }
    kept
}

/// What the tables call the assets of these, each once.
pub(super) fn names(world: World, records: &[CandleRecord]) -> Vec<String> {
    let symbols: BTreeSet<&Symbol> = records.iter().map(|record| &record.symbol).collect();
    symbols.into_iter().map(|symbol| world.name(symbol)).collect()
}

/// From the first opening to just after the last.
pub(super) fn span(records: &[CandleRecord]) -> Option<Span> {
    let times = || records.iter().map(|record| record.candle.open_at);
    Some(Span { from: times().min()?, to: times().max()? + Duration::MICROSECOND })
}

/// A moment of each month that they open in.
pub(super) fn months(records: &[CandleRecord]) -> Vec<OffsetDateTime> {
    let months: BTreeMap<_, _> = records
        .iter()
        .map(|record| record.candle.open_at.to_offset(UtcOffset::UTC))
        .map(|at| ((at.year(), u8::from(at.month())), at))
        .collect();
    months.into_values().collect()
}
