//! Prices from Coinbase Exchange: asked for product by product over REST, and told by its public socket.
//!
//! Facts: <https://docs.cdp.coinbase.com/exchange>. No key is needed for either.

mod live;
mod product;
mod rest;

pub use live::{CoinbaseLiveFeed, LiveSettings};
pub use rest::{CoinbaseCandles, CoinbasePrices, CoinbaseSettings};
