//! What happens to every request, whatever it asks for: ids, headers, the shape of errors, compression, metrics and the
//! access log. One middleware, since each costs an allocation and a poll.

use std::{
    cell::RefCell,
    collections::HashMap,
    rc::Rc,
    time::{Duration, Instant},
};

use actix_cors::CorsError;
use actix_http::{ConnectionType, encoding::Encoder};
use actix_web::{
    Error, HttpResponse, ResponseError as _,
    body::{BodySize, BoxBody, EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method, StatusCode,
        header::{self, ContentEncoding, HeaderMap, HeaderValue},
    },
    middleware::Next,
    web::Data,
};
use coinlink_domain::identity::UserId;
use prometheus::IntGauge;
use tracing::Instrument as _;

use super::{ApiError, coding, conditional, error_codes, gate::Caller, headers, routes::RouteTemplate};
use crate::{
    telemetry::{
        Metrics, error_reports,
        metrics::{HttpHandles, is_probe},
        traces::RequestSpan,
    },
    ws::Context,
};

/// The middleware around one worker's routes, with its metric handles: looking them up by their labels takes a lock that all workers
/// share.
pub(super) struct Edge {
    metrics: Metrics,
    handles: RefCell<HashMap<(&'static str, &'static str, u16), HttpHandles>>,
}

/// A body of ours, or one that stands in for it.
type EdgeBody<B> = EitherBody<Encoder<B>, BoxBody>;

impl Edge {
    /// Counts in `metrics`.
    pub(super) fn new(metrics: Metrics) -> Rc<Self> {
        Rc::new(Self { metrics, handles: RefCell::default() })
    }

    /// Has a request answered. To be boxed: a connection holds room for what is served on it, also while it waits for a request.
    pub(super) async fn serve<B: MessageBody + 'static>(
        self: Rc<Self>,
        request: ServiceRequest,
        next: Next<B>,
    ) -> Result<ServiceResponse<EdgeBody<B>>, Error> {
        let started = Instant::now();
        let context = headers::context_of(request.headers());
        let method = method_label(request.method());
        let _in_flight = InFlight::new(&self.metrics.http_in_flight);
        let span = RequestSpan::begin(&context, method);
        let serving = async {
            let answered = span.span().in_scope(|| next.call(request)).instrument(span.span().clone()).await;
            match answered {
                Ok(mut response) => {
                    let route = response.request().app_data::<RouteTemplate>().map_or(UNMATCHED, |route| route.0);
                    let user = Caller::of(response.request()).and_then(|caller| caller.user());
                    log_failure(response.response().error(), method, route, response.status());
                    span.answered(method, route, response.status().as_u16());
                    headers::stamp(response.headers_mut(), &context);
                    self.record(method, route, response.status(), started.elapsed(), user);
                    Ok(finished(response))
                }
                Err(mut error) => {
                    let status = error.as_response_error().status_code();
                    log_failure(Some(&error), method, UNMATCHED, status);
                    span.answered(method, UNMATCHED, status.as_u16());
                    self.record(method, UNMATCHED, status, started.elapsed(), None);
                    let context = context.clone();
                    error.add_response_mapper(move |mut response| {
                        headers::stamp(response.headers_mut(), &context);
                        response
                    });
                    Err(error)
                }
            }
        };
        context.clone().scope(serving).await
    }

    fn record(&self, method: &'static str, route: &'static str, status: StatusCode, latency: Duration, user: Option<UserId>) {
        let mut handles = self.handles.borrow_mut();
        let kind = (method, route, status.as_u16());
        handles.entry(kind).or_insert_with(|| self.metrics.http(method, route, status.as_str())).record(latency);
        log_access(method, route, status, latency, user);
    }
}

/// Requests that no route took, and those whose route is not known.
const UNMATCHED: &str = "unmatched";

fn finished<B: MessageBody + 'static>(mut response: ServiceResponse<B>) -> ServiceResponse<EdgeBody<B>> {
    // A node that is going away keeps no connection: the next request is another node's.
    if response.request().app_data::<Data<Context>>().is_some_and(|sockets| *sockets.draining.borrow()) {
        response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    if is_foreign_error(response.status(), response.headers()) {
        return in_our_shape(response).map_into_right_body();
    }
    let coding = compression(&mut response);
    response.map_body(|head, body| {
        if coding != ContentEncoding::Identity
            && let Some(etag) = head.headers().get(header::ETAG)
            && let Some(etag) = conditional::compressed_etag(etag, coding.as_str())
        {
            head.headers_mut().insert(header::ETAG, etag);
        }
        EitherBody::left(Encoder::response(coding, head, body))
    })
}

