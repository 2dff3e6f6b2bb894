//! The HTTP edge: routes and what holds for all of them.

mod always_sent;
mod api_error;
mod assistant;
mod client_ip;
mod coding;
mod conditional;
mod connections;
mod deadline;
mod docs;
mod edge;
pub mod error_codes;
mod everywhere;
pub mod gate;
pub mod handshake;
mod headers;
mod health;
mod home;
mod identity;
mod json_object;
mod jwks;
mod key_document;
mod lists;
pub(crate) mod malformed;
mod market;
mod metrics;
mod notifications;
mod operations;
mod origins;
mod plain_body;
mod prices;
mod private;
mod routes;
pub mod shapes;
mod stream;

use std::{rc::Rc, sync::Arc, time::Duration};

use actix_cors::Cors;
use actix_web::{
    App, Error,
    body::MessageBody,
    dev::{ServiceFactory, ServiceRequest, ServiceResponse},
    http::{Method, header},
    middleware::from_fn,
    web::{self, Data, PathConfig, PayloadConfig, QueryConfig, ServiceConfig},
};
use coinlink_application::{
    assistant::AssistantUseCases,
    identity::IdentityUseCases,
    market::MarketUseCases,
    notifications::NotificationsUseCases,
    operations::{CheckReadiness, OperationsUseCases},
};
use coinlink_ports::identity::PublicKeys;

use self::{edge::Edge, malformed::BodyLimit};
use crate::{broadcast::Broadcaster, telemetry::Metrics, ws::Connections};

pub use api_error::ApiError;
pub use assistant::ChatCookie;
pub use client_ip::{TrustedProxies, client_ip};
pub use conditional::Conditional;
pub use docs::openapi_json;
pub use gate::{
    Account, Caller, Client, GateParts, Gated, Gatekeeper, KEY_ACCESS, KeyAccess, Pages, SIGN_INS, SignedIn, key_access_markdown,
};
pub use json_object::JsonObject;
pub use jwks::MAX_AGE_SECS as JWKS_MAX_AGE_SECS;
pub(crate) use notifications::NotificationBody;
pub use origins::Origins;
pub use routes::{ENDPOINTS, Endpoint, METRICS, RouteTemplate};

/// The name of the environment, as `GET /` tells it.
#[derive(Debug, Clone)]
pub struct Environment(pub Arc<str>);

/// What the routes work with; cheap to clone, one for all workers.
#[derive(Clone)]
pub struct HttpParts {
    /// The settings' environment.
    pub environment: Environment,
    /// Origins browsers may call from.
    pub origins: Origins,
    /// After it a request is answered 504.
    pub request_timeout: Duration,
    /// The largest JSON body.
    pub max_body_bytes: usize,
    /// Whether `/metrics` is on this port.
    pub serves_metrics: bool,
    /// Where requests are counted.
    pub metrics: Metrics,
    /// The newest prices.
    pub broadcaster: Broadcaster,
    /// The open sockets.
    pub connections: Connections,
    /// Whether dependencies answer.
    pub readiness: Arc<CheckReadiness>,
    /// What stands before the routes.
    pub gatekeeper: Arc<Gatekeeper>,
    /// What others check access tokens with.
    pub public_keys: Arc<dyn PublicKeys>,
    /// Accounts and sessions.
    pub identity: IdentityUseCases,
    /// The market beside the ticker.
    pub market: MarketUseCases,
    /// The assistant.
    pub assistant: AssistantUseCases,
    /// What it knows visitors by.
    pub chat_cookie: ChatCookie,
    /// Notifications and alerts.
    pub notifications: NotificationsUseCases,
    /// What administrators do outside of accounts.
    pub operations: OperationsUseCases,
}

