//! `GET /metrics` for Prometheus, `GET /api/metrics` for front ends.

use actix_web::{HttpResponse, http::header, web::Data};
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::{ApiError, ENDPOINTS, error_codes, private::private};
use crate::{telemetry::Metrics, wire::rfc3339, ws::Connections};

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

/// This node in a few numbers.
#[derive(Serialize, ToSchema)]
pub(super) struct NodeMetricsBody {
    #[schema(format = DateTime)]
    pub timestamp: String,
    /// Always `coinlink`.
    pub service: &'static str,
    /// Which release this is.
    pub version: &'static str,
    pub metrics: NodeMetrics,
}

/// By what they are about.
#[derive(Serialize, ToSchema)]
pub(super) struct NodeMetrics {
    pub websocket: WebsocketMetrics,
    pub database: DatabaseMetrics,
    pub system: SystemMetrics,
}

/// Open sockets.
#[derive(Serialize, ToSchema)]
pub(super) struct WebsocketMetrics {
    pub total_connections: usize,
    pub authenticated_connections: usize,
    /// Channels somebody listens to: the ticker, which needs no joining, and those that were joined.
    pub channels: usize,
}

/// Connections to the database, as they were a second ago at most.
#[derive(Serialize, ToSchema)]
pub(super) struct DatabaseMetrics {
    /// That are used.
    pub active_connections: i64,
    /// That may be opened.
    pub pool_size: i64,
    /// Beyond those: the pool opens none.
    pub overflow: u32,
}

/// The process.
#[derive(Serialize, ToSchema)]
pub(super) struct SystemMetrics {
    /// Since it started.
    pub uptime_seconds: u64,
    /// Paths that are served.
    pub routes_loaded: usize,
}

/// A few of this node's numbers, as JSON; `/metrics` has all of them.
#[utoipa::path(get, path = "/api/metrics", tag = "operations", responses((status = 200, description = "Numbers", body = NodeMetricsBody)))]
pub(super) async fn node(metrics: Data<Metrics>, connections: Data<Connections>) -> HttpResponse {
    let counts = connections.counts();
    let (size, free) = (metrics.stores.db_pool_size.get(), metrics.stores.db_pool_free.get());
    private(NodeMetricsBody {
        timestamp: rfc3339(OffsetDateTime::now_utc()),
        service: "coinlink",
        version: env!("CARGO_PKG_VERSION"),
        metrics: NodeMetrics {
            websocket: WebsocketMetrics {
                total_connections: counts.total,
                authenticated_connections: counts.authenticated,
                channels: 1 + counts.channels,
            },
            database: DatabaseMetrics { active_connections: size - free, pool_size: size, overflow: 0 },
            system: SystemMetrics { uptime_seconds: metrics.uptime().as_secs(), routes_loaded: ENDPOINTS.len() },
        },
    })
}
