//! `GET /`: facts for programs, a page of live prices for browsers.

use std::sync::LazyLock;

use actix_web::{
    HttpRequest, HttpResponse, Responder as _,
    http::header::{self, HeaderValue},
    web::Data,
};
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::{
    Conditional, Environment,
    coding::weight,
    conditional::{Unchanged, etag_of},
};
use crate::wire::rfc3339;

/// The page as it is written: one file.
const PAGE: &str = include_str!("page.html");

/// The page and its script apart: our Content-Security-Policy runs no script that stands in a page.
struct Parts {
    html: Conditional,
    script: Conditional,
}

static PARTS: LazyLock<Parts> = LazyLock::new(|| {
    let (html, script) = apart(PAGE);
    let document = |text: String, content_type| Conditional {
        etag: etag_of("page", text.as_bytes()),
        body: text.into(),
        content_type: HeaderValue::from_static(content_type),
        cache_control: HeaderValue::from_static("no-cache"),
    };
    Parts { html: document(html, "text/html; charset=utf-8"), script: document(script, "text/javascript; charset=utf-8") }
});

fn apart(page: &str) -> (String, String) {
    const OPEN: &str = "<script>";
    const CLOSE: &str = "</script>";
    let found =
        page.split_once(OPEN).and_then(|(before, rest)| rest.split_once(CLOSE).map(|(script, after)| (before, script, after)));
    match found {
        Some((before, script, after)) => (format!("{before}<script src=\"/page.js\">{CLOSE}{after}"), script.to_owned()),
        None => (page.to_owned(), String::new()),
    }
}

static ICON: LazyLock<Conditional> = LazyLock::new(|| {
    let text =
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><circle cx="8" cy="8" r="7" fill="#0b57b0"/></svg>"##;
    Conditional {
        etag: etag_of("icon", text.as_bytes()),
        body: text.into(),
        content_type: HeaderValue::from_static("image/svg+xml"),
        cache_control: HeaderValue::from_static("public, max-age=86400"),
    }
});

/// The facts change with a release and, by their time, with each start: so nodes tell them under tags of their own. The page is of no use beside
/// the script of another release.
const CACHE: &str = "public, max-age=3600";
/// Since when this node tells them.
static SINCE: LazyLock<OffsetDateTime> = LazyLock::new(OffsetDateTime::now_utc);

/// The picture that browsers ask every host for.
pub(super) async fn icon() -> Conditional {
    ICON.clone()
}

/// What this server is.
#[derive(Serialize, ToSchema)]
pub(super) struct HomeBody {
    pub message: &'static str,
    pub version: &'static str,
    pub status: &'static str,
    /// Since when this node says so: none of it changes while it runs.
    #[schema(format = DateTime)]
    pub timestamp: String,
    pub environment: String,
    /// Path of the API reference.
    pub documentation: &'static str,
    pub api_endpoints: ApiEndpoints,
    pub features: &'static [&'static str],
}

/// Where to go from here.
#[derive(Serialize, ToSchema)]
pub(super) struct ApiEndpoints {
    pub ticker: &'static str,
    pub bitcoin_price: &'static str,
    pub ticker_stream: &'static str,
    pub market_summary: &'static str,
    pub news: &'static str,
    pub sentiment: &'static str,
    pub analyze: &'static str,
    pub history: &'static str,
    pub candles: &'static str,
    pub market_stats: &'static str,
    pub trending: &'static str,
    pub chat: &'static str,
    pub chat_history: &'static str,
    pub prompts: &'static str,
    pub feedback: &'static str,
    pub alerts: &'static str,
    pub price_alerts: &'static str,
    pub notifications: &'static str,
    pub webhooks: &'static str,
    pub websocket: &'static str,
    pub connections: &'static str,
    pub metrics: &'static str,
    pub monitoring: &'static str,
    pub sign_up: &'static str,
    pub sign_in: &'static str,
    pub profile: &'static str,
    pub preferences: &'static str,
    pub api_keys: &'static str,
    pub rate_limit: &'static str,
    pub health: &'static str,
    pub openapi: &'static str,
    pub asyncapi: &'static str,
}

const API_ENDPOINTS: ApiEndpoints = ApiEndpoints {
    ticker: "/api/crypto/ticker",
    bitcoin_price: "/api/bitcoin/price",
    ticker_stream: "/api/stream/ticker",
    market_summary: "/api/bitcoin/market-summary",
    news: "/api/bitcoin/news",
    sentiment: "/api/bitcoin/sentiment",
    analyze: "/api/bitcoin/analyze",
    history: "/api/v2/market/bitcoin/history",
    candles: "/api/v2/market/{symbol}/candles",
    market_stats: "/api/v2/market/stats",
    trending: "/api/v2/market/trending",
    chat: "/api/chat",
    chat_history: "/api/chat/history",
    prompts: "/api/prompts",
    feedback: "/api/feedback",
    alerts: "/api/v2/notifications/alerts",
    price_alerts: "/api/v2/user/alerts",
    notifications: "/api/v2/notifications",
    webhooks: "/api/v2/notifications/webhooks",
    websocket: "/ws",
    connections: "/api/connections",
    metrics: "/api/metrics",
    monitoring: "/api/monitoring/unified",
    sign_up: "/api/v2/auth/signup",
    sign_in: "/api/v2/auth/login",
    profile: "/api/v2/user/profile",
    preferences: "/api/v2/user/preferences",
    api_keys: "/api/v2/user/api-keys",
    rate_limit: "/api/v2/auth/rate-limit",
    health: "/health",
    openapi: "/openapi.json",
    asyncapi: "/asyncapi.json",
};

