//! Every route, in one table: what is registered is what is documented, measured and tested.

use std::{
    future::{Ready, ready},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use actix_service::{ServiceFactory, apply};
use actix_web::{
    Error, HttpResponse, Resource,
    dev::{ServiceRequest, ServiceResponse},
    guard,
    http::Method,
    middleware::from_fn,
    web::{self, ServiceConfig},
};

use super::{
    ApiError, assistant, connections,
    deadline::deadline,
    docs, error_codes,
    gate::{Gate, Gated, Gatekeeper},
    health, home, identity, jwks, market, metrics, notifications, operations,
    plain_body::plain_body,
    prices, stream,
};

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
    /// What its requests are counted as.
    pub gated: Gated,
    register: fn(Resource) -> Resource,
}

const READ: &str = "GET, HEAD";
const READ_POST: &str = "GET, HEAD, POST";
const READ_PUT: &str = "GET, HEAD, PUT";

const fn api(path: &'static str, gated: Gated, register: fn(Resource) -> Resource) -> Endpoint {
    Endpoint::new(path, READ, gated, register)
}

const fn page(path: &'static str, register: fn(Resource) -> Resource) -> Endpoint {
    Endpoint { is_api: false, ..Endpoint::new(path, READ, Gated::General, register) }
}

/// `/metrics`, on whichever port it is.
pub const METRICS: Endpoint = api("/metrics", Gated::Exempt, |at| at.route(read().to(metrics::scrape)));

