use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use coinlink_domain::market::{
    Symbol,
    candles::{CandleRecord, GapFinder, Interval, Span},
};
use coinlink_ports::{
    market::{CandleQuery, CandleStore, Keep, Pruned},
    shared::StoreError,
};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};
use time::{Duration, OffsetDateTime};
use tokio::sync::OnceCell;

use super::{
    candle_rows::{self as rows, World},
    candle_sql as sql,
};
use crate::{Database, errors::store_error, write_transaction};

/// Rows in one statement: eight values each, where SQLite takes 32,766 and PostgreSQL 65,535.
const ROWS: usize = 1_000;
/// Opening times read at once when gaps are looked for.
const TIMES: u32 = 20_000;
/// Candles of one interval are made ready for this long.
const AHEAD: Duration = Duration::days(62);

/// Price history in tables. Clones share what they know of the database.
#[derive(Clone)]
pub struct SqlCandles {
    database: Database,
    world: World,
    rolled: Arc<OnceCell<bool>>,
}

/// What becomes of a candle that is there and one that is given.
type Over = fn(CandleRecord, &CandleRecord) -> CandleRecord;

impl SqlCandles {
    /// In this database.
    #[must_use]
    pub fn new(database: Database) -> Self {
        Self { database, world: World::REAL, rolled: Arc::default() }
    }

    /// In this database, of prices that are made up: what is kept of real ones is neither seen nor touched.
    #[must_use]
    pub fn made_up(database: Database) -> Self {
        Self { world: World::MADE_UP, ..Self::new(database) }
    }

    fn name(&self, symbol: &Symbol) -> String {
        self.world.name(symbol)
    }

    /// How the database finds what [`CandleStore::read`] asks for, as it says itself: a line each. It is read for that.
    pub async fn plan(&self, query: &CandleQuery) -> Result<Vec<String>, StoreError> {
        let read = sql::read(self.backend(), self.rolled().await?, &self.name(&query.symbol), query);
        let explain = if self.backend() == DbBackend::Postgres { "EXPLAIN (ANALYZE, BUFFERS)" } else { "EXPLAIN QUERY PLAN" };
        let explained = Statement { sql: format!("{explain} {}", read.sql), ..read };
        let column = if self.backend() == DbBackend::Postgres { 0 } else { 3 };
        self.rows(explained).await?.iter().map(|row| row.try_get_by_index(column).map_err(store_error)).collect()
    }

    fn backend(&self) -> DbBackend {
        self.database.connection.get_database_backend()
    }

    async fn rows(&self, statement: Statement) -> Result<Vec<sea_orm::QueryResult>, StoreError> {
        self.database.within_deadline(self.database.connection.query_all_raw(statement)).await
    }

    /// Asked once: it was decided when the tables were made.
    async fn rolled(&self) -> Result<bool, StoreError> {
        let ask = async || {
            if self.backend() != DbBackend::Postgres {
                return Ok(false);
            }
            let row = self.rows(sql::rolls_up()).await?.into_iter().next();
            row.map_or(Ok(false), |row| row.try_get_by_index(0).map_err(store_error))
        };
        self.rolled.get_or_try_init(ask).await.copied()
    }

    async fn ensure_months(&self, interval: Interval, moments: &[OffsetDateTime]) -> Result<(), StoreError> {
        if self.backend() == DbBackend::Postgres && sql::is_by_month(interval) && !moments.is_empty() {
            self.rows(sql::ensure_months(interval, moments)).await?;
        }
        Ok(())
    }

    async fn write(&self, interval: Interval, given: &[CandleRecord], over: Option<Over>) -> Result<(), StoreError> {
        if given.is_empty() {
            return Ok(());
        }
        self.ensure_months(interval, &rows::months(given)).await?;
        let new: Vec<CandleRecord> =
            rows::of_each_place(given, over.unwrap_or(|_, second| second.clone())).into_values().collect();
        let backend = self.backend();
        let written = async {
            let transaction = write_transaction::begin(&self.database.connection, "price_candles").await?;
            for names in rows::names(self.world, &new).chunks(ROWS) {
                transaction.execute_raw(sql::note_symbols(backend, names)).await?;
            }
            for chunk in new.chunks(ROWS) {
                let joined;
                let whole = if let Some(over) = over {
                    joined = join(&transaction, self.world, interval, (chunk, over)).await?;
                    &joined
                } else {
                    chunk
                };
                let values = whole.iter().flat_map(|record| rows::values(self.world, record)).collect();
                transaction.execute_raw(sql::write(backend, interval, values)).await?;
            }
            transaction.commit().await
        };
        self.database.within_deadline(written).await
    }
}

