//! The shapes of bodies that are not made by serialising a type of their own, for the OpenAPI document. A test holds them
//! against real answers.

use std::collections::BTreeMap;

use utoipa::ToSchema;

/// The body of every error.
#[derive(ToSchema)]
pub struct ErrorBody {
    pub error: ErrorFields,
    /// The same as `error.message`.
    pub detail: String,
}

/// What went wrong.
#[derive(ToSchema)]
pub struct ErrorFields {
    /// What kind of error it is; stays the same.
    pub code: String,
    /// For people; may change.
    pub message: String,
    /// By field: what is wrong with it.
    pub details: BTreeMap<String, String>,
    /// Leads us to the request.
    #[schema(format = Uuid)]
    pub trace_id: String,
}

/// The ticker as REST tells it.
#[derive(ToSchema)]
pub struct TickerBody {
    /// Sorted by rank; empty only while nothing was ever known.
    pub data: Vec<TickerLine>,
    /// When this was made, RFC 3339.
    #[schema(format = DateTime)]
    pub timestamp: String,
    /// Replayed, older than its source promises, or nothing was ever known.
    pub stale: bool,
    /// Whose list it is: `coingecko`, `coinbase`, `kraken` or `simulated`.
    pub source: Option<String>,
    /// When the source says it was so.
    #[schema(format = DateTime)]
    pub as_of: Option<String>,
    /// Milliseconds between `as_of` and `timestamp`.
    pub age_ms: Option<i64>,
    /// The leader that published it; 0 of last known prices that this node recalled.
    pub epoch: Option<u64>,
    /// Its place in that leader's order.
    pub seq: Option<u64>,
}

/// One asset.
#[derive(ToSchema)]
pub struct TickerLine {
    /// `BTC`, `ETH`, …
    pub symbol: String,
    /// US dollars, every digit the source gave.
    #[schema(exclusive_minimum = 0)]
    pub price: f64,
    /// Percent over the last 24 hours; null where the source does not say.
    pub change_24h: Option<f64>,
    /// Place by market capitalisation; on all lines or on none.
    pub rank: Option<u32>,
    /// Who says so.
    pub source: String,
    /// When it was so.
    #[schema(format = DateTime)]
    pub as_of: String,
    /// Carried from before, or older than its source promises.
    pub stale: bool,
}

/// The price of bitcoin.
#[derive(ToSchema)]
pub struct BitcoinBody {
    /// The price.
    pub data: BitcoinPrice,
}

/// The price of bitcoin.
#[derive(ToSchema)]
pub struct BitcoinPrice {
    /// US dollars.
    #[schema(exclusive_minimum = 0)]
    pub price: f64,
    /// Percent over the last 24 hours.
    pub change_24h: Option<f64>,
    /// US dollars traded in the last 24 hours.
    pub volume_24h: Option<f64>,
    /// When this was made.
    #[schema(format = DateTime)]
    pub timestamp: String,
    /// Who says so.
    pub source: String,
    /// When it was so.
    #[schema(format = DateTime)]
    pub as_of: String,
    /// Milliseconds between `as_of` and `timestamp`.
    pub age_ms: i64,
    /// Carried from before, or older than its source promises.
    pub stale: bool,
}
