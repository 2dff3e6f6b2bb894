//! Prices from CoinGecko: the universe, ranks and 24-hour changes; the whole market's figures, and what people search for.
//!
//! Facts: <https://docs.coingecko.com>, `/coins/markets`, cached by them for 60 s (45 s on paid plans).

mod candles;
mod errors;
mod global;
mod overview;
mod prices;
mod row;
mod settings;
mod wanted;

pub use candles::CoinGeckoCandles;
pub use overview::CoinGeckoOverview;
pub use prices::CoinGeckoPrices;
pub use settings::{CoinGeckoSettings, Plan};