/// All routes of the public port but [`METRICS`].
pub const ENDPOINTS: &[Endpoint] = &[
    api("/", Gated::General, |at| at.route(read().to(home::index))),
    page("/page.js", |at| at.route(read().to(home::script))),
    api("/health", Gated::Exempt, |at| at.route(read().to(health::health))),
    api("/livez", Gated::Exempt, |at| at.route(read().to(health::livez))),
    api("/readyz", Gated::Exempt, |at| at.route(read().to(health::readyz))),
    api("/readyz/node", Gated::Exempt, |at| at.route(read().to(health::readyz_node))),
    api("/api/crypto/ticker", Gated::Price, |at| at.route(read().to(prices::ticker))),
    api("/api/bitcoin/price", Gated::Price, |at| at.route(read().to(prices::bitcoin))),
    api("/api/bitcoin/sentiment", Gated::General, |at| at.route(read().to(market::sentiment))),
    api("/api/bitcoin/market-summary", Gated::Price, |at| at.route(read().to(market::market_summary))),
    Endpoint::new("/api/bitcoin/analyze", "POST", Gated::General, |at| at.route(web::post().to(market::analyze))),
    api("/api/v2/market/bitcoin/price", Gated::Price, |at| at.route(read().to(market::bitcoin_price))),
    api("/api/v2/market/crypto/ticker", Gated::Price, |at| at.route(read().to(market::prices))),
    api("/api/v2/market/health", Gated::General, |at| at.route(read().to(market::market_health))),
    api("/api/bitcoin/news", Gated::General, |at| at.route(read().to(market::news))),
    api("/api/v2/market/stats", Gated::General, |at| at.route(read().to(market::stats))),
    api("/api/v2/market/trending", Gated::General, |at| at.route(read().to(market::trending))),
    api("/api/v2/market/bitcoin/history", Gated::General, |at| at.route(read().to(market::bitcoin_history))),
    api("/api/v2/market/{symbol}/candles", Gated::General, |at| at.route(read().to(market::candles))),
    api("/.well-known/jwks.json", Gated::General, |at| at.route(read().to(jwks::jwks))),
    api("/api/connections", Gated::General, |at| at.route(read().to(connections::connections))),
    api("/api/metrics", Gated::General, |at| at.route(read().to(metrics::node))),
    api("/api/stream/ticker", Gated::General, |at| at.route(read().to(stream::ticker_events))),
    api("/ws", Gated::General, |at| at.route(read().to(connections::socket_expected))),
    Endpoint::new("/api/v2/auth/signup", "POST", Gated::Credentials, |at| at.route(web::post().to(identity::sign_up))),
    Endpoint::new("/api/v2/auth/login", "POST", Gated::Credentials, |at| at.route(web::post().to(identity::sign_in))),
    Endpoint::new("/api/v2/auth/token/refresh", "POST", Gated::Session, |at| at.route(web::post().to(identity::refresh))),
    Endpoint::new("/api/v2/auth/refresh", "POST", Gated::Session, |at| at.route(web::post().to(identity::refresh_alias))),
    Endpoint::new("/api/v2/auth/logout", "POST", Gated::Session, |at| at.route(web::post().to(identity::sign_out))),
    Endpoint::new("/api/v2/auth/logout-all", "POST", Gated::General, |at| {
        at.route(web::post().to(identity::sign_out_everywhere))
    }),
    Endpoint::new("/api/v2/auth/ws-ticket", "POST", Gated::General, |at| at.route(web::post().to(identity::ask_socket_ticket))),
    Endpoint::new("/api/v2/auth/password/change", "POST", Gated::Credentials, |at| {
        at.route(web::post().to(identity::change_password))
    }),
    api("/api/v2/auth/2fa", Gated::General, |at| at.route(read().to(identity::second_factor))),
    Endpoint::new("/api/v2/auth/2fa/setup", "POST", Gated::Credentials, |at| {
        at.route(web::post().to(identity::set_up_second_factor))
    }),
    Endpoint::new("/api/v2/auth/2fa/confirm", "POST", Gated::Credentials, |at| {
        at.route(web::post().to(identity::confirm_second_factor))
    }),
    Endpoint::new("/api/v2/auth/2fa/verify", "POST", Gated::Credentials, |at| {
        at.route(web::post().to(identity::verify_second_factor))
    }),
    Endpoint::new("/api/v2/auth/2fa/disable", "POST", Gated::Credentials, |at| {
        at.route(web::post().to(identity::disable_second_factor))
    }),
    Endpoint::new("/api/v2/auth/2fa/recovery-codes", "POST", Gated::Credentials, |at| {
        at.route(web::post().to(identity::renew_recovery_codes))
    }),
    Endpoint::new("/api/v2/auth/wallet/challenge", "POST", Gated::Credentials, |at| {
        at.route(web::post().to(identity::ask_wallet))
    }),
    Endpoint::new("/api/v2/auth/wallet/verify", "POST", Gated::Credentials, |at| {
        at.route(web::post().to(identity::verify_wallet))
    }),
    Endpoint::new("/api/v2/auth/wallet/link", "POST", Gated::Credentials, |at| at.route(web::post().to(identity::link_wallet))),
    api("/api/v2/auth/wallets", Gated::General, |at| at.route(read().to(identity::list_wallets))),
    Endpoint::new("/api/v2/auth/wallets/{id}", "DELETE", Gated::General, |at| {
        at.route(web::delete().to(identity::unlink_wallet))
    }),
    Endpoint::new("/api/v2/auth/password/forgot", "POST", Gated::Credentials, |at| {
        at.route(web::post().to(identity::forgot_password))
    }),
    Endpoint::new("/api/v2/auth/password/reset", READ_POST, Gated::Link, |at| {
        at.route(read().to(identity::look_at_reset)).route(web::post().to(identity::reset_password))
    }),
    Endpoint::new("/api/v2/auth/email/resend", "POST", Gated::Credentials, |at| {
        at.route(web::post().to(identity::resend_verification))
    }),
    Endpoint::new("/api/v2/auth/email/verify", READ_POST, Gated::Link, |at| {
        at.route(read().to(identity::look_at_verification)).route(web::post().to(identity::verify_email))
    }),
    Endpoint::new("/api/v2/auth/email/change", "POST", Gated::Credentials, |at| at.route(web::post().to(identity::change_email))),
    Endpoint::new("/api/v2/auth/email/change/confirm", READ_POST, Gated::Link, |at| {
        at.route(read().to(identity::look_at_change)).route(web::post().to(identity::confirm_email_change))
    }),
    Endpoint::new("/api/v2/auth/email/change/undo", READ_POST, Gated::Link, |at| {
        at.route(read().to(identity::look_at_undo)).route(web::post().to(identity::undo_email_change))
    }),
    api("/api/auth/verify", Gated::Link, |at| at.route(read().to(identity::old_verification))),
    page("/account/verify", |at| at.route(read().to(identity::account_page))),
    page("/account/reset", |at| at.route(read().to(identity::account_page))),
    page("/account/change", |at| at.route(read().to(identity::account_page))),
    page("/account/undo", |at| at.route(read().to(identity::account_page))),
    page("/account/page.js", |at| at.route(read().to(identity::account_script))),
    page("/account/{file:.*}", |at| at.route(read().to(identity::no_account_page))),
    page("/.well-known/change-password", |at| at.route(read().to(identity::change_password_page))),
    page("/favicon.ico", |at| at.route(read().to(home::icon))),
    api("/api/v2/auth/csrf", Gated::Session, |at| at.route(read().to(identity::csrf))),
    api("/api/v2/auth/health", Gated::General, |at| at.route(read().to(identity::auth_health))),
    api("/api/v2/auth/verify", Gated::General, |at| at.route(read().to(identity::verify))),
    api("/api/v2/auth/rate-limit", Gated::General, |at| at.route(read().to(identity::rate_limit))),
    Endpoint::new("/api/v2/user/profile", READ_PUT, Gated::General, |at| {
        at.route(read().to(identity::profile)).route(web::put().to(identity::save_profile))
    }),
    Endpoint::new("/api/v2/user/preferences", READ_PUT, Gated::General, |at| {
        at.route(read().to(identity::preferences)).route(web::put().to(identity::save_preferences))
    }),
    api("/api/v2/notifications", Gated::General, |at| at.route(read().to(notifications::list_notifications))),
    api("/api/v2/notifications/unread-count", Gated::General, |at| at.route(read().to(notifications::unread_count))),
    api("/api/v2/notifications/health", Gated::General, |at| at.route(read().to(notifications::notifications_health))),
    Endpoint::new("/api/v2/notifications/settings", READ_PUT, Gated::General, |at| {
        at.route(read().to(notifications::notification_settings)).route(web::put().to(notifications::save_notification_settings))
    }),
    Endpoint::new("/api/v2/notifications/read-all", "PUT", Gated::General, |at| {
        at.route(web::put().to(notifications::mark_all_read))
    }),
    Endpoint::new("/api/v2/notifications/webhooks", READ_POST, Gated::General, |at| {
        at.route(read().to(notifications::list_webhooks)).route(web::post().to(notifications::add_webhook))
    }),
    Endpoint::new("/api/v2/notifications/webhooks/{id}", "DELETE", Gated::General, |at| {
        at.route(web::delete().to(notifications::remove_webhook))
    }),
    Endpoint::new("/api/v2/notifications/webhooks/{id}/test", "POST", Gated::General, |at| {
        at.route(web::post().to(notifications::test_webhook))
    }),
    api("/api/alerts", Gated::General, |at| at.route(read().to(notifications::own_alerts))),
    api("/api/alerts/history", Gated::General, |at| at.route(read().to(notifications::alert_history))),
    Endpoint::new("/api/v2/user/alerts", READ_POST, Gated::General, |at| {
        at.route(read().to(notifications::price_alerts)).route(web::post().to(notifications::create_price_alert))
    }),
    Endpoint::new("/api/v2/user/alerts/{id}", "DELETE", Gated::General, |at| {
        at.route(web::delete().to(notifications::delete_price_alert))
    }),
    Endpoint::new("/api/v2/notifications/alerts", READ_POST, Gated::General, |at| {
        at.route(read().to(notifications::list_alert_rules)).route(web::post().to(notifications::create_alert_rule))
    }),
    Endpoint::new("/api/v2/notifications/alerts/{id}", "PUT, DELETE", Gated::General, |at| {
        at.route(web::put().to(notifications::change_alert_rule)).route(web::delete().to(notifications::delete_alert_rule))
    }),
    Endpoint::new("/api/v2/notifications/{id}/read", "PUT", Gated::General, |at| {
        at.route(web::put().to(notifications::mark_read))
    }),
    Endpoint::new("/api/v2/notifications/{id}", "DELETE", Gated::General, |at| {
        at.route(web::delete().to(notifications::remove_notification))
    }),
    api("/api/v2/user/health", Gated::General, |at| at.route(read().to(identity::user_health))),
    api("/api/v2/user/stats", Gated::General, |at| at.route(read().to(identity::stats))),
    api("/api/v2/user/sessions", Gated::General, |at| at.route(read().to(identity::list_sessions))),
    Endpoint::new("/api/v2/user/sessions/{id}", "DELETE", Gated::General, |at| {
        at.route(web::delete().to(identity::remove_session))
    }),
    api("/api/v2/admin/stats", Gated::General, |at| at.route(read().to(operations::stats))),
    api("/api/v2/admin/audit", Gated::General, |at| at.route(read().to(operations::audit))),
    api("/api/v2/admin/users", Gated::General, |at| at.route(read().to(operations::users))),
    Endpoint::new("/api/v2/admin/users/{id}/lock", "POST", Gated::General, |at| at.route(web::post().to(operations::lock_user))),
    Endpoint::new("/api/v2/admin/users/{id}/unlock", "POST", Gated::General, |at| {
        at.route(web::post().to(operations::unlock_user))
    }),
    Endpoint::new("/api/v2/admin/users/{id}/sessions/revoke", "POST", Gated::General, |at| {
        at.route(web::post().to(operations::revoke_sessions))
    }),
    Endpoint::new("/api/v2/admin/cache/clear", "POST", Gated::General, |at| at.route(web::post().to(operations::clear_cache))),
    api("/api/monitoring/unified", Gated::General, |at| at.route(read().to(operations::unified))),
    api("/api/monitoring/alerts", Gated::General, |at| at.route(read().to(operations::monitor_alerts))),
    Endpoint::new("/api/monitoring/alerts/{id}/acknowledge", "POST", Gated::General, |at| {
        at.route(web::post().to(operations::acknowledge_alert))
    }),
    Endpoint::new("/api/v2/user/api-keys", "GET, HEAD, POST", Gated::General, |at| {
        at.route(read().to(identity::list_api_keys)).route(web::post().to(identity::create_api_key))
    }),
    Endpoint::new("/api/v2/user/api-keys/{id}", "DELETE", Gated::General, |at| {
        at.route(web::delete().to(identity::revoke_api_key))
    }),
    Endpoint::new("/api/chat", "POST", Gated::Chat, |at| at.route(web::post().to(assistant::chat))),
    Endpoint::new("/api/chat/history", "GET, HEAD, DELETE", Gated::General, |at| {
        at.route(read().to(assistant::history)).route(web::delete().to(assistant::forget_history))
    }),
    api("/api/prompts", Gated::Prompts, |at| at.route(read().to(assistant::prompts))),
    Endpoint::new("/api/feedback", "POST", Gated::Chat, |at| at.route(web::post().to(assistant::leave_feedback))),
    api("/openapi.json", Gated::General, |at| at.route(read().to(docs::openapi))),
    api("/asyncapi.json", Gated::General, |at| at.route(read().to(docs::asyncapi))),
    page("/docs", |at| at.route(read().to(docs::to_reference))),
    page("/docs/{file:.*}", |at| at.route(read().to(docs::reference))),
];

