mod candle_rows;
mod candle_sql;
mod candles;
mod history_gaps;
mod last_known_prices;
mod quote_row;

pub use candles::SqlCandles;
pub use history_gaps::SqlHistoryGaps;
pub use last_known_prices::SqlLastKnownPrices;
