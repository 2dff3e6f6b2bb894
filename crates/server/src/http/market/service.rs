//! `GET /api/v2/market/health`: whether the market's routes have something to say.

use actix_web::web::Data;
use coinlink_application::market::ReadPrices;
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::{
    http::{ENDPOINTS, private::private},
    wire::rfc3339,
};

/// How the market's routes are.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct MarketHealthBody {
    /// `healthy`, or `degraded` while prices are stale or none is known yet.
    status: &'static str,
    /// `market`.
    service: &'static str,
    /// When this was made, RFC 3339.
    #[schema(format = DateTime)]
    timestamp: String,
    /// The routes under `/api/v2/market`.
    endpoints: Vec<&'static str>,
}

/// Whether prices come, and what else there is.
#[utoipa::path(
    get,
    path = "/api/v2/market/health",
    tag = "market",
    responses((status = 200, description = "How it is", body = MarketHealthBody))
)]
pub(in crate::http) async fn market_health(use_case: Data<ReadPrices>) -> actix_web::HttpResponse {
    let fresh = use_case.bitcoin().is_some_and(|(line, _)| !line.stale);
    private(MarketHealthBody {
        status: if fresh { "healthy" } else { "degraded" },
        service: "market",
        timestamp: rfc3339(OffsetDateTime::now_utc()),
        endpoints: ENDPOINTS.iter().map(|endpoint| endpoint.path).filter(|path| path.starts_with("/api/v2/market/")).collect(),
    })
}
