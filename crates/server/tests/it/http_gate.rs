//! What stands before every route: how often each kind may be called, and what is told of it.

use std::{
    collections::BTreeSet,
    sync::{Arc, atomic::Ordering},
};

use crate::http_support::{
    NOW, ORIGIN, Server, code,
    gated::{self, Behind, Holder, Setup, all},
    header,
    limits::{HEADERS, counted, let_in, members, number},
    parts,
};
use actix_web::test::{TestRequest, call_service, init_service};
use coinlink::{
    broadcast::Broadcaster,
    config::ForwardedHeader,
    http::{ENDPOINTS, Gated, METRICS, app_with},
};
use coinlink_domain::shared::rate_limit::{PromptQuota, RateLimits};
use coinlink_testkit::shared::StoppedClock;
use reqwest::{Method, RequestBuilder};
use time::Duration;

const LIMITS: RateLimits = RateLimits {
    anonymous: 3,
    authenticated: 5,
    api_key: 1,
    credentials: 2,
    session: 4,
    chat: 6,
    price: 7,
    prompts: PromptQuota::OFF,
};

#[test]
fn every_endpoint_names_its_class_and_only_probes_and_scrapes_are_exempt() {
    let of = |gated| {
        let endpoints = ENDPOINTS.iter().chain([&METRICS]);
        endpoints.filter(|endpoint| endpoint.gated == gated).map(|endpoint| endpoint.path).collect::<BTreeSet<_>>()
    };
    assert_eq!(of(Gated::Exempt), BTreeSet::from(["/livez", "/readyz", "/readyz/node", "/health", "/metrics"]));
    let prices = [
        "/api/bitcoin/price",
        "/api/bitcoin/market-summary",
        "/api/crypto/ticker",
        "/api/v2/market/bitcoin/price",
        "/api/v2/market/crypto/ticker",
    ];
    assert_eq!(of(Gated::Price), BTreeSet::from(prices));
    assert_eq!(of(Gated::Chat), BTreeSet::from(["/api/chat", "/api/feedback"]));
    assert_eq!(of(Gated::Prompts), BTreeSet::from(["/api/prompts"]));
    let credentials = [
        "/api/v2/auth/signup",
        "/api/v2/auth/login",
        "/api/v2/auth/password/change",
        "/api/v2/auth/password/forgot",
        "/api/v2/auth/email/change",
        "/api/v2/auth/email/resend",
        "/api/v2/auth/2fa/setup",
        "/api/v2/auth/2fa/confirm",
        "/api/v2/auth/2fa/verify",
        "/api/v2/auth/2fa/disable",
        "/api/v2/auth/2fa/recovery-codes",
        "/api/v2/auth/wallet/challenge",
        "/api/v2/auth/wallet/verify",
        "/api/v2/auth/wallet/link",
    ];
    assert_eq!(of(Gated::Credentials), BTreeSet::from(credentials));
    let session = ["/api/v2/auth/token/refresh", "/api/v2/auth/refresh", "/api/v2/auth/logout", "/api/v2/auth/csrf"];
    assert_eq!(of(Gated::Session), BTreeSet::from(session));
}

#[actix_web::test]
async fn each_kind_of_route_takes_exactly_its_number_of_requests() {
    let server = Server::start_with(Setup::limited(LIMITS));
    server.tick(1);
    let (ada, session) = (Holder::new(), Holder::new().session);
    let get = |path: &str| server.request(Method::GET, path);
    let as_ada = |path: &str| get(path).header("authorization", ada.bearer());
    let post = |path: &str| server.request(Method::POST, path);
    assert_eq!(let_in(|| get("/test/caller")).await, 3, "anonymous");
    assert_eq!(let_in(|| get("/api/connections")).await, 0, "general routes are counted together");
    assert_eq!(let_in(|| get("/api/stream/ticker")).await, 0, "a stream is one request, at its start");
    assert_eq!(let_in(|| get("/nothing/here")).await, 0, "and so is what is not there");
    assert_eq!(let_in(|| as_ada("/test/caller")).await, 5, "authenticated");
    assert_eq!(let_in(|| get("/test/chat")).await, 6, "chat by address");
    assert_eq!(let_in(|| as_ada("/test/chat")).await, 6, "chat by user");
    assert_eq!(let_in(|| get("/api/bitcoin/price")).await, 7, "price by address");
    assert_eq!(let_in(|| as_ada("/api/crypto/ticker")).await, 7, "price by user");
    assert_eq!(let_in(|| post("/test/credentials")).await, 2, "credentials");
    assert_eq!(let_in(|| post(&format!("/test/session?session={session}"))).await, 4, "session");
    let grace = Holder::new();
    assert_eq!(server.get_with("/test/caller", "authorization", &grace.bearer()).await.status(), 200, "nobody else is refused");
    server.stop().await;
}

