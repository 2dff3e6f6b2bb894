//! Prices from Kraken's public REST API: all pairs in one call, under Kraken's own asset names.
//!
//! Facts: <https://docs.kraken.com/api/docs/rest-api/get-ticker-information>. Errors arrive with status 200.

mod candles;
mod errors;
mod names;
mod prices;
mod ticker;

pub use candles::KrakenCandles;
pub use prices::{KrakenPrices, KrakenSettings};
