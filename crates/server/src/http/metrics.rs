//! `GET /metrics`.

use actix_web::{HttpResponse, http::header, web::Data};

use super::{ApiError, error_codes};
use crate::telemetry::Metrics;

/// Every metric, in Prometheus's text format. On a port of its own when `METRICS_ADDR` is set.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "operations",
    responses((status = 200, description = "Metrics", content_type = "text/plain; version=0.0.4"))
)]
pub(super) async fn scrape(metrics: Data<Metrics>) -> Result<HttpResponse, ApiError> {
    let text = metrics.render().map_err(|error| ApiError::new(error_codes::INTERNAL_ERROR).caused_by(error))?;
    Ok(HttpResponse::Ok().content_type(prometheus::TEXT_FORMAT).insert_header((header::CACHE_CONTROL, "no-store")).body(text))
}
