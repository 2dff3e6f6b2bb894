//! Every route, in one table: what is registered is what is documented, measured and tested.

use std::{
    future::{Ready, ready},
    time::Duration,
};

use actix_web::{
    HttpResponse, Resource, guard,
    web::{self, ServiceConfig},
};

use super::{ApiError, connections, deadline::Deadline, docs, error_codes, health, home, metrics, prices, stream};

/// The route a request took, as metrics and logs name it: a template, never a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RouteTemplate(pub &'static str);

/// One path and what may be done there.
#[derive(Debug, Clone, Copy)]
pub struct Endpoint {
    /// The path, with `{names}` for its variable parts.
    pub path: &'static str,
    /// What goes into `Allow`.
    pub methods: &'static str,
    /// Whether the OpenAPI document lists it; pages and files for browsers are not part of the API.
    pub is_api: bool,
    register: fn(Resource) -> Resource,
}

const READ: &str = "GET, HEAD";

const fn api(path: &'static str, register: fn(Resource) -> Resource) -> Endpoint {
    Endpoint::new(path, READ, register)
}

const fn page(path: &'static str, register: fn(Resource) -> Resource) -> Endpoint {
    Endpoint { is_api: false, ..Endpoint::new(path, READ, register) }
}

/// `/metrics`, on whichever port it is.
pub const METRICS: Endpoint = api("/metrics", |at| at.route(read().to(metrics::scrape)));

/// All routes of the public port but [`METRICS`].
pub const ENDPOINTS: &[Endpoint] = &[
    api("/", |at| at.route(read().to(home::index))),
    page("/page.js", |at| at.route(read().to(home::script))),
    api("/health", |at| at.route(read().to(health::health))),
    api("/livez", |at| at.route(read().to(health::livez))),
    api("/readyz", |at| at.route(read().to(health::readyz))),
    api("/api/crypto/ticker", |at| at.route(read().to(prices::ticker))),
    api("/api/bitcoin/price", |at| at.route(read().to(prices::bitcoin))),
    api("/api/connections", |at| at.route(read().to(connections::connections))),
    api("/api/stream/ticker", |at| at.route(read().to(stream::ticker_events))),
    api("/ws", |at| at.route(read().to(connections::socket_expected))),
    api("/openapi.json", |at| at.route(read().to(docs::openapi))),
    api("/asyncapi.json", |at| at.route(read().to(docs::asyncapi))),
    page("/docs", |at| at.route(read().to(docs::to_reference))),
    page("/docs/{file:.*}", |at| at.route(read().to(docs::reference))),
];

/// GET, and HEAD with the same headers.
fn read() -> actix_web::Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}

impl Endpoint {
    /// A route of the API; `methods` are those that `register` gives handlers.
    pub const fn new(path: &'static str, methods: &'static str, register: fn(Resource) -> Resource) -> Self {
        Self { path, methods, is_api: true, register }
    }

    /// Adds it to an application.
    pub(super) fn register(&self, config: &mut ServiceConfig, timeout: Duration) {
        let methods = self.methods;
        let resource = (self.register)(web::resource(self.path))
            .app_data(RouteTemplate(self.path))
            .default_service(web::to(move || ready(refused(methods))))
            .wrap(Deadline(timeout));
        config.service(resource);
    }
}

/// What no route takes.
pub(super) fn not_found() -> Ready<Result<HttpResponse, ApiError>> {
    ready(Err(ApiError::new(error_codes::NOT_FOUND)))
}

fn refused(methods: &'static str) -> Result<HttpResponse, ApiError> {
    Err(ApiError::new(error_codes::METHOD_NOT_ALLOWED).allow(methods))
}