#[actix_web::test]
async fn every_answer_tells_how_much_is_left_whatever_it_is() {
    let server = Server::start_with(Setup::limited(RateLimits { anonymous: 20, price: 20, ..all(20) }));
    let get = |path: &str| server.request(Method::GET, path);
    let post = |kind: &str, body: String| server.request(Method::POST, "/test/echo").header("content-type", kind).body(body);
    let asked = [
        (get("/test/caller"), 200),
        (get("/asyncapi.json").header("if-none-match", "*"), 304),
        (get("/docs"), 308),
        (get("/test/echo?number=one"), 400),
        (get("/test/signed-in"), 401),
        (get("/test/signed-in").header("authorization", "Bearer nonsense"), 401),
        (get("/nothing/here"), 404),
        (server.request(Method::DELETE, "/test/echo"), 405),
        (post("application/json", "{\"number\":1}".repeat(200)), 413),
        (post("text/plain", "x".to_owned()), 415),
        (get("/test/panic"), 500),
        (get("/test/slow"), 504),
    ];
    for (before, (request, status)) in asked.into_iter().enumerate() {
        let response = request.send().await.unwrap();
        let left = 19 - i64::try_from(before).unwrap();
        assert_eq!(response.status().as_u16(), status);
        assert_eq!((number(&response, "limit"), number(&response, "remaining")), (20, left), "{status}");
        assert_eq!(number(&response, "reset"), NOW.unix_timestamp() + 60, "{status}");
        assert_eq!(members(&response, "ratelimit-policy"), [named("anonymous", &[("q", 20), ("w", 60)])], "{status}");
        assert_eq!(members(&response, "ratelimit"), [named("anonymous", &[("r", left), ("t", 60)])], "{status}");
    }
    let unavailable = server.get("/api/bitcoin/price").await;
    assert_eq!((unavailable.status().as_u16(), counted(&unavailable)), (503, vec!["price".to_owned()]));
    server.stop().await;
}

fn named(name: &str, parameters: &[(&str, i64)]) -> (String, Vec<(String, i64)>) {
    (name.to_owned(), parameters.iter().map(|(key, value)| ((*key).to_owned(), *value)).collect())
}

#[actix_web::test]
async fn probes_and_scrapes_are_answered_always_and_told_of_no_limit() {
    let server = Server::start_with(Setup::limited(all(1)));
    assert_eq!(let_in(|| server.request(Method::GET, "/test/caller")).await, 1);
    server.behind.shared.down.store(true, Ordering::SeqCst);
    for path in ["/livez", "/readyz", "/readyz/node", "/health", "/metrics"] {
        for _ in 0..3 {
            let response = server.get_with(path, "authorization", "Bearer nonsense").await;
            assert_eq!(response.status(), 200, "{path}");
            assert!(HEADERS.iter().all(|name| header(&response, name).is_none()), "{path}");
        }
    }
    server.stop().await;
}

#[actix_web::test]
async fn a_stream_is_counted_once_at_its_start_and_goes_on_however_long() {
    let server = Server::start_with(Setup::limited(all(1)));
    server.tick(1);
    let mut stream = server.get("/api/stream/ticker").await;
    assert_eq!((stream.status().as_u16(), number(&stream, "remaining")), (200, 0));
    assert!(stream.chunk().await.unwrap().unwrap().starts_with(b"retry: "));
    for lines in 2..5 {
        server.tick(lines);
        assert!(stream.chunk().await.unwrap().unwrap().starts_with(b"id: "), "{lines}");
    }
    assert_eq!(server.get("/api/stream/ticker").await.status(), 429);
    drop(stream);
    server.stop().await;
}

#[actix_web::test]
async fn who_comes_back_when_told_to_is_let_in_and_not_a_moment_earlier() {
    let server = Server::start_with(Setup::limited(LIMITS));
    for second in [0, 10, 20] {
        assert_eq!(server.get("/test/caller").await.status(), 200, "{second}");
        server.behind.clock.advance(Duration::seconds(10));
    }
    server.behind.clock.advance(Duration::milliseconds(500));
    let refused = server.get("/test/caller").await;
    assert_eq!((refused.status().as_u16(), header(&refused, "retry-after")), (429, Some("30")), "29.5 s, rounded up");
    assert_eq!((number(&refused, "remaining"), number(&refused, "reset")), (0, NOW.unix_timestamp() + 60));
    assert_eq!(header(&refused, "cache-control"), Some("no-store"));
    assert_eq!(code(refused).await, "rate_limited");
    server.behind.clock.advance(Duration::milliseconds(29_499));
    let still = server.get("/test/caller").await;
    assert_eq!((still.status().as_u16(), header(&still, "retry-after")), (429, Some("1")), "a millisecond, rounded up");
    server.behind.clock.advance(Duration::milliseconds(1));
    assert_eq!(server.get("/test/caller").await.status(), 200);
    assert_eq!(server.get("/test/caller").await.status(), 429, "one only: the next left ten seconds later");
    server.stop().await;
}

