//! The market's use cases, on virtual time.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bulletins;
mod collect_quotes;
mod fill_history;
mod follow_ticker;
mod lead_ticker;
mod read_candles;
mod read_prices;
mod read_sentiment;
mod record_candles;
mod support;
