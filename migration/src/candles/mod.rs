//! Where candles are kept: one table an interval, so that minutes can go without what is kept for longer.

pub(crate) mod plain;
pub(crate) mod timescale;

/// Intervals whose candles are kept by the month, the shortest first.
pub(crate) const BY_MONTH: [&str; 3] = ["1m", "5m", "1h"];
/// Kept for ever in one table: fifty assets make 18,000 rows a year.
pub(crate) const FOR_EVER: &str = "1d";

/// The columns of each of the tables; `open_at` first and no column for what follows from another one, because there are very many rows.
pub(crate) fn columns(timestamp: &str, numeric: &str) -> String {
    format!(
        "open_at {timestamp} NOT NULL, symbol text NOT NULL, open {numeric} NOT NULL, high {numeric} NOT NULL, \
         low {numeric} NOT NULL, close {numeric} NOT NULL, volume {numeric}, origin text NOT NULL, PRIMARY KEY (symbol, open_at)"
    )
}