/// What is given with what is there of the same times. Joined here and not by the database: SQLite compares decimals as text.
async fn join(
    transaction: &impl ConnectionTrait,
    world: World,
    interval: Interval,
    (given, over): (&[CandleRecord], Over),
) -> Result<Vec<CandleRecord>, DbErr> {
    let Some(span) = rows::span(given) else { return Ok(Vec::new()) };
    let backend = transaction.get_database_backend();
    let names = rows::names(world, given);
    let there = transaction.query_all_raw(sql::read_all(backend, false, &names, interval, span)).await?;
    let mut kept = BTreeMap::new();
    for row in &there {
        let record = rows::record(world, row, interval, span.to).map_err(|error| DbErr::Type(error.to_string()))?;
        kept.insert((record.symbol.clone(), record.candle.open_at), record);
    }
    let place = |record: &CandleRecord| (record.symbol.clone(), record.candle.open_at);
    Ok(given.iter().map(|new| kept.remove(&place(new)).map_or_else(|| new.clone(), |kept| over(kept, new))).collect())
}

#[async_trait]
impl CandleStore for SqlCandles {
    async fn record(&self, interval: Interval, candles: &[CandleRecord]) -> Result<(), StoreError> {
        self.write(interval, candles, Some(CandleRecord::join)).await
    }

    async fn replace(&self, interval: Interval, candles: &[CandleRecord]) -> Result<(), StoreError> {
        self.write(interval, candles, None).await
    }

    async fn read(&self, query: &CandleQuery) -> Result<Vec<CandleRecord>, StoreError> {
        let rolled = self.rolled().await?;
        let found = self.rows(sql::read(self.backend(), rolled, &self.name(&query.symbol), query)).await?;
        let mut records: Vec<_> =
            found.iter().map(|row| rows::record(self.world, row, query.interval, query.now)).collect::<Result<_, _>>()?;
        if query.keep == Keep::Newest {
            records.reverse();
        }
        Ok(records)
    }

    async fn read_all(
        &self,
        symbols: &[Symbol],
        interval: Interval,
        span: Span,
        now: OffsetDateTime,
    ) -> Result<Vec<CandleRecord>, StoreError> {
        let rolled = self.rolled().await?;
        let mut records = Vec::new();
        let names: Vec<String> = symbols.iter().map(|symbol| self.name(symbol)).collect();
        for chunk in names.chunks(ROWS) {
            let found = self.rows(sql::read_all(self.backend(), rolled, chunk, interval, span)).await?;
            for row in &found {
                records.push(rows::record(self.world, row, interval, now)?);
            }
        }
        // Sorted here: how a database sorts text is a matter of its locale.
        records.sort_by(|a, b| a.symbol.cmp(&b.symbol).then(a.candle.open_at.cmp(&b.candle.open_at)));
        Ok(records)
    }

    async fn newest(&self, symbol: &Symbol, interval: Interval) -> Result<Option<OffsetDateTime>, StoreError> {
        let rolled = self.rolled().await?;
        let found = self.rows(sql::newest(self.backend(), rolled, &self.name(symbol), interval)).await?;
        found.first().map(rows::open_at).transpose()
    }

    async fn missing(&self, symbol: &Symbol, interval: Interval, span: Span) -> Result<Vec<Span>, StoreError> {
        let rolled = self.rolled().await?;
        let name = self.name(symbol);
        let mut finder = GapFinder::new(interval, span);
        let mut rest = span;
        loop {
            let found = self.rows(sql::open_times(self.backend(), rolled, (&name, interval), rest, TIMES)).await?;
            for row in &found {
                let open_at = rows::open_at(row)?;
                finder.there_is(open_at);
                rest.from = open_at + Duration::MICROSECOND;
            }
            if found.len() < TIMES as usize {
                return Ok(finder.gaps());
            }
        }
    }

    async fn knows(&self, symbol: &Symbol) -> Result<bool, StoreError> {
        Ok(!self.rows(sql::knows(self.backend(), &self.name(symbol))).await?.is_empty())
    }

    async fn rolls_up(&self) -> Result<bool, StoreError> {
        self.rolled().await
    }

    async fn prepare(&self, now: OffsetDateTime) -> Result<(), StoreError> {
        // Thirty-one days on is this month's end or the next month: none is left out.
        let moments = [now, now + AHEAD / 2, now + AHEAD];
        for interval in Interval::ALL {
            self.ensure_months(interval, &moments).await?;
        }
        Ok(())
    }

    async fn prune(&self, interval: Interval, before: OffsetDateTime, limit: u32) -> Result<Pruned, StoreError> {
        if self.backend() == DbBackend::Postgres && sql::is_by_month(interval) {
            let row = self.rows(sql::drop_month(interval, before)).await?.into_iter().next();
            let outcome = row.map(|row| row.try_get_by_index::<String>(0)).transpose().map_err(store_error)?;
            return Ok(match outcome.as_deref() {
                Some("busy") => Pruned::Busy,
                Some("more") => Pruned::More,
                _ => Pruned::Done,
            });
        }
        let delete = sql::delete(self.backend(), interval, before, limit);
        let gone = self.database.within_deadline(self.database.connection.execute_raw(delete)).await?;
        Ok(if gone.rows_affected() >= u64::from(limit) { Pruned::More } else { Pruned::Done })
    }
}