/// GET, and HEAD with the same headers.
fn read() -> actix_web::Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}

impl Endpoint {
    /// A route of the API; `methods` are those that `register` gives handlers.
    pub const fn new(path: &'static str, methods: &'static str, gated: Gated, register: fn(Resource) -> Resource) -> Self {
        Self { path, methods, is_api: true, gated, register }
    }

    /// The path, and the same with a slash after it: older clients ask for some with and some without.
    fn patterns(&self) -> Vec<String> {
        let with_slash = (self.is_api && !self.path.ends_with('/')).then(|| format!("{}/", self.path));
        std::iter::once(self.path.to_owned()).chain(with_slash).collect()
    }

    /// Whether its table of methods has this one.
    pub(super) fn takes(&self, method: &Method) -> bool {
        self.methods.split(", ").any(|named| named == method.as_str())
    }

    /// Adds it to an application, behind `gatekeeper`. Without one nothing is counted: that is for a port of our own network.
    pub(super) fn register(&self, config: &mut ServiceConfig, timeout: Duration, gatekeeper: Option<&Arc<Gatekeeper>>) {
        let endpoint = *self;
        let gate = Gate::new(self.gated, Some(self.path), gatekeeper.cloned());
        // A resource a pattern: the router compares a path without parameters as it is, and a list of patterns by expressions.
        for pattern in self.patterns() {
            let gate = Rc::clone(&gate);
            let resource = (self.register)(web::resource(pattern))
                .app_data(RouteTemplate(self.path))
                .default_service(web::to(move || ready(refused(endpoint.methods))))
                .wrap(from_fn(move |request, next| operations::administrators_only(endpoint, request, next)))
                .wrap(from_fn(move |request, next| plain_body(endpoint, request, next)))
                .wrap(from_fn(move |request, next| deadline(timeout, request, next)))
                .wrap(from_fn(move |request, next| Rc::clone(&gate).pass(request, next)));
            config.service(resource);
        }
    }
}

/// Everywhere else: counted as well, or whoever looks for paths could do so at any pace.
pub(super) fn elsewhere(
    gatekeeper: &Arc<Gatekeeper>,
) -> impl ServiceFactory<ServiceRequest, Config = (), Response = ServiceResponse, Error = Error, InitError = ()> + use<> {
    let gate = Gate::new(Gated::General, None, Some(Arc::clone(gatekeeper)));
    apply(from_fn(move |request, next| Rc::clone(&gate).pass(request, next)), web::to(not_found))
}

/// What no route takes.
pub(super) fn not_found() -> Ready<Result<HttpResponse, ApiError>> {
    ready(Err(ApiError::new(error_codes::NOT_FOUND)))
}

fn refused(methods: &'static str) -> Result<HttpResponse, ApiError> {
    Err(ApiError::new(error_codes::METHOD_NOT_ALLOWED).allow(methods))
}
