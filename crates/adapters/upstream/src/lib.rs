//! What every provider adapter needs to ask an outside service over HTTP: a client of its own with a time-out, a
//! bulkhead and a size cap; failures sorted into the domain's classes and cleared of keys; JSON read without trusting it.
//!
//! The one crate that adapters share. It knows no provider.

mod body;
mod candle_row;
mod classify;
mod client;
mod exact_decimal;
mod plain_text;
mod scrub;
mod settings;
mod socket;
mod streamed;
mod tolerant;

pub use body::Body;
pub use candle_row::candle_row;
pub use classify::{ErrorReader, ProviderError, graver};
pub use client::Upstream;
pub use exact_decimal::ExactDecimal;
pub use plain_text::plain_text;
pub use reqwest::header::HeaderName;
pub use settings::{ApiKey, InvalidSettings, UpstreamSettings};
pub use socket::{Socket, SocketConnector, SocketSettings};
pub use streamed::Streamed;
pub use tolerant::{instant, lenient, rows};

/// How this program names itself to providers: some refuse requests without a name.
pub const USER_AGENT: &str = concat!("CoinLink/", env!("CARGO_PKG_VERSION"));
