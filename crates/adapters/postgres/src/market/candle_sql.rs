//! The statements of candles. Raw, because there are four tables of one shape; what differs between the databases stands here too.

use std::fmt::Write as _;

use coinlink_domain::market::candles::{Interval, Span};
use coinlink_ports::market::{CandleQuery, Keep};
use sea_orm::{DbBackend, Statement, Value};
use time::OffsetDateTime;

use crate::exact::Moment;

const COLUMNS: &str = "open_at, symbol, open, high, low, close, volume, origin";

/// Where candles of an interval are.
pub(super) const fn table(interval: Interval) -> &'static str {
    match interval {
        Interval::Minute => "price_candles_1m",
        Interval::FiveMinutes => "price_candles_5m",
        Interval::Hour => "price_candles_1h",
        Interval::Day => "price_candles_1d",
    }
}

/// Whether they are kept by the month.
pub(super) const fn is_by_month(interval: Interval) -> bool {
    !matches!(interval, Interval::Day)
}

/// What is read: the table, and with it, where the database makes longer candles of minutes, those that nobody wrote.
fn source(interval: Interval, rolled: bool) -> String {
    let table = table(interval);
    if !rolled || interval == Interval::Minute {
        return table.to_owned();
    }
    format!(
        "(SELECT {COLUMNS} FROM {table} UNION ALL SELECT {COLUMNS} FROM {table}_rolled AS made WHERE NOT EXISTS \
         (SELECT 1 FROM {table} AS kept WHERE kept.symbol = made.symbol AND kept.open_at = made.open_at)) AS candles"
    )
}

/// A moment to compare with. On PostgreSQL as a value of its type, so that the planner sees which months it needs; SQLite keeps text.
pub(super) fn moment(backend: DbBackend, at: OffsetDateTime) -> Value {
    if backend == DbBackend::Postgres { at.into() } else { Moment(at).into() }
}

/// `$first, …, $last`.
fn places(first: usize, count: usize) -> String {
    let places: Vec<String> = (first..first + count).map(|place| format!("${place}")).collect();
    places.join(", ")
}

const SHOWN: &str = "open_at, symbol, CAST(open AS text) AS open, CAST(high AS text) AS high, CAST(low AS text) AS low, \
                     CAST(close AS text) AS close, CAST(volume AS text) AS volume, origin";

/// Candles of the asset of this name; the newest ones come newest first.
pub(super) fn read(backend: DbBackend, rolled: bool, name: &str, query: &CandleQuery) -> Statement {
    let order = match query.keep {
        Keep::Oldest => "ASC",
        Keep::Newest => "DESC",
    };
    let sql = format!(
        "SELECT {SHOWN} FROM {} WHERE symbol = $1 AND open_at >= $2 AND open_at < $3 ORDER BY open_at {order} LIMIT $4",
        source(query.interval, rolled)
    );
    let values = [name.into(), moment(backend, query.span.from), moment(backend, query.span.to), i64::from(query.limit).into()];
    Statement::from_sql_and_values(backend, sql, values)
}

/// Several assets' candles.
pub(super) fn read_all(backend: DbBackend, rolled: bool, names: &[String], interval: Interval, span: Span) -> Statement {
    let sql = format!(
        "SELECT {SHOWN} FROM {} WHERE open_at >= $1 AND open_at < $2 AND symbol IN ({})",
        source(interval, rolled),
        places(3, names.len())
    );
    let values = [moment(backend, span.from), moment(backend, span.to)].into_iter();
    Statement::from_sql_and_values(backend, sql, values.chain(names.iter().map(|name| name.as_str().into())))
}

/// When one asset's candles opened.
pub(super) fn open_times(
    backend: DbBackend,
    rolled: bool,
    (name, interval): (&str, Interval),
    span: Span,
    limit: u32,
) -> Statement {
    let sql = format!(
        "SELECT open_at FROM {} WHERE symbol = $1 AND open_at >= $2 AND open_at < $3 ORDER BY open_at LIMIT $4",
        source(interval, rolled)
    );
    let values = [name.into(), moment(backend, span.from), moment(backend, span.to), i64::from(limit).into()];
    Statement::from_sql_and_values(backend, sql, values)
}

