//! Answers to WebSocket handshakes, which do not pass through the routes: with the same headers and errors all the same.

use actix_http::{RequestHead, Response, ResponseHead, StatusCode, header::CONTENT_TYPE, ws};
use actix_web::{
    ResponseError as _,
    http::header::{self, HeaderValue},
};
use bytes::Bytes;

use super::{ApiError, error_codes, headers};
use crate::{
    telemetry::{RequestContext, error_reports, traces::RequestSpan},
    wire::seconds_up,
    ws::{NoSocket, Refusal, SUBPROTOCOL, offers_ours},
};

/// The route, as the access log names it.
const ROUTE: &str = "/ws";
/// Seconds after which a full node may have room again.
const FULL_RETRY_SECS: u32 = 5;

/// The socket is open.
pub fn accepted(request: &RequestHead) -> Response<()> {
    let context = headers::context_of(request.headers());
    let mut response = ws::handshake_response(request).finish().drop_body();
    if offers_ours(request.headers()) {
        // Nothing else that was offered: a ticket is not repeated.
        response.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
    }
    headers::stamp(response.headers_mut(), &context);
    context.clone().sync_scope(|| log(&context, response.head()));
    response
}

/// There is none, and why.
pub fn refused(request: &RequestHead, reason: &NoSocket) -> (Response<()>, Bytes) {
    let context = headers::context_of(request.headers());
    let error = error_of(reason);
    context.clone().sync_scope(|| {
        let mut response =
            Response::new(StatusCode::from_u16(error.code().status).unwrap_or(StatusCode::BAD_REQUEST)).drop_body();
        let shaped = error.error_response();
        for name in [CONTENT_TYPE, header::CACHE_CONTROL, header::RETRY_AFTER] {
            if let Some(value) = shaped.headers().get(&name) {
                response.headers_mut().insert(name, value.clone());
            }
        }
        headers::stamp(response.headers_mut(), &context);
        log(&context, response.head());
        let status = response.head().status.as_u16();
        if status >= 500 {
            error_reports::answered("GET", ROUTE, status, error.code().code, None);
        }
        (response, error.body())
    })
}

pub(super) fn error_of(reason: &NoSocket) -> ApiError {
    match reason {
        NoSocket::NotHere => ApiError::new(error_codes::NOT_FOUND).message("There is no socket at this path; it is at /ws."),
        NoSocket::NotAHandshake(error) => ApiError::new(error_codes::WEBSOCKET_EXPECTED).detail("handshake", error.to_string()),
        NoSocket::Refused(Refusal::Origin) => ApiError::new(error_codes::ORIGIN_NOT_ALLOWED),
        NoSocket::Refused(Refusal::TooMany { retry_after }) => {
            let secs = u32::try_from(seconds_up(*retry_after).max(1)).unwrap_or(u32::MAX);
            ApiError::new(error_codes::RATE_LIMITED).retry_after(secs)
        }
        NoSocket::Refused(Refusal::Full) => ApiError::new(error_codes::NODE_FULL).retry_after(FULL_RETRY_SECS),
        NoSocket::Refused(Refusal::Draining) => ApiError::new(error_codes::NODE_DRAINING).retry_after(1),
    }
}

fn log(context: &RequestContext, response: &ResponseHead) {
    let status = response.status.as_u16();
    RequestSpan::begin(context, "GET").answered("GET", ROUTE, status);
    tracing::info!(target: "coinlink::http", method = "GET", route = ROUTE, status, "handshake");
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_http::header::{HeaderName, HeaderValue};

    #[test]
    fn a_refusal_has_our_shape_headers_and_ids() {
        let mut request = RequestHead::default();
        request.headers_mut().insert(HeaderName::from_static("x-request-id"), HeaderValue::from_static("mine"));
        let retry_after = time::Duration::milliseconds(1_200);
        let (response, body) = refused(&request, &NoSocket::Refused(Refusal::TooMany { retry_after }));
        let header = |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(response.status().as_u16(), 429);
        assert_eq!((header("retry-after").as_deref(), header("x-request-id").as_deref()), (Some("2"), Some("mine")));
        assert_eq!(header("x-frame-options").as_deref(), Some("DENY"));
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["error"]["code"], "rate_limited");
        assert_eq!(body["error"]["trace_id"].as_str(), header("x-trace-id").as_deref());
        assert_eq!(body["detail"], body["error"]["message"]);
    }
}
