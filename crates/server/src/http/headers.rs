//! Headers that stand on every answer.

use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

use crate::telemetry::{RequestContext, trace_context::RequestId};

/// `X-Request-Id`.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The older name that is also read.
pub(super) const CORRELATION_ID: HeaderName = HeaderName::from_static("x-correlation-id");
/// `X-Trace-Id`.
pub(super) const TRACE_ID: HeaderName = HeaderName::from_static("x-trace-id");
/// W3C Trace Context.
pub(super) const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// Requests the tightest window takes.
pub(super) const X_RATELIMIT_LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
/// Requests it still takes.
pub(super) const X_RATELIMIT_REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
/// The Unix second in which it takes one more.
pub(super) const X_RATELIMIT_RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");
/// Every window's limit: draft-ietf-httpapi-ratelimit-headers-11.
pub(super) const RATELIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// How full every window is: the same draft.
pub(super) const RATELIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// What browsers are told on every answer.
pub(super) const SECURITY: [(HeaderName, HeaderValue); 6] = [
    (header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000; includeSubDomains")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::X_XSS_PROTECTION, HeaderValue::from_static("0")),
    (header::REFERRER_POLICY, HeaderValue::from_static("strict-origin-when-cross-origin")),
    (PERMISSIONS_POLICY, HeaderValue::from_static("camera=(), microphone=(), geolocation=()")),
];
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");
/// For all but the API reference, which sets its own.
pub(super) const CONTENT_SECURITY_POLICY: HeaderValue =
    HeaderValue::from_static("default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'");

/// The ids of a request, from its headers.
pub(super) fn context_of(headers: &HeaderMap) -> RequestContext {
    let bytes = |name| headers.get(name).map(HeaderValue::as_bytes);
    RequestContext::of(bytes(REQUEST_ID).or_else(|| bytes(CORRELATION_ID)), bytes(TRACEPARENT))
}

/// Puts them on an answer.
pub(super) fn stamp(headers: &mut HeaderMap, context: &RequestContext) {
    for (name, value) in SECURITY {
        // A page whose address holds a secret tells nobody where it was.
        if name != header::REFERRER_POLICY || !headers.contains_key(&name) {
            headers.insert(name, value);
        }
    }
    if !headers.contains_key(header::CONTENT_SECURITY_POLICY) {
        headers.insert(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
    }
    let request_id = match &context.request_id {
        RequestId::Given(id) => HeaderValue::from_str(id).ok(),
        RequestId::Made(id) => id_value(*id),
    };
    for (name, value) in [(REQUEST_ID, request_id), (TRACE_ID, id_value(context.trace_id))] {
        if let Some(value) = value {
            headers.insert(name, value);
        }
    }
}

fn id_value(id: Uuid) -> Option<HeaderValue> {
    HeaderValue::from_str(id.hyphenated().encode_lower(&mut [0; 36])).ok()
}