/// When the newest one opened.
pub(super) fn newest(backend: DbBackend, rolled: bool, name: &str, interval: Interval) -> Statement {
    let sql = format!("SELECT open_at FROM {} WHERE symbol = $1 ORDER BY open_at DESC LIMIT 1", source(interval, rolled));
    Statement::from_sql_and_values(backend, sql, [name.into()])
}

/// Writes so many rows over what is there.
pub(super) fn write(backend: DbBackend, interval: Interval, values: Vec<Value>) -> Statement {
    const A_ROW: usize = 8;
    let mut sql = format!("INSERT INTO {} ({COLUMNS}) VALUES ", table(interval));
    for row in 0..values.len() / A_ROW {
        let place = |column: usize| row * A_ROW + column;
        let numeric = |column| format!("CAST(${} AS numeric_text)", place(column));
        let figures: Vec<String> = (3..=7).map(numeric).collect();
        let comma = if row == 0 { "" } else { ", " };
        // Writing to a String does not fail.
        let _ =
            write!(sql, "{comma}(CAST(${} AS timestamptz_text), ${}, {}, ${})", place(1), place(2), figures.join(", "), place(8));
    }
    sql += " ON CONFLICT (symbol, open_at) DO UPDATE SET open = excluded.open, high = excluded.high, low = excluded.low, \
            close = excluded.close, volume = excluded.volume, origin = excluded.origin";
    Statement::from_sql_and_values(backend, sql, values)
}

/// Notes that there is something of these assets.
pub(super) fn note_symbols(backend: DbBackend, names: &[String]) -> Statement {
    let rows: Vec<String> = (1..=names.len()).map(|place| format!("(${place})")).collect();
    let sql = format!("INSERT INTO price_candle_symbols (symbol) VALUES {} ON CONFLICT (symbol) DO NOTHING", rows.join(", "));
    Statement::from_sql_and_values(backend, sql, names.iter().map(|name| name.as_str().into()))
}

/// Whether there is.
pub(super) fn knows(backend: DbBackend, name: &str) -> Statement {
    let sql = "SELECT symbol FROM price_candle_symbols WHERE symbol = $1";
    Statement::from_sql_and_values(backend, sql, [name.into()])
}

/// Makes the months of these moments, where they are not there.
pub(super) fn ensure_months(interval: Interval, moments: &[OffsetDateTime]) -> Statement {
    let sql = format!(
        "SELECT price_candles_ensure_month('{}', moment) FROM (VALUES {}) AS months (moment)",
        interval.name(),
        (1..=moments.len()).map(|place| format!("(${place})")).collect::<Vec<_>>().join(", ")
    );
    Statement::from_sql_and_values(DbBackend::Postgres, sql, moments.iter().map(|at| Value::from(*at)))
}

/// Drops the oldest month before that moment.
pub(super) fn drop_month(interval: Interval, before: OffsetDateTime) -> Statement {
    let sql = "SELECT price_candles_drop_month($1, $2)";
    Statement::from_sql_and_values(DbBackend::Postgres, sql, [interval.name().into(), before.into()])
}

/// Deletes some of what is older.
pub(super) fn delete(backend: DbBackend, interval: Interval, before: OffsetDateTime, limit: u32) -> Statement {
    let table = table(interval);
    let sql = format!(
        "DELETE FROM {table} WHERE (symbol, open_at) IN (SELECT symbol, open_at FROM {table} WHERE open_at < $1 LIMIT $2)"
    );
    Statement::from_sql_and_values(backend, sql, [moment(backend, before), i64::from(limit).into()])
}

/// Whether the database makes longer candles of minutes.
pub(super) fn rolls_up() -> Statement {
    Statement::from_string(DbBackend::Postgres, "SELECT to_regclass('price_candles_5m_rolled') IS NOT NULL")
}
