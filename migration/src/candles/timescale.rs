//! Candles where `TimescaleDB` is installed in the database: hypertables, compressed after seven days, and continuous aggregates that
//! make longer candles of minutes. The functions have the same names as without it, so that whoever writes and prunes need not ask.

use std::fmt::Write as _;

use sea_orm_migration::{
    prelude::*,
    sea_orm::{ConnectionTrait, DbBackend, Statement},
};

use super::{FOR_EVER, columns};

/// The schema its functions are in. Without its community licence it neither compresses nor aggregates: then it is no help here.
const INSTALLED: &str = "SELECT quote_ident(n.nspname) FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
    WHERE e.extname = 'timescaledb' AND current_setting('timescaledb.license', true) = 'timescale'";

/// Interval, length and chunk: what is in memory of one is what is being written and read most.
const CHUNKS: [(&str, &str); 3] = [("1m", "7 days"), ("5m", "1 month"), ("1h", "1 year")];
/// What longer candles are made of minutes for, and how long each is.
const ROLLED: [(&str, &str); 3] = [("5m", "5 minutes"), ("1h", "1 hour"), ("1d", "1 day")];

/// Chunks make themselves. Only what is older than the retention of minutes goes, and aggregates are not made anew of what is gone:
/// they look thirty days back.
const FUNCTIONS: &str = r"
DO $do$ BEGIN EXECUTE format($create$
CREATE FUNCTION price_candles_ensure_month(kind text, moment timestamptz) RETURNS boolean LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, %1$I, pg_temp AS $body$ SELECT false $body$ $create$, current_schema()); END $do$;
DO $do$ BEGIN EXECUTE format($create$
CREATE FUNCTION price_candles_drop_month(kind text, before timestamptz) RETURNS text LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, %1$I, pg_temp SET lock_timeout = '50ms' AS $body$
BEGIN
    IF kind IS NULL OR kind NOT IN ('1m', '5m', '1h') OR before IS NULL THEN
        RAISE EXCEPTION 'there are no months of that';
    END IF;
    PERFORM {ts}.drop_chunks(format('%%I.%%I', %1$L, 'price_candles_' || kind)::regclass, older_than => before);
    RETURN 'none';
EXCEPTION WHEN lock_not_available THEN
    RETURN 'busy';
END $body$ $create$, current_schema()); END $do$;
REVOKE ALL ON FUNCTION price_candles_ensure_month(text, timestamptz) FROM PUBLIC;
REVOKE ALL ON FUNCTION price_candles_drop_month(text, timestamptz) FROM PUBLIC;
";

/// The schema of `TimescaleDB`'s functions, where it is installed with all it can do.
pub(crate) async fn schema(connection: &impl ConnectionTrait) -> Result<Option<String>, DbErr> {
    let row = connection.query_one_raw(Statement::from_string(DbBackend::Postgres, INSTALLED)).await?;
    row.map(|row| row.try_get_by_index(0)).transpose()
}

/// What makes the tables; `ts` is the schema of its functions.
pub(crate) fn postgres(ts: &str) -> String {
    let columns = columns("timestamptz", "numeric");
    let mut sql = format!("CREATE TABLE price_candles_{FOR_EVER} ({columns});");
    for (kind, chunk) in CHUNKS {
        // Writing to a String does not fail.
        let _ = write!(
            sql,
            "CREATE TABLE price_candles_{kind} ({columns});
             SELECT {ts}.create_hypertable('price_candles_{kind}', 'open_at', chunk_time_interval => INTERVAL '{chunk}',
                 create_default_indexes => false);
             ALTER TABLE price_candles_{kind} SET (timescaledb.compress, timescaledb.compress_segmentby = 'symbol',
                 timescaledb.compress_orderby = 'open_at');
             SELECT {ts}.add_compression_policy('price_candles_{kind}', INTERVAL '7 days');"
        );
    }
    for (kind, length) in ROLLED {
        let _ = write!(
            sql,
            "CREATE MATERIALIZED VIEW price_candles_{kind}_rolled
                 WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
             SELECT {ts}.time_bucket(INTERVAL '{length}', open_at) AS open_at, symbol, {ts}.first(open, open_at) AS open,
                 max(high) AS high, min(low) AS low, {ts}.last(close, open_at) AS close, sum(volume) AS volume,
                 {ts}.first(origin, open_at) AS origin
             FROM price_candles_1m GROUP BY 1, 2 WITH NO DATA;
             SELECT {ts}.add_continuous_aggregate_policy('price_candles_{kind}_rolled', start_offset => INTERVAL '30 days',
                 end_offset => INTERVAL '{length}', schedule_interval => INTERVAL '{length}');"
        );
    }
    sql + &FUNCTIONS.replace("{ts}", ts)
}

/// What takes the aggregates away; the tables go as they do without it.
pub(crate) fn drop_views() -> String {
    ROLLED.iter().fold(String::new(), |sql, (kind, _)| sql + &format!("DROP MATERIALIZED VIEW price_candles_{kind}_rolled; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::candles::BY_MONTH;

    #[test]
    fn each_interval_gets_what_the_retention_and_the_store_look_for() {
        let sql = postgres("public");
        for kind in BY_MONTH {
            assert!(sql.contains(&format!("public.create_hypertable('price_candles_{kind}', 'open_at'")), "{kind}");
            assert!(sql.contains(&format!("public.add_compression_policy('price_candles_{kind}', INTERVAL '7 days')")), "{kind}");
        }
        for (kind, _) in ROLLED {
            assert!(sql.contains(&format!("CREATE MATERIALIZED VIEW price_candles_{kind}_rolled")), "{kind}");
        }
        assert!(sql.contains("public.drop_chunks") && !sql.contains("{ts}"));
        assert!(!sql.contains("PARTITION BY"));
    }
}
