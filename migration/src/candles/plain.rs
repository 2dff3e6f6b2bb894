//! Candles on PostgreSQL without `TimescaleDB`, and on SQLite.

use std::fmt::Write as _;

use super::{BY_MONTH, FOR_EVER, columns};
use crate::exact_types::{NUMERIC, TIMESTAMP};

/// Run as the tables' owner, so that a role that may only change rows can have months made and dropped. The schema is written into
/// them: nothing that their caller can create comes first in the search path.
///
/// Whether a month is there is read from the catalogue: `to_regclass` may answer from before the lock was waited for. A month is made
/// beside the table and attached to it, which waits for no reader; one is dropped only if nobody reads the table at that moment:
/// whoever comes meanwhile waits for a twentieth of a second at most.
const FUNCTIONS: &str = r"
DO $do$ BEGIN EXECUTE format($create$
CREATE FUNCTION price_candles_ensure_month(kind text, moment timestamptz) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, %1$I, pg_temp SET lock_timeout = '1s' AS $body$
DECLARE
    starts timestamp := date_trunc('month', moment AT TIME ZONE 'UTC');
    parent text := 'price_candles_' || kind;
    month text := parent || '_' || to_char(starts, 'YYYY_MM');
BEGIN
    IF kind IS NULL OR kind NOT IN ('1m', '5m', '1h') OR moment IS NULL OR starts NOT BETWEEN '1970-01-01' AND '9999-01-01' THEN
        RAISE EXCEPTION 'there are no months of that';
    END IF;
    IF EXISTS (SELECT FROM pg_class WHERE relname = month AND relnamespace = quote_ident(%1$L)::regnamespace) THEN
        RETURN false;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('price_candles_months', 0));
    IF EXISTS (SELECT FROM pg_class WHERE relname = month AND relnamespace = quote_ident(%1$L)::regnamespace) THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %%1$I.%%2$I (LIKE %%1$I.%%3$I INCLUDING INDEXES)', %1$L, month, parent);
    EXECUTE format('ALTER TABLE %%1$I.%%3$I ATTACH PARTITION %%1$I.%%2$I FOR VALUES FROM (%%4$L) TO (%%5$L)', %1$L, month, parent,
        to_char(starts, 'YYYY-MM-DD+00'), to_char(starts + interval '1 month', 'YYYY-MM-DD+00'));
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'coinlink_app') THEN
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %%I.%%I TO coinlink_app', %1$L, month);
    END IF;
    RETURN true;
END $body$ $create$, current_schema()); END $do$;

DO $do$ BEGIN EXECUTE format($create$
CREATE FUNCTION price_candles_drop_month(kind text, before timestamptz) RETURNS text LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, %1$I, pg_temp SET lock_timeout = '50ms' AS $body$
DECLARE
    months text[];
BEGIN
    IF kind IS NULL OR kind NOT IN ('1m', '5m', '1h') OR before IS NULL THEN
        RAISE EXCEPTION 'there are no months of that';
    END IF;
    SELECT array_agg(c.relname::text ORDER BY c.relname) INTO months
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = format('%%I.%%I', %1$L, 'price_candles_' || kind)::regclass
        AND to_date(right(c.relname, 7), 'YYYY_MM') + interval '1 month' <= before AT TIME ZONE 'UTC';
    IF months IS NULL THEN
        RETURN 'none';
    END IF;
    BEGIN
        EXECUTE format('DROP TABLE %%I.%%I', %1$L, months[1]);
    EXCEPTION WHEN lock_not_available THEN
        RETURN 'busy';
    END;
    RETURN CASE WHEN cardinality(months) > 1 THEN 'more' ELSE 'none' END;
END $body$ $create$, current_schema()); END $do$;
REVOKE ALL ON FUNCTION price_candles_ensure_month(text, timestamptz) FROM PUBLIC;
REVOKE ALL ON FUNCTION price_candles_drop_month(text, timestamptz) FROM PUBLIC;
";

/// Months are made as they are needed and a few ahead.
pub(crate) fn postgres() -> String {
    let columns = columns("timestamptz", NUMERIC);
    let mut sql = format!("CREATE TABLE price_candles_{FOR_EVER} ({columns});");
    for kind in BY_MONTH {
        // Writing to a String does not fail.
        let _ = write!(
            sql,
            "CREATE TABLE price_candles_{kind} ({columns}) PARTITION BY RANGE (open_at);
             CREATE INDEX price_candles_{kind}_open_at ON price_candles_{kind} USING brin (open_at);"
        );
    }
    sql + FUNCTIONS
}

/// A table is its own index by asset and time; the other one is for removing what is old.
pub(crate) fn sqlite() -> String {
    let columns = columns(TIMESTAMP, NUMERIC);
    let mut sql = String::new();
    for kind in BY_MONTH.into_iter().chain([FOR_EVER]) {
        let _ = write!(
            sql,
            "CREATE TABLE price_candles_{kind} ({columns}) WITHOUT ROWID;
             CREATE INDEX price_candles_{kind}_open_at ON price_candles_{kind} (open_at);"
        );
    }
    sql
}
