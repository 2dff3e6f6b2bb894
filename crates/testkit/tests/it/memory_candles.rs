//! The fake keeps the contract that the SQL store keeps.

coinlink_testkit::candles_contract!(std::sync::Arc::new(coinlink_testkit::market::MemoryCandles::default()));
