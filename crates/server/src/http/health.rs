//! `/health` for people, `/livez` for whoever restarts processes, `/readyz` for whoever waits until all of it works, `/readyz/node` for whoever
//! balances load.

use std::collections::BTreeMap;

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web::Data};
use coinlink_application::operations::{CheckFailure, CheckReadiness, Readiness};
use serde::Serialize;
use time::OffsetDateTime;
use tokio::time::Instant;
use utoipa::ToSchema;
use uuid::Uuid;

use super::private::private_as;
use crate::{
    broadcast::Broadcaster,
    telemetry::{
        RequestContext,
        traces::{Sending, sending},
    },
    wire::rfc3339,
    ws::{Connections, Context},
};

/// One thing that was looked at.
#[derive(Serialize, ToSchema)]
pub(super) struct CheckBody {
    /// `up`, `down`, for the feed also `stale`, and `off` for traces that are not to be sent.
    pub status: &'static str,
    /// For people.
    pub message: &'static str,
    /// How long it took to answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub latency_ms: Option<f64>,
}

fn checks(readiness: &Readiness) -> BTreeMap<&'static str, CheckBody> {
    let body = |outcome: &Result<time::Duration, CheckFailure>| match outcome {
        Ok(took) => CheckBody { status: "up", message: "answers", latency_ms: Some(took.as_seconds_f64() * 1e3) },
        Err(CheckFailure::Slow) => CheckBody { status: "down", message: "no answer within 250 ms", latency_ms: None },
        Err(CheckFailure::Failed) => CheckBody { status: "down", message: "cannot be used", latency_ms: None },
    };
    readiness.checks.iter().map(|check| (check.name, body(&check.outcome))).collect()
}

/// The prices: reported, never decisive, since a node without them still serves what it knows.
fn feed(broadcaster: &Broadcaster) -> CheckBody {
    let shown = broadcaster.current();
    let known = shown.tick.as_ref().filter(|tick| !tick.items.is_empty());
    let (status, message) = match (known, shown.stale) {
        (None, _) => ("down", "no price was ever received"),
        (Some(_), true) => ("stale", "the newest prices are old"),
        (Some(_), false) => ("up", "prices are fresh"),
    };
    CheckBody { status, message, latency_ms: None }
}

/// Traces: reported, never decisive, since a node serves as well without them.
fn observability(traces: Sending) -> CheckBody {
    let (status, message) = match traces {
        Sending::Off => ("off", "traces are not configured"),
        Sending::NotYet => ("up", "no traces were sent yet"),
        Sending::Works => ("up", "traces are sent"),
        Sending::Fails => ("down", "traces cannot be sent"),
    };
    CheckBody { status, message, latency_ms: None }
}

fn now() -> String {
    rfc3339(OffsetDateTime::now_utc())
}

/// The trace of a request that is answered with 503.
fn trace_of(healthy: bool) -> Option<Uuid> {
    if healthy { None } else { RequestContext::try_with(|request| request.trace_id) }
}

fn answer(healthy: bool, body: &impl Serialize) -> HttpResponse {
    let status = if healthy { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    private_as(status, body)
}

/// How this node is.
#[derive(Serialize, ToSchema)]
pub(super) struct HealthBody {
    /// `healthy` or `degraded`.
    pub status: &'static str,
    /// When this was looked at.
    #[schema(format = DateTime)]
    pub timestamp: String,
    /// Which release this is.
    pub version: &'static str,
    /// Open sockets.
    pub connections: usize,
    /// By name: `database`, `redis`, `feed`.
    pub checks: BTreeMap<&'static str, CheckBody>,
    /// What is served.
    pub routes_loaded: RoutesLoaded,
    /// Of a 503: what log lines of it are found by.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub trace_id: Option<Uuid>,
}

/// Which parts of the API this release serves.
#[derive(Serialize, ToSchema)]
#[expect(clippy::struct_excessive_bools, reason = "the shape is the contract's")]
pub(super) struct RoutesLoaded {
    pub agents: bool,
    pub rd_status: bool,
    pub rd_full: bool,
    pub growth: bool,
    pub auth_v2: bool,
    pub websocket: bool,
    pub market_data: bool,
    pub user_management: bool,
    pub notifications: bool,
}

const ROUTES_LOADED: RoutesLoaded = RoutesLoaded {
    agents: false,
    rd_status: false,
    rd_full: false,
    growth: false,
    auth_v2: true,
    websocket: true,
    market_data: true,
    user_management: true,
    notifications: true,
};

/// Whether the store and Redis answer; looked at once a second at most.
#[utoipa::path(
    get,
    path = "/health",
    tag = "operations",
    responses((status = 200, description = "`healthy`", body = HealthBody), (status = 503, description = "`degraded`", body = HealthBody))
)]
pub(super) async fn health(
    readiness: Data<CheckReadiness>,
    broadcaster: Data<Broadcaster>,
    connections: Data<Connections>,
) -> HttpResponse {
    let readiness = readiness.execute().await;
    let mut checks = checks(&readiness);
    checks.insert("feed", feed(&broadcaster));
    let body = HealthBody {
        status: if readiness.is_ready() { "healthy" } else { "degraded" },
        timestamp: now(),
        version: env!("CARGO_PKG_VERSION"),
        connections: connections.counts().total,
        checks,
        routes_loaded: ROUTES_LOADED,
        trace_id: trace_of(readiness.is_ready()),
    };
    answer(readiness.is_ready(), &body)
}