const FEATURES: &[&str] = &[
    "live-prices",
    "price-history",
    "market-overview",
    "news",
    "sentiment",
    "assistant",
    "alerts",
    "notifications",
    "webhooks",
    "websocket",
    "server-sent-events",
    "accounts",
    "second-factor",
    "wallet-sign-in",
    "api-keys",
    "rate-limits",
    "openapi",
    "asyncapi",
];

/// What this server is; for browsers (`Accept: text/html`) a page of live prices.
#[utoipa::path(
    get,
    path = "/",
    tag = "operations",
    responses(
        (status = 200, description = "Facts, or the page", content((HomeBody = "application/json"), (String = "text/html"))),
        Unchanged
    )
)]
pub(super) async fn index(request: HttpRequest, environment: Data<Environment>) -> HttpResponse {
    let accepted = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let shown = if prefers_html(accepted) { PARTS.html.clone() } else { facts(&environment) };
    let mut response = shown.respond_to(&request);
    // Both are long enough to be compressed. In one value: CORS adds to the first one, and drops others.
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept, accept-encoding"));
    response
}

fn facts(environment: &Environment) -> Conditional {
    let body = HomeBody {
        message: "CoinLink API",
        version: env!("CARGO_PKG_VERSION"),
        status: "operational",
        timestamp: rfc3339(*SINCE),
        environment: environment.0.to_string(),
        documentation: "/docs/",
        api_endpoints: API_ENDPOINTS,
        features: FEATURES,
    };
    Conditional::shared("home", &body, CACHE)
}

/// The page's script.
pub(super) async fn script() -> Conditional {
    PARTS.script.clone()
}

/// Whether `text/html` is asked for by name, and not less than JSON.
fn prefers_html(accepted: &str) -> bool {
    let asked = |name: &str| {
        accepted.split(',').find_map(|part| {
            let (media, parameters) = part.split_once(';').unwrap_or((part, ""));
            media.trim().eq_ignore_ascii_case(name).then(|| weight(parameters))
        })
    };
    asked("text/html").is_some_and(|html| html > 0 && html >= asked("application/json").unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn browsers_get_the_page_and_programs_the_facts() {
        for (accepted, html) in [
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true),
            ("*/*", false),
            ("application/json", false),
            ("", false),
            ("text/html;q=0", false),
            ("application/json, text/html;q=0.5", false),
            ("TEXT/HTML", true),
        ] {
            assert_eq!(prefers_html(accepted), html, "{accepted}");
        }
    }

    #[test]
    fn the_facts_name_routes_that_are_served_and_one_of_each_part() {
        let named = serde_json::to_value(API_ENDPOINTS).unwrap();
        let named: Vec<_> = named.as_object().unwrap().values().map(|path| path.as_str().unwrap().to_owned()).collect();
        let served: Vec<_> = crate::http::ENDPOINTS.iter().map(|endpoint| endpoint.path).collect();
        for path in &named {
            assert!(served.contains(&path.as_str()), "{path} is not served");
        }
        // Two parts of each path: `/api/chat`, `/api/v2/market`.
        let part =
            |path: &str| path.trim_start_matches("/api/v2").trim_start_matches("/api").split('/').nth(1).map(str::to_owned);
        let parts: Vec<_> = named.iter().filter_map(|path| part(path)).collect();
        for path in served.iter().filter(|path| path.starts_with("/api/") && !path.starts_with("/api/v2/admin")) {
            assert!(part(path).is_some_and(|part| parts.contains(&part) || part == "alerts"), "nothing tells of {path}");
        }
    }

    #[test]
    fn the_pages_script_is_served_apart_from_it() {
        let (html, script) = apart("<p>a</p><script>let b = 1;</script><p>c</p>");
        assert_eq!(html, "<p>a</p><script src=\"/page.js\"></script><p>c</p>");
        assert_eq!(script, "let b = 1;");
        let (html, _) = apart(PAGE);
        assert!(!html.contains("<script>"), "one script only: {html}");
        assert!(!html.contains("onclick=") && !html.contains("http-equiv"), "what the policy forbids");
    }

    proptest! {
        #[test]
        fn no_accept_header_panics(accepted in "[ -~]{0,80}") {
            let _ = prefers_html(&accepted);
        }
    }
}
