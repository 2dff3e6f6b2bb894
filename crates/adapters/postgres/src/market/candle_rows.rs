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

/// What identifies one.
pub(super) type Place = (Symbol, OffsetDateTime);

/// The values of a row in the order of its columns.
pub(super) fn values(record: &CandleRecord) -> [Value; 8] {
    let price = |price: Price| Exact(price.usd()).into();
    let candle = &record.candle;
    [
        Moment(candle.open_at).into(),
        record.symbol.as_str().into(),
        price(candle.open),
        price(candle.high),
        price(candle.low),
        price(candle.close),
        candle.volume.map(Exact).into(),
        record.origin.name().into(),
    ]
}

/// A row; closed where its time is over.
pub(super) fn record(row: &QueryResult, interval: Interval, now: OffsetDateTime) -> Result<CandleRecord, StoreError> {
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
        symbol: Symbol::try_new(&text("symbol")?).map_err(|e| corrupt("the symbol of a candle", e))?,
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

/// The assets of these, each once.
pub(super) fn symbols(records: &[CandleRecord]) -> Vec<Symbol> {
    let symbols: BTreeSet<&Symbol> = records.iter().map(|record| &record.symbol).collect();
    symbols.into_iter().cloned().collect()
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