/// The whole application, for each worker.
pub fn app(
    parts: &HttpParts,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody + use<>>,
        Error = Error,
        InitError = (),
    > + use<>,
> {
    app_with(parts, &[])
}

/// [`app`] with further routes.
pub fn app_with(
    parts: &HttpParts,
    more: &[Endpoint],
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody + use<>>,
        Error = Error,
        InitError = (),
    > + use<>,
> {
    let edge = Edge::new(parts.metrics.clone());
    // The last one wrapped is the first one asked.
    App::new()
        .configure(|config| configure(config, parts, more))
        .default_service(routes::elsewhere(&parts.gatekeeper))
        .wrap(cors(&parts.origins))
        .wrap(from_fn(move |request, next| Box::pin(Rc::clone(&edge).serve(request, next))))
}

/// `/metrics` alone, for a port of its own.
pub fn metrics_app(
    metrics: &Metrics,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody + use<>>,
        Error = Error,
        InitError = (),
    > + use<>,
> {
    let edge = Edge::new(metrics.clone());
    App::new()
        .app_data(Data::new(metrics.clone()))
        .configure(|config| METRICS.register(config, SCRAPE_WITHIN, None))
        .default_service(web::to(routes::not_found))
        .wrap(from_fn(move |request, next| Box::pin(Rc::clone(&edge).serve(request, next))))
}

/// Prometheus gives up after 10 s by default.
pub(crate) const SCRAPE_WITHIN: Duration = Duration::from_secs(10);

fn configure(config: &mut ServiceConfig, parts: &HttpParts, more: &[Endpoint]) {
    config
        .app_data(Data::new(parts.environment.clone()))
        .app_data(Data::new(parts.metrics.clone()))
        .app_data(Data::new(parts.broadcaster.clone()))
        .app_data(Data::new(parts.connections.clone()))
        .app_data(Data::from(Arc::clone(&parts.readiness)))
        .app_data(Data::from(Arc::clone(&parts.public_keys)))
        .app_data(Data::from(Arc::clone(&parts.gatekeeper)))
        .app_data(PayloadConfig::new(parts.max_body_bytes))
        .app_data(BodyLimit(parts.max_body_bytes))
        .app_data(QueryConfig::default().error_handler(malformed::query_error))
        .app_data(PathConfig::default().error_handler(malformed::path_error));
    identity::provide(&parts.identity, config);
    market::provide(&parts.market, config);
    assistant::provide(&parts.assistant, parts.chat_cookie.clone(), config);
    notifications::provide(&parts.notifications, config);
    operations::provide(&parts.operations, &parts.identity.administration, config);
    let metrics = parts.serves_metrics.then_some(&METRICS);
    // Those with parameters last: they are tried one after the other, by expressions.
    let all = || ENDPOINTS.iter().chain(metrics).chain(more);
    let is_fixed = |endpoint: &&Endpoint| !endpoint.path.contains('{');
    for endpoint in all().filter(is_fixed).chain(all().filter(|endpoint| !is_fixed(endpoint))) {
        endpoint.register(config, parts.request_timeout, Some(&parts.gatekeeper));
    }
}

/// Who may call from a browser.
fn cors(origins: &Origins) -> Cors {
    let origins = origins.clone();
    Cors::default()
        .allowed_origin_fn(move |origin, _| origin.to_str().is_ok_and(|origin| origins.know(origin)))
        .allowed_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS])
        .allowed_headers([header::AUTHORIZATION, header::CONTENT_TYPE, header::ACCEPT, header::ORIGIN])
        .allowed_headers(["x-csrf-token", "x-request-id", "x-api-key", "idempotency-key", "x-chat-session"])
        .expose_headers([
            headers::X_RATELIMIT_LIMIT,
            headers::X_RATELIMIT_REMAINING,
            headers::X_RATELIMIT_RESET,
            headers::RATELIMIT_POLICY,
            headers::RATELIMIT,
            headers::REQUEST_ID,
            headers::TRACE_ID,
            header::RETRY_AFTER,
            header::WWW_AUTHENTICATE,
        ])
        .supports_credentials()
        .max_age(3600)
}
