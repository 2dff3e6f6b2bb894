//! `GET /api/bitcoin/market-summary`: bitcoin's last 24 hours.

use actix_web::web::Data;
use coinlink_application::market::ReadPrices;
use coinlink_domain::market::{Percent, Price, TickItem};
use rust_decimal::Decimal;
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::{
    http::{ApiError, Conditional, conditional::Unchanged, error_codes},
    wire::{exact, exact_option, rfc3339},
};

const CACHE: &str = "public, max-age=30";

/// Bitcoin's last 24 hours.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct SummaryBody {
    /// The figures.
    data: SummaryData,
    /// When the list of prices was published, RFC 3339.
    #[schema(format = DateTime)]
    timestamp: String,
}

/// The figures. What the source does not say is null.
#[derive(Serialize, ToSchema)]
struct SummaryData {
    /// US dollars.
    #[serde(serialize_with = "exact")]
    #[schema(value_type = f64, exclusive_minimum = 0)]
    price: Decimal,
    /// Percent over the last 24 hours.
    #[serde(serialize_with = "exact_option")]
    #[schema(value_type = Option<f64>)]
    change_24h: Option<Decimal>,
    /// The highest price of the last 24 hours, US dollars.
    #[serde(serialize_with = "exact_option")]
    #[schema(value_type = Option<f64>)]
    high_24h: Option<Decimal>,
    /// The lowest one.
    #[serde(serialize_with = "exact_option")]
    #[schema(value_type = Option<f64>)]
    low_24h: Option<Decimal>,
    /// US dollars traded in the last 24 hours.
    #[serde(serialize_with = "exact_option")]
    #[schema(value_type = Option<f64>)]
    volume_24h: Option<Decimal>,
    /// US dollars.
    #[serde(serialize_with = "exact_option")]
    #[schema(value_type = Option<f64>)]
    market_cap: Option<Decimal>,
    /// Carried from before, or older than its source promises.
    stale: bool,
    /// Who says so.
    source: &'static str,
    /// When it was so, RFC 3339.
    #[schema(format = DateTime)]
    as_of: String,
}

impl SummaryBody {
    fn new(TickItem { quote, stale }: &TickItem, published_at: OffsetDateTime) -> Self {
        let data = SummaryData {
            price: quote.price.usd(),
            change_24h: quote.change_24h.map(Percent::value),
            high_24h: quote.high_24h.map(Price::usd),
            low_24h: quote.low_24h.map(Price::usd),
            volume_24h: quote.volume_24h,
            market_cap: quote.market_cap,
            stale: *stale,
            source: quote.source.name(),
            as_of: rfc3339(quote.as_of),
        };
        Self { data, timestamp: rfc3339(published_at) }
    }
}

/// Bitcoin's last 24 hours in figures.
#[utoipa::path(
    get,
    path = "/api/bitcoin/market-summary",
    tag = "market",
    responses(
        (status = 200, description = "The figures", body = SummaryBody),
        Unchanged,
        (status = 503, description = "`price_unavailable`: no price of bitcoin was ever known")
    )
)]
pub(in crate::http) async fn market_summary(use_case: Data<ReadPrices>) -> Result<Conditional, ApiError> {
    match use_case.bitcoin() {
        Some((line, published_at)) => Ok(Conditional::shared("summary", &SummaryBody::new(&line, published_at), CACHE)),
        None => Err(ApiError::new(error_codes::PRICE_UNAVAILABLE).retry_after(5)),
    }
}
