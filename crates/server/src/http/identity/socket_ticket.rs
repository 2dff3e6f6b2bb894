//! `POST /api/v2/auth/ws-ticket`: what opens a socket of one's own without showing it an access token.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web::Data,
};
use coinlink_application::identity::SocketAccess;
use coinlink_domain::identity::SocketTicket;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    http::{
        ApiError, error_codes,
        gate::{Gatekeeper, SignedIn},
        private::private_as,
    },
    telemetry::Metrics,
};

/// A ticket.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct SocketTicketBody {
    /// For the frame `{"type":"authenticate","ticket":…}` or the subprotocol `coinlink.ticket.…`; never for a URL.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    ticket: String,
    /// Seconds for which it is good.
    #[schema(minimum = 1)]
    expires_in: i64,
}

/// A ticket for a socket of your own.
///
/// Good once, for thirty seconds, from the same `Origin`, as long as the session goes on. It takes no body. The socket is yours until the
/// access token that asked for the ticket ends; show it another ticket, or a newer token, before that.
#[utoipa::path(
    post,
    path = "/api/v2/auth/ws-ticket",
    tag = "auth",
    responses((status = 201, description = "The ticket", body = SocketTicketBody)),
    security(("bearer" = []))
)]
pub(in crate::http) async fn ask_socket_ticket(
    request: HttpRequest,
    gatekeeper: Data<Gatekeeper>,
    _caller: SignedIn,
    metrics: Data<Metrics>,
    sockets: Data<SocketAccess>,
) -> Result<HttpResponse, ApiError> {
    let grant = gatekeeper.grant_of(&request).ok_or_else(|| SignedIn::missing(&request))?;
    // As the handshake reads it: an origin that is not even text is a foreign one.
    let origin = request.headers().get(header::ORIGIN).map(|value| value.to_str().unwrap_or("null"));
    let ticket = sockets
        .issue(&grant, origin)
        .await
        .map_err(|error| ApiError::new(error_codes::DEPENDENCY_UNAVAILABLE).retry_after(1).caused_by(error.to_string()))?;
    metrics.auth_event("socket_ticket", "ok");
    Ok(private_as(StatusCode::CREATED, SocketTicketBody { ticket, expires_in: SocketTicket::GOOD_FOR.whole_seconds() }))
}