#[actix_web::test]
async fn an_address_that_is_refused_uses_up_nobodys_account() {
    let server = Server::start_with(Setup::limited(LIMITS).behind_a_proxy());
    let attempt = |from: &'static str, email: &str| {
        server.request(Method::POST, &format!("/test/credentials?email={email}")).header("x-forwarded-for", from).send()
    };
    for email in ["one@example.org", "two@example.org"] {
        let response = attempt("203.0.113.1", email).await.unwrap();
        assert_eq!((response.status().as_u16(), counted(&response)), (200, strings(&["credentials"])));
    }
    for _ in 0..5 {
        let refused = attempt("203.0.113.1", "victim@example.org").await.unwrap();
        assert_eq!((refused.status().as_u16(), counted(&refused)), (429, strings(&["credentials"])));
    }
    for from in ["203.0.113.2", "203.0.113.3"] {
        assert_eq!(attempt(from, "Victim@Example.org").await.unwrap().status(), 200);
    }
    let guessed = attempt("203.0.113.4", "victim@example.org").await.unwrap();
    assert_eq!((guessed.status().as_u16(), counted(&guessed)), (429, strings(&["credentials", "credentials_account"])));
    assert!(header(&guessed, "retry-after").is_some());
    server.stop().await;
}

fn strings(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[actix_web::test]
async fn a_session_is_counted_by_itself_and_an_unreadable_token_by_its_address() {
    let server = Server::start_with(Setup::limited(LIMITS));
    let refresh = |query: &str| server.request(Method::POST, &format!("/test/session{query}"));
    for _ in 0..2 {
        let session = Holder::new().session;
        assert_eq!(let_in(|| refresh(&format!("?session={session}"))).await, 4);
    }
    assert_eq!(let_in(|| refresh("")).await, 3);
    let response = refresh("").send().await.unwrap();
    assert_eq!(counted(&response), ["anonymous"]);
    server.stop().await;
}

#[actix_web::test]
async fn a_made_up_x_forwarded_for_changes_nothing_unless_the_peer_is_trusted() {
    let from = |server: &Server, line: String| -> RequestBuilder {
        server.request(Method::GET, "/test/caller").header("x-forwarded-for", line)
    };
    let direct = Server::start_with(Setup::limited(LIMITS));
    for n in 0..4 {
        let response = from(&direct, format!("203.0.113.{n}")).send().await.unwrap();
        assert_eq!(response.status().as_u16(), if n < 3 { 200 } else { 429 }, "{n}");
    }
    direct.stop().await;
    let proxied = Server::start_with(Setup::limited(LIMITS).behind_a_proxy());
    for n in 0..4 {
        let response = from(&proxied, format!("198.51.100.{n}, 203.0.113.7")).send().await.unwrap();
        assert_eq!(response.status().as_u16(), if n < 3 { 200 } else { 429 }, "{n}");
    }
    let other = from(&proxied, "203.0.113.8".to_owned()).send().await.unwrap();
    assert_eq!(other.text().await.unwrap(), "anonymous 203.0.113.8");
    proxied.stop().await;
}

#[actix_web::test]
async fn the_header_that_trusted_proxies_do_not_write_changes_nothing() {
    let (x_forwarded_for, forwarded) = (("x-forwarded-for", ""), ("forwarded", "for="));
    for (setting, written, spoofed) in
        [(ForwardedHeader::XForwardedFor, x_forwarded_for, forwarded), (ForwardedHeader::Forwarded, forwarded, x_forwarded_for)]
    {
        let server = Server::start_with(Setup::limited(LIMITS).behind_a_proxy_that_writes(setting));
        for n in 0..4 {
            let request = server.request(Method::GET, "/test/caller").header(written.0, format!("{}203.0.113.7", written.1));
            let response = request.header(spoofed.0, format!("{}198.51.100.{n}", spoofed.1)).send().await.unwrap();
            assert_eq!(response.status().as_u16(), if n < 3 { 200 } else { 429 }, "{spoofed:?} {n}");
            if n < 3 {
                assert_eq!(response.text().await.unwrap(), "anonymous 203.0.113.7", "{spoofed:?} {n}");
            }
        }
        server.stop().await;
    }
}

#[actix_web::test]
async fn requests_whose_peer_is_not_known_are_counted_as_one_clients() {
    let broadcaster = Broadcaster::new(Arc::new(StoppedClock::at(NOW)));
    let parts = parts(Setup::limited(LIMITS), &Behind::default(), &broadcaster, &Arc::default());
    let app = init_service(app_with(&parts, gated::ENDPOINTS)).await;
    for n in 0..4 {
        let request = TestRequest::get().uri("/test/caller").insert_header(("x-forwarded-for", format!("203.0.113.{n}")));
        let response = call_service(&app, request.to_request()).await;
        assert_eq!(response.status().as_u16(), if n < 3 { 200 } else { 429 }, "{n}");
    }
}

#[actix_web::test]
async fn a_browser_may_read_why_it_was_refused_and_its_preflights_cost_nothing() {
    let server = Server::start_with(Setup::limited(all(1)));
    let preflight = || {
        let request = server.request(Method::OPTIONS, "/test/caller").header("origin", ORIGIN);
        request.header("access-control-request-method", "GET").header("access-control-request-headers", "authorization")
    };
    for _ in 0..5 {
        let response = preflight().send().await.unwrap();
        assert!(response.status().is_success() && HEADERS.iter().all(|name| header(&response, name).is_none()));
    }
    for (status, bearer) in [(401, Some("Bearer nonsense")), (429, None)] {
        let request = server.request(Method::GET, "/test/caller").header("origin", ORIGIN);
        let request = bearer.into_iter().fold(request, |request, bearer| request.header("authorization", bearer));
        let response = request.send().await.unwrap();
        assert_eq!(response.status().as_u16(), status);
        assert_eq!(header(&response, "access-control-allow-origin"), Some(ORIGIN), "{status}");
        assert_eq!(header(&response, "x-frame-options"), Some("DENY"), "{status}");
        let exposed = header(&response, "access-control-expose-headers").unwrap();
        for name in HEADERS.iter().chain(&["retry-after", "www-authenticate"]) {
            assert!(exposed.split(", ").any(|exposed| exposed == *name), "{name} in {exposed}");
        }
    }
    server.stop().await;
}

#[actix_web::test]
async fn while_the_nodes_cannot_count_together_each_is_stricter_by_itself_and_says_so() {
    let server = Server::start_with(Setup::limited(LIMITS));
    let scraped = async |line: &str| server.get("/metrics").await.text().await.unwrap().lines().any(|found| found == line);
    let get = || server.request(Method::GET, "/test/caller");
    server.behind.shared.down.store(true, Ordering::SeqCst);
    assert_eq!(let_in(get).await, 2, "half of three, rounded up");
    assert_eq!(let_in(|| server.request(Method::POST, "/test/credentials")).await, 1, "a third of two");
    assert!(scraped("coinlink_rate_limiter_fallback 1").await);
    assert!(scraped("coinlink_rate_limit_hits_total{class=\"anonymous\"} 1").await);
    assert!(scraped("coinlink_rate_limit_hits_total{class=\"credentials\"} 1").await);
    server.behind.shared.down.store(false, Ordering::SeqCst);
    server.behind.clock.advance(Duration::SECOND);
    assert_eq!(let_in(get).await, 3, "what was counted alone is not what is counted together");
    assert!(scraped("coinlink_rate_limiter_fallback 0").await);
    server.stop().await;
}

#[actix_web::test]
async fn what_a_handler_never_got_to_count_is_counted_by_address() {
    let server = Server::start_with(Setup::limited(RateLimits { anonymous: 3, ..all(100) }));
    let ask = async |method: Method, body: &'static str| {
        let request = server.request(method, "/api/v2/auth/token/refresh").header("content-type", "application/json");
        request.body(body).send().await.unwrap()
    };
    assert_eq!(ask(Method::POST, "{").await.status(), 400);
    assert_eq!(ask(Method::PUT, "{}").await.status(), 405);
    let last = ask(Method::POST, r#"{"token":1}"#).await;
    assert_eq!((last.status().as_u16(), header(&last, "x-ratelimit-remaining")), (400, Some("0")));
    let refused = ask(Method::POST, "{").await;
    assert_eq!((refused.status().as_u16(), header(&refused, "retry-after")), (429, Some("60")));
    server.stop().await;
}
