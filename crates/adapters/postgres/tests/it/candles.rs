//! The contract on each database, and what is PostgreSQL's own: months that come and go without readers noticing.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::time::Duration as StdDuration;

use coinlink_domain::market::{
    Symbol,
    candles::{Interval, Span},
};
use coinlink_ports::market::{CandleQuery, CandleStore, Keep, Pruned};
use coinlink_postgres::SqlCandles;
use coinlink_testkit::market::candles_contract::{a_candle, a_still_candle};
use sea_orm::{ConnectionTrait, Statement, TransactionTrait};
use time::{Duration, macros::datetime};

use crate::databases::{self, Held, on_each_database};

on_each_database!(candles_contract, place => place.with(SqlCandles::new).await);

async fn on_postgres() -> Held<SqlCandles> {
    databases::on_postgres().await.with(SqlCandles::new).await
}

async fn texts(connection: &impl ConnectionTrait, sql: &str) -> Vec<String> {
    let rows = connection.query_all_raw(Statement::from_string(connection.get_database_backend(), sql)).await.unwrap();
    rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}

async fn months(connection: &impl ConnectionTrait, kind: &str) -> Vec<String> {
    let sql = format!(
        "SELECT right(c.relname::text, 7) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
         WHERE i.inhparent = 'price_candles_{kind}'::regclass ORDER BY 1"
    );
    texts(connection, &sql).await
}

#[tokio::test]
async fn a_month_is_made_when_it_is_written_to_and_some_ahead_for_each_interval_that_has_them() {
    let held = on_postgres().await;
    let connection = held.place.operator().await;
    held.record(Interval::Minute, &[a_candle(datetime!(2025-03-31 23:59 UTC), ["1"; 4])]).await.unwrap();
    assert_eq!(months(&connection, "1m").await, ["2025_03"]);
    held.prepare(datetime!(2026-11-30 23:00 UTC)).await.unwrap();
    assert_eq!(months(&connection, "1m").await, ["2025_03", "2026_11", "2026_12", "2027_01"]);
    assert_eq!(months(&connection, "1h").await, ["2026_11", "2026_12", "2027_01"]);
    let brin = "SELECT indexdef FROM pg_indexes WHERE tablename = 'price_candles_1m_2026_12' ORDER BY 1";
    let made = texts(&connection, brin).await;
    assert!(made.len() == 2 && made.iter().any(|index| index.contains("USING brin (open_at)")), "{made:?}");
}

#[tokio::test]
async fn a_query_of_a_day_looks_at_no_other_month() {
    let held = on_postgres().await;
    let connection = held.place.operator().await;
    for month in [datetime!(2026-01-15 0:00 UTC), datetime!(2026-02-15 0:00 UTC), datetime!(2026-03-15 0:00 UTC)] {
        held.record(Interval::Minute, &[a_candle(month, ["1"; 4])]).await.unwrap();
    }
    let plan = "EXPLAIN SELECT * FROM price_candles_1m WHERE symbol = 'BTC' AND open_at >= '2026-02-15T00:00Z'::timestamptz
        AND open_at < '2026-02-16T00:00Z'::timestamptz ORDER BY open_at LIMIT 1000";
    let plan = texts(&connection, plan).await.join("\n");
    assert!(plan.contains("2026_02") && !plan.contains("2026_01") && !plan.contains("2026_03"), "{plan}");
}

/// What a report does: it begins to read and goes on for long.
#[tokio::test]
async fn a_month_goes_without_breaking_a_long_reader_or_holding_up_others() {
    let held = on_postgres().await;
    let old = a_candle(datetime!(2024-05-05 0:00 UTC), ["1"; 4]);
    let new = a_candle(datetime!(2026-05-05 0:00 UTC), ["2"; 4]);
    held.record(Interval::Minute, &[old.clone(), new.clone(), a_still_candle("ETH", old.candle.open_at, "3")]).await.unwrap();
    let connection = held.place.operator().await;
    let reader = connection.begin().await.unwrap();
    let all = "SELECT CAST(open AS text) FROM price_candles_1m ORDER BY open";
    assert_eq!(texts(&reader, all).await, ["1", "2", "3"]);

    let before = datetime!(2025-05-05 0:00 UTC);
    let query = CandleQuery {
        symbol: Symbol::btc(),
        interval: Interval::Minute,
        span: Span { from: old.candle.open_at, to: new.candle.open_at + Duration::MINUTE },
        limit: 10,
        keep: Keep::Oldest,
        now: new.candle.open_at + Duration::DAY,
    };
    let pruning = async {
        for _ in 0..5 {
            assert_eq!(held.prune(Interval::Minute, before, 10).await.unwrap(), Pruned::Busy);
        }
    };
    let others = async {
        for _ in 0..20 {
            let read = tokio::time::timeout(StdDuration::from_millis(500), held.read(&query)).await;
            assert_eq!(read.unwrap().unwrap().len(), 2, "a reader that comes meanwhile");
        }
    };
    tokio::join!(pruning, others);
    assert_eq!(texts(&reader, all).await, ["1", "2", "3"], "the long reader reads on");
    reader.commit().await.unwrap();
    assert_eq!(held.prune(Interval::Minute, before, 10).await.unwrap(), Pruned::Done);
    assert_eq!(held.read(&query).await.unwrap(), [new]);
    assert_eq!(months(&connection, "1m").await, ["2026_05"]);
}

