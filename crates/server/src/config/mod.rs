//! Settings: from the defaults in `config/default.toml` through files and variables to flags.

mod by_mode;
mod dev_secrets;
mod kind;
mod layers;
mod problem;
pub mod reference;
mod registry;
mod report;
mod settings;
#[cfg(test)]
mod tests;

pub use dev_secrets::DevSecretError;
pub use layers::{Loaded, Origin, Sources, load};
pub use problem::{ConfigError, Problem, key_bytes, keys_bytes};
pub use settings::{
    Assistant, Auth, CoinGecko, Coinbase, Database, ForwardedHeader, Kraken, Log, LogFormat, Mail, Metrics, Mode, News,
    Observability, Plan, RateLimits, Redis, Sentiment, Server, Settings, Ticker, Ws,
};
