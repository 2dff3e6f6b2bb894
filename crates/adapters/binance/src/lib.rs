//! Past prices from Binance: `/api/v3/klines`.
//!
//! Facts: <https://developers.binance.com/docs/binance-spot-api-docs>. Its markets are in USDT, not in US dollars, which every candle of
//! it says by its origin; nobody asks it unless the settings name it.

mod candles;
mod errors;

pub use candles::{BinanceCandles, BinanceSettings};