/// Whether this process works at all.
#[derive(Serialize, ToSchema)]
pub(super) struct LivezBody {
    /// Always `alive`.
    pub status: &'static str,
    /// When this was looked at.
    #[schema(format = DateTime)]
    pub timestamp: String,
    /// How long this thread's other work kept a new task waiting.
    pub response_time_ms: f64,
    /// Whether that is under 100 ms.
    pub event_loop_responsive: bool,
}

/// Whether this process works: asks nothing and nobody.
#[utoipa::path(get, path = "/livez", tag = "operations", responses((status = 200, description = "It does", body = LivezBody)))]
pub(super) async fn livez() -> HttpResponse {
    let started = Instant::now();
    tokio::task::yield_now().await;
    let response_time_ms = started.elapsed().as_secs_f64() * 1e3;
    let body = LivezBody { status: "alive", timestamp: now(), response_time_ms, event_loop_responsive: response_time_ms < 100.0 };
    answer(true, &body)
}

/// Whether this node should get requests.
#[derive(Serialize, ToSchema)]
pub(super) struct ReadyzBody {
    /// `healthy` or `unhealthy`.
    pub status: &'static str,
    /// When this was looked at.
    #[schema(format = DateTime)]
    pub timestamp: String,
    /// By name: `database` and `redis` decide, and so does `websocket` once the node is going away; `feed` and
    /// `observability` (traces) are told.
    pub checks: BTreeMap<&'static str, CheckBody>,
    /// Of a 503: what log lines of it are found by.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub trace_id: Option<Uuid>,
}

/// Whether the store and Redis answer and the node stays, so that requests may come.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "operations",
    responses((status = 200, description = "They do", body = ReadyzBody), (status = 503, description = "They do not", body = ReadyzBody))
)]
pub(super) async fn readyz(
    request: HttpRequest,
    readiness: Data<CheckReadiness>,
    broadcaster: Data<Broadcaster>,
) -> HttpResponse {
    let readiness = readiness.execute().await;
    let mut checks = checks(&readiness);
    checks.insert("feed", feed(&broadcaster));
    checks.insert("observability", observability(sending()));
    let leaving = is_leaving(&request);
    checks.insert("websocket", door(leaving));
    readyz_of(readiness.is_ready() && !leaving, checks)
}

/// Whether this node itself takes requests: 503 only while it goes away. It asks nobody: while the database or Redis is away prices and sockets
/// go on, and what needs them says 503 itself, so no outage of theirs is a reason to send a node nothing.
#[utoipa::path(
    get,
    path = "/readyz/node",
    tag = "operations",
    responses((status = 200, description = "It does", body = ReadyzBody), (status = 503, description = "It is going away", body = ReadyzBody))
)]
pub(super) async fn readyz_node(request: HttpRequest) -> HttpResponse {
    let leaving = is_leaving(&request);
    readyz_of(!leaving, BTreeMap::from([("websocket", door(leaving))]))
}

fn is_leaving(request: &HttpRequest) -> bool {
    request.app_data::<Data<Context>>().is_some_and(|sockets| *sockets.draining.borrow())
}

fn door(leaving: bool) -> CheckBody {
    let (status, message) = if leaving { ("down", "this node is going away") } else { ("up", "takes connections") };
    CheckBody { status, message, latency_ms: None }
}

fn readyz_of(ready: bool, checks: BTreeMap<&'static str, CheckBody>) -> HttpResponse {
    let status = if ready { "healthy" } else { "unhealthy" };
    answer(ready, &ReadyzBody { status, timestamp: now(), checks, trace_id: trace_of(ready) })
}
