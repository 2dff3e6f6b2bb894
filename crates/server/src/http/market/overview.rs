//! `GET /api/v2/market/stats` and `/trending`: the whole market's figures, and what people search for.

use actix_web::web::{Data, Query};
use coinlink_application::market::{ReadMarketStats, ReadTrending, ShownBulletin};
use coinlink_domain::market::{MarketTotals, Percent, Price, Trending, TrendingAsset};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    http::{ApiError, Conditional, conditional::Unchanged, error_codes, lists::read_number},
    wire::{exact, exact_option, millis, rfc3339},
};

const LIMIT: usize = 10;
const MOST: usize = 50;
/// Both are shown to the minute, and fetched every ten minutes at most.
const CACHE: &str = "public, max-age=60";
/// A node that has just started looks within this many seconds.
const LOOKS_WITHIN: u32 = 15;

/// The whole market's figures.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct MarketStatsBody {
    /// Market capitalisation of all assets, US dollars.
    #[serde(serialize_with = "exact")]
    #[schema(value_type = f64, minimum = 0)]
    total_market_cap: Decimal,
    /// What was traded in 24 hours, US dollars.
    #[serde(serialize_with = "exact")]
    #[schema(value_type = f64, minimum = 0)]
    total_volume_24h: Decimal,
    /// Bitcoin's share of the market capitalisation, percent.
    #[serde(serialize_with = "exact")]
    #[schema(value_type = f64, minimum = 0, maximum = 100)]
    bitcoin_dominance: Decimal,
    /// Assets that are traded.
    active_cryptocurrencies: u32,
    /// When the source says it was so.
    #[schema(format = DateTime)]
    last_updated: String,
    /// Who says so.
    source: &'static str,
    /// When this was made, to the minute.
    #[schema(format = DateTime)]
    timestamp: String,
    /// When it was fetched.
    #[schema(format = DateTime)]
    fetched_at: String,
    /// Milliseconds between `fetched_at` and `timestamp`.
    age_ms: i64,
    /// Fetching it fails: these are the last known figures.
    stale: bool,
}

impl MarketStatsBody {
    fn new(shown: &ShownBulletin<MarketTotals>) -> Self {
        let totals = &shown.bulletin.content;
        Self {
            total_market_cap: totals.market_cap,
            total_volume_24h: totals.volume_24h,
            bitcoin_dominance: totals.bitcoin_dominance.value(),
            active_cryptocurrencies: totals.active_assets,
            last_updated: rfc3339(totals.as_of),
            source: totals.source.name(),
            timestamp: rfc3339(shown.at),
            fetched_at: rfc3339(shown.bulletin.fetched_at),
            age_ms: millis(shown.age),
            stale: shown.stale,
        }
    }
}

/// An asset that many people search for.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct TrendingLine {
    /// The source's name of it: `bitcoin`.
    id: String,
    /// `BTC`, `ETH`, …
    symbol: String,
    /// For people.
    name: String,
    /// US dollars, every digit the source gave; null where it does not say.
    #[serde(serialize_with = "exact_option")]
    #[schema(value_type = Option<f64>, exclusive_minimum = 0)]
    price: Option<Decimal>,
    /// Percent over the last 24 hours; null where the source does not say.
    #[serde(serialize_with = "exact_option")]
    #[schema(value_type = Option<f64>)]
    change_24h: Option<Decimal>,
    /// Place by market capitalisation; null where it has none.
    #[schema(minimum = 1)]
    rank: Option<u32>,
    /// Who says so.
    source: &'static str,
    /// When it was fetched.
    #[schema(format = DateTime)]
    fetched_at: String,
    /// Milliseconds since then, to the minute.
    age_ms: i64,
    /// Fetching the list fails: this is the last known one.
    stale: bool,
}

impl TrendingLine {
    fn new(asset: &TrendingAsset, shown: &ShownBulletin<Trending>) -> Self {
        Self {
            id: asset.id.as_ref().to_owned(),
            symbol: asset.symbol.as_str().to_owned(),
            name: asset.name.as_ref().to_owned(),
            price: asset.price.map(Price::usd),
            change_24h: asset.change_24h.map(Percent::value),
            rank: asset.rank,
            source: shown.bulletin.content.source.name(),
            fetched_at: rfc3339(shown.bulletin.fetched_at),
            age_ms: millis(shown.age),
            stale: shown.stale,
        }
    }
}

/// How many assets.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct TrendingQuery {
    /// At most so many.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 50, default = 10)]
    limit: Option<String>,
}

fn not_known_yet() -> ApiError {
    ApiError::new(error_codes::NOT_KNOWN_YET).retry_after(LOOKS_WITHIN)
}

/// The whole market's figures.
#[utoipa::path(
    get,
    path = "/api/v2/market/stats",
    tag = "market",
    operation_id = "market_stats",
    responses(
        (status = 200, description = "The newest that are known", body = MarketStatsBody),
        Unchanged,
        (status = 503, description = "`not_known_yet`: none were ever fetched")
    )
)]
pub(in crate::http) async fn stats(read: Data<ReadMarketStats>) -> Result<Conditional, ApiError> {
    let shown = read.execute().ok_or_else(not_known_yet)?;
    Ok(Conditional::shared("stats", &MarketStatsBody::new(&shown), CACHE))
}

/// What people search for, the most wanted first.
#[utoipa::path(
    get,
    path = "/api/v2/market/trending",
    tag = "market",
    operation_id = "market_trending",
    params(TrendingQuery),
    responses(
        (status = 200, description = "The newest that is known", body = Vec<TrendingLine>),
        Unchanged,
        (status = 400, description = "`invalid_query`: `limit` is not 1 to 50"),
        (status = 503, description = "`not_known_yet`: none was ever fetched")
    )
)]
pub(in crate::http) async fn trending(read: Data<ReadTrending>, query: Query<TrendingQuery>) -> Result<Conditional, ApiError> {
    let limit = read_number("limit", query.limit.as_deref(), LIMIT, 1..=MOST)?;
    let shown = read.execute().ok_or_else(not_known_yet)?;
    let lines: Vec<_> = shown.bulletin.content.assets.iter().take(limit).map(|asset| TrendingLine::new(asset, &shown)).collect();
    Ok(Conditional::shared("trending", &lines, CACHE))
}