/// An error that did not come from a handler of ours: the framework's, or a middleware's.
fn is_foreign_error(status: StatusCode, headers: &HeaderMap) -> bool {
    // Of our pages one says that there is none.
    let ours =
        |value: &HeaderValue| [&b"application/json"[..], b"text/html"].iter().any(|kind| value.as_bytes().starts_with(kind));
    status.as_u16() >= 400 && !headers.get(header::CONTENT_TYPE).is_some_and(ours)
}

fn in_our_shape<B>(response: ServiceResponse<B>) -> ServiceResponse {
    let (request, foreign) = response.into_parts();
    let cors = foreign.error().and_then(|error| error.as_error::<CorsError>());
    let (status, error) = match cors {
        Some(refused) => (StatusCode::FORBIDDEN, refused_preflight(refused)),
        None => (foreign.status(), ApiError::new(error_codes::of_status(foreign.status().as_u16()))),
    };
    let mut ours: HttpResponse = error.error_response();
    *ours.status_mut() = status;
    for (name, value) in foreign.headers() {
        if ![header::CONTENT_TYPE, header::CONTENT_LENGTH, header::CACHE_CONTROL].contains(name) {
            ours.headers_mut().append(name.clone(), value.clone());
        }
    }
    ServiceResponse::new(request, ours)
}

/// A browser shows nothing of it; whoever looks for the reason finds it here.
fn refused_preflight(refused: &CorsError) -> ApiError {
    let error = ApiError::new(error_codes::ORIGIN_NOT_ALLOWED);
    match refused {
        CorsError::OriginNotAllowed => error.detail("origin", "is not among ALLOWED_ORIGINS"),
        other => error.message("This request may not be made from another origin.").detail("preflight", other.to_string()),
    }
}

/// How to compress this answer; where it could be, caches are told that it depends on the request.
fn compression<B: MessageBody>(response: &mut ServiceResponse<B>) -> ContentEncoding {
    let headers = response.headers();
    let long = matches!(response.response().body().size(), BodySize::Sized(length) if length > coding::MIN_COMPRESSED);
    let shrinks = || headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(coding::shrinks);
    if !long || headers.contains_key(header::CONTENT_ENCODING) || response.request().method() == Method::HEAD || !shrinks() {
        return ContentEncoding::Identity;
    }
    let coding = coding::preferred(response.request().headers());
    if coding == ContentEncoding::Identity {
        // A compressed answer gets it from the encoder.
        response.headers_mut().append(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
    coding
}

fn log_failure(error: Option<&Error>, method: &'static str, route: &'static str, status: StatusCode) {
    if !status.is_server_error() {
        return;
    }
    let error = error.and_then(|error| error.as_error::<ApiError>());
    let cause = error.and_then(std::error::Error::source);
    let code = error.map_or_else(|| error_codes::of_status(status.as_u16()), ApiError::code).code;
    // What a probe is told of an outage is its answer, every few seconds: what people asked for tells of the outage.
    if !is_probe(route) {
        error_reports::answered(method, route, status.as_u16(), code, cause);
    }
    if let Some(cause) = cause {
        tracing::error!(target: "coinlink::http", status = status.as_u16(), error = %cause, "request failed");
    }
}

struct InFlight(IntGauge);

impl InFlight {
    fn new(gauge: &IntGauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

fn log_access(method: &str, route: &str, status: StatusCode, latency: Duration, user: Option<UserId>) {
    let micros = u32::try_from(latency.as_micros()).unwrap_or(u32::MAX);
    let (status, latency_ms) = (status.as_u16(), f64::from(micros) / 1e3);
    let user_id = user.map(tracing::field::display);
    // Probes come every few seconds for ever; a quiet one is of no interest.
    if status < 400 && is_probe(route) {
        tracing::debug!(target: "coinlink::http", method, route, status, latency_ms, user_id, "request");
    } else {
        tracing::info!(target: "coinlink::http", method, route, status, latency_ms, user_id, "request");
    }
}

fn method_label(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "OTHER",
    }
}
