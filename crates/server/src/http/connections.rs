//! `GET /api/connections`, and `/ws` for requests that are no handshake.

use actix_web::{
    HttpResponse,
    web::{Data, Json},
};
use coinlink_application::operations::CheckReadiness;
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::{ApiError, error_codes, private::private};
use crate::{broadcast::Broadcaster, wire::rfc3339, ws::Connections};

/// The sockets of this node.
#[derive(Serialize, ToSchema)]
pub(super) struct ConnectionsBody {
    pub active_connections: usize,
    pub authenticated_connections: usize,
    pub anonymous_connections: usize,
    pub websocket_stats: WebsocketStats,
    #[schema(format = DateTime)]
    pub timestamp: String,
}

/// The same in the words of the first backend's clients.
#[derive(Serialize, ToSchema)]
pub(super) struct WebsocketStats {
    pub total_connections: usize,
    pub authenticated_connections: usize,
    pub anonymous_connections: usize,
    /// Signed-in users with a socket.
    pub total_users: usize,
    /// Channels somebody listens to: the ticker, which needs no joining, and those that were joined.
    pub total_channels: usize,
    /// Whether Redis is used and answers.
    pub redis_connected: bool,
    /// Whether ticks come.
    pub background_tasks_running: bool,
}

/// How many sockets are open on this node.
#[utoipa::path(get, path = "/api/connections", tag = "operations", responses((status = 200, description = "Counts", body = ConnectionsBody)))]
pub(super) async fn connections(
    connections: Data<Connections>,
    readiness: Data<CheckReadiness>,
    broadcaster: Data<Broadcaster>,
) -> HttpResponse {
    let counts = connections.counts();
    let websocket_stats = WebsocketStats {
        total_connections: counts.total,
        authenticated_connections: counts.authenticated,
        anonymous_connections: counts.anonymous,
        total_users: counts.users,
        total_channels: 1 + counts.channels,
        redis_connected: readiness.execute().await.is_up("redis"),
        background_tasks_running: broadcaster.current().tick.is_some(),
    };
    let body = ConnectionsBody {
        active_connections: counts.total,
        authenticated_connections: counts.authenticated,
        anonymous_connections: counts.anonymous,
        websocket_stats,
        timestamp: rfc3339(OffsetDateTime::now_utc()),
    };
    private(body)
}

/// The socket: see `/asyncapi.json`. Handshakes do not come here.
#[utoipa::path(
    get,
    path = "/ws",
    tag = "market",
    responses(
        (status = 101, description = "The socket is open"),
        (status = 400, description = "`websocket_expected`: the request is no WebSocket handshake"),
        (status = 403, description = "`origin_not_allowed`"),
        (status = 429, description = "`rate_limited`"),
        (status = 503, description = "`node_full` or `node_draining`")
    )
)]
pub(super) async fn socket_expected() -> Result<Json<()>, ApiError> {
    Err(ApiError::new(error_codes::WEBSOCKET_EXPECTED))
}
