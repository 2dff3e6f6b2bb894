//! Coinbase Exchange over REST: one call a product.

mod candles;
mod pacing;
mod prices;
mod stats;

pub use candles::CoinbaseCandles;
pub use prices::{CoinbasePrices, CoinbaseSettings};
