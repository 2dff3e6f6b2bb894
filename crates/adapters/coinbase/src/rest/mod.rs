//! Coinbase Exchange over REST: one call a product.

mod pacing;
mod prices;
mod stats;

pub use prices::{CoinbasePrices, CoinbaseSettings};