/// What stands for `TimescaleDB`'s continuous aggregates here: views that say the same, in PostgreSQL's own words.
#[tokio::test]
async fn where_the_database_rolls_up_what_it_made_is_read_and_what_was_written_comes_first() {
    let held = on_postgres().await;
    assert!(!held.rolls_up().await.unwrap());
    let connection = held.place.operator().await;
    for (kind, length) in [("5m", "5 minutes"), ("1h", "1 hour"), ("1d", "1 day")] {
        let view = format!(
            "CREATE VIEW price_candles_{kind}_rolled AS SELECT date_bin('{length}', open_at, '2000-01-01T00:00Z') AS open_at, symbol,
             (array_agg(open ORDER BY open_at))[1] AS open, max(high) AS high, min(low) AS low,
             (array_agg(close ORDER BY open_at DESC))[1] AS close, sum(volume) AS volume,
             (array_agg(origin ORDER BY open_at))[1] AS origin FROM price_candles_1m GROUP BY 1, 2"
        );
        connection.execute_unprepared(&view).await.unwrap();
    }
    let store = SqlCandles::new(held.place.database().await);
    assert!(store.rolls_up().await.unwrap());
    let noon = datetime!(2026-01-01 12:00 UTC);
    let minutes = [a_candle(noon, ["5", "9", "4", "6"]), a_candle(noon + Duration::minutes(61), ["6", "7", "2", "3"])];
    store.record(Interval::Minute, &minutes).await.unwrap();
    let kept = a_candle(noon + Duration::HOUR, ["6", "8", "1", "3"]);
    store.replace(Interval::Hour, std::slice::from_ref(&kept)).await.unwrap();
    let read = async |interval| {
        let span = Span { from: datetime!(2026-01-01 0:00 UTC), to: datetime!(2026-01-02 0:00 UTC) };
        let query = CandleQuery { symbol: Symbol::btc(), interval, span, limit: 9, keep: Keep::Newest, now: span.to };
        store.read(&query).await.unwrap()
    };
    assert_eq!(read(Interval::Hour).await, [minutes[0].clone(), kept]);
    assert_eq!(read(Interval::Day).await, [a_candle(datetime!(2026-01-01 0:00 UTC), ["5", "9", "2", "3"])]);
    assert_eq!(read(Interval::FiveMinutes).await.len(), 2);
    assert_eq!(read(Interval::Minute).await, minutes);
    assert_eq!(store.newest(&Symbol::btc(), Interval::Day).await.unwrap(), Some(datetime!(2026-01-01 0:00 UTC)));
}

/// What `dev --feed simulated` and `dev` do in one folder, one after the other.
async fn made_up_and_real_history_know_nothing_of_each_other(place: databases::Place) {
    let real = SqlCandles::new(place.database().await);
    let made_up = SqlCandles::made_up(place.database().await);
    let at = datetime!(2026-11-22 4:00 UTC);
    made_up.record(Interval::Minute, &[a_candle(at, ["64105.36"; 4])]).await.unwrap();
    assert!(!real.knows(&Symbol::btc()).await.unwrap());
    real.record(Interval::Minute, &[a_candle(at, ["97012.5"; 4]), a_still_candle("ETH", at, "3500")]).await.unwrap();
    made_up.record(Interval::Minute, &[a_candle(at, ["64107.5"; 4])]).await.unwrap();

    let span = Span { from: at, to: at + Duration::HOUR };
    let opens = async |store: &SqlCandles| {
        let symbols = [Symbol::btc(), Symbol::try_new("ETH").unwrap()];
        let all = store.read_all(&symbols, Interval::Minute, span, span.to).await.unwrap();
        all.iter()
            .map(|record| format!("{} {} {}", record.symbol, record.candle.open.usd(), record.candle.high.usd()))
            .collect::<Vec<_>>()
    };
    assert_eq!(opens(&real).await, ["BTC 97012.5 97012.5", "ETH 3500 3500"]);
    assert_eq!(opens(&made_up).await, ["BTC 64105.36 64107.5"]);
    let (symbol, keep) = (Symbol::btc(), Keep::Newest);
    let query = CandleQuery { symbol, interval: Interval::Minute, span, limit: 9, keep, now: span.to };
    let page = made_up.read(&query).await.unwrap();
    assert_eq!((page.len(), page[0].symbol.as_str()), (1, "BTC"));
    assert_eq!(made_up.newest(&Symbol::try_new("ETH").unwrap(), Interval::Minute).await.unwrap(), None);
    assert_eq!(made_up.newest(&Symbol::btc(), Interval::Minute).await.unwrap(), Some(at));
    assert_eq!(made_up.missing(&Symbol::btc(), Interval::Minute, span).await.unwrap()[0].from, at + Duration::MINUTE);
}

#[tokio::test]
async fn made_up_and_real_history_know_nothing_of_each_other_on_sqlite() {
    made_up_and_real_history_know_nothing_of_each_other(databases::on_sqlite().await).await;
}

#[tokio::test]
async fn made_up_and_real_history_know_nothing_of_each_other_on_postgres() {
    made_up_and_real_history_know_nothing_of_each_other(databases::on_postgres().await).await;
}
