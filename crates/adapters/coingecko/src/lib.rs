//! Prices from CoinGecko: the universe, ranks and 24-hour changes.
//!
//! Facts: <https://docs.coingecko.com>, `/coins/markets`, cached by them for 60 s (45 s on paid plans).

mod errors;
mod prices;
mod row;
mod settings;

pub use prices::CoinGeckoPrices;
pub use settings::{CoinGeckoSettings, Plan};
