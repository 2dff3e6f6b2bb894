//! API keys: what each route takes of one, what a bad one costs, and how they are made and revoked.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use crate::http_support::{
    NOW, Server, code,
    gated::{Holder, Setup, all},
    header, json,
};
use coinlink::http::{ENDPOINTS, Gated, KEY_ACCESS, KeyAccess, key_access_markdown, openapi_json};
use coinlink_credentials::CheckedApiKeys;
use coinlink_domain::{
    identity::{ApiKey, ApiKeyId, ApiScope, ApiScopes, IpRange, Role, UserId},
    shared::rate_limit::RateLimits,
};
use coinlink_ports::identity::{Account, ApiKeyCodec as _};
use coinlink_testkit::{
    identity::{an_account, an_api_key},
    market::{fetched, some_totals, some_trending},
};
use reqwest::{Method, Response};
use serde_json::{Value, json as body};
use time::Duration;
use uuid::Uuid;

const PROFILE: &str = "/api/v2/user/profile";
const PRICES: &str = "/api/crypto/ticker";

/// A key of a new account, and its text.
fn with_key(server: &Server, change: impl FnOnce(ApiKey) -> ApiKey) -> (ApiKey, String) {
    let mut account = an_account(&format!("{}@example.org", Uuid::now_v7().simple()));
    // No scope is enough for what administrators watch.
    account.user.role = Role::Admin;
    server.behind.store.put_account(&account);
    another_key(server, account.user.id, change)
}

fn another_key(server: &Server, user: UserId, change: impl FnOnce(ApiKey) -> ApiKey) -> (ApiKey, String) {
    let key = an_api_key(user);
    let (text, digest) = CheckedApiKeys.mint(key.id, &[7; 32]);
    let key = ApiKey { digest, ..change(key) };
    server.behind.store.put_api_key(&key);
    (key, text.0)
}

fn scoped(scopes: &[ApiScope]) -> impl FnOnce(ApiKey) -> ApiKey {
    let scopes = ApiScopes::try_new(scopes.iter().copied()).unwrap();
    move |key| ApiKey { scopes, ..key }
}

/// Well-formed, and of nobody.
fn unknown(n: u128) -> String {
    CheckedApiKeys.mint(ApiKeyId(Uuid::from_u128(n)), &[9; 32]).0.0
}

async fn get(server: &Server, path: &str, key: &str) -> Response {
    server.get_with(path, "x-api-key", key).await
}

async fn refusal(server: &Server, path: &str, key: &str) -> (u16, String) {
    let response = get(server, path, key).await;
    (response.status().as_u16(), code(response).await)
}

fn pair(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[actix_web::test]
async fn every_method_of_every_route_takes_exactly_the_keys_that_the_table_says() {
    let server = Server::start();
    server.tick(1);
    server.bulletins.take_totals(fetched(some_totals(), NOW));
    server.bulletins.take_trending(fetched(some_trending(1), NOW));
    let mut sets: Vec<Vec<ApiScope>> = ApiScope::ALL.iter().map(|scope| vec![*scope]).collect();
    sets.push(ApiScope::ALL.to_vec());
    let keys: Vec<_> = sets.iter().map(|scopes| (scopes, with_key(&server, scoped(scopes)).1)).collect();
    // Made beforehand: what asks for it first waits, and a request has 200 ms here.
    openapi_json();
    let mut seen = 0;
    for endpoint in ENDPOINTS.iter().filter(|endpoint| endpoint.gated != Gated::Exempt) {
        let path = endpoint.path.replace("{id}", "018f3e9a-5b7c-7def-8123-456789abcdef").replace("{file:.*}", "index.html");
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] {
            let named = endpoint.methods.split(", ").any(|named| named == method);
            let row = KEY_ACCESS
                .iter()
                .find(|(of, methods, _)| *of == endpoint.path && methods.split(", ").any(|named| named == method));
            assert_eq!(row.is_some(), named, "{method} {path}");
            let access = row.map_or(KeyAccess::Forbidden, |(.., access)| *access);
            for (scopes, key) in &keys {
                let what = format!("{method} {path} with {scopes:?}");
                let request = server.request(Method::from_bytes(method.as_bytes()).unwrap(), &path).header("x-api-key", key);
                let response = request.send().await.unwrap();
                let status = response.status().as_u16();
                seen += 1;
                match access {
                    KeyAccess::Forbidden => assert_eq!(status, 403, "{what}"),
                    access if access.needed().any(|scope| !scopes.contains(&scope)) => {
                        assert_eq!(status, 403, "{what}");
                        let scope = access.needed().find(|scope| !scopes.contains(scope)).unwrap();
                        if method != "HEAD" {
                            let body = json(response).await;
                            let told = (&body["error"]["code"], &body["error"]["details"]["scope"]);
                            assert_eq!(told, (&"scope_missing".into(), &scope.name().into()), "{what}");
                        }
                        continue;
                    }
                    _ => {
                        assert!(!matches!(status, 401 | 403 | 405 | 429) && status < 500, "{what}: {status}");
                        continue;
                    }
                }
                if method != "HEAD" {
                    assert_eq!(code(response).await, "key_not_allowed", "{what}");
                }
            }
        }
    }
    assert!(seen > 600, "{seen}");
    assert_eq!(refusal(&server, "/nowhere", &keys[0].1).await, pair(404, "not_found"));
    server.stop().await;
}

/// What a key reaches, written down here once more: whoever opens a route to keys says so in two places.
const OPEN_TO_KEYS: &[(&str, &str)] = &[
    ("/", "GET"),
    ("/page.js", "GET"),
    ("/favicon.ico", "GET"),
    ("/health", "GET"),
    ("/livez", "GET"),
    ("/readyz", "GET"),
    ("/readyz/node", "GET"),
    ("/metrics", "GET"),
    ("/api/crypto/ticker", "GET"),
    ("/api/bitcoin/price", "GET"),
    ("/api/v2/market/bitcoin/history", "GET"),
    ("/api/v2/market/{symbol}/candles", "GET"),
    ("/api/metrics", "GET"),
    ("/api/stream/ticker", "GET"),
    ("/api/connections", "GET"),
    ("/ws", "GET"),
    ("/.well-known/jwks.json", "GET"),
    ("/openapi.json", "GET"),
    ("/asyncapi.json", "GET"),
    ("/docs", "GET"),
    ("/docs/{file:.*}", "GET"),
    // A script, the same for everybody.
    ("/account/page.js", "GET"),
    ("/api/v2/user/profile", "GET"),
    ("/api/v2/user/profile", "PUT"),
    ("/api/v2/user/preferences", "GET"),
    ("/api/v2/user/preferences", "PUT"),
    ("/api/v2/user/stats", "GET"),
    ("/api/v2/user/health", "GET"),
    ("/api/chat", "POST"),
    ("/api/chat/history", "GET"),
    ("/api/chat/history", "DELETE"),
    ("/api/prompts", "GET"),
    ("/api/feedback", "POST"),
    ("/api/alerts", "GET"),
    ("/api/alerts/history", "GET"),
    ("/api/bitcoin/news", "GET"),
    ("/api/bitcoin/sentiment", "GET"),
    ("/api/bitcoin/market-summary", "GET"),
    ("/api/bitcoin/analyze", "POST"),
    ("/api/v2/market/bitcoin/price", "GET"),
    ("/api/v2/market/crypto/ticker", "GET"),
    ("/api/v2/market/health", "GET"),
    ("/api/v2/notifications", "GET"),
    ("/api/v2/notifications/unread-count", "GET"),
    ("/api/v2/notifications/health", "GET"),
    ("/api/v2/notifications/read-all", "PUT"),
    ("/api/v2/notifications/{id}/read", "PUT"),
    ("/api/v2/notifications/{id}", "DELETE"),
    ("/api/v2/market/stats", "GET"),
    ("/api/v2/market/trending", "GET"),
    ("/api/v2/user/alerts", "GET"),
    ("/api/v2/user/alerts", "POST"),
    ("/api/v2/user/alerts/{id}", "DELETE"),
    ("/api/v2/notifications/alerts", "GET"),
    ("/api/v2/notifications/alerts", "POST"),
    ("/api/v2/notifications/alerts/{id}", "PUT"),
    ("/api/v2/notifications/alerts/{id}", "DELETE"),
    ("/api/monitoring/unified", "GET"),
    ("/api/monitoring/alerts", "GET"),
];

#[test]
fn what_is_not_named_as_open_to_keys_is_forbidden_to_them() {
    let mut open = Vec::new();
    for endpoint in ENDPOINTS {
        for method in endpoint.methods.split(", ") {
            let seen = if method == "HEAD" { "GET" } else { method };
            let is_open = OPEN_TO_KEYS.contains(&(endpoint.path, seen));
            let access = KeyAccess::of(Some(endpoint.path), method);
            assert_eq!(access != KeyAccess::Forbidden, is_open, "{method} {}: {access:?}", endpoint.path);
            open.extend(is_open.then_some(endpoint.path));
        }
    }
    // Neither list holds what the other lacks.
    for (path, _) in OPEN_TO_KEYS {
        assert!(*path == "/metrics" || open.contains(path), "{path} is no route");
    }
    for (path, methods, access) in KEY_ACCESS.iter().filter(|(.., access)| *access != KeyAccess::Forbidden) {
        let named =
            methods.split(", ").all(|method| OPEN_TO_KEYS.contains(&(*path, if method == "HEAD" { "GET" } else { method })));
        assert!(named, "{methods} {path}: {access:?}");
    }
    for path in
        ["/account/verify", "/account/reset", "/account/change", "/account/undo", "/api/auth/verify", "/api/v2/auth/verify"]
    {
        assert_eq!(KeyAccess::of(Some(path), "GET"), KeyAccess::Forbidden, "{path}");
    }
}

#[test]
fn the_document_of_keys_shows_the_table_as_it_is() {
    const BEGIN: &str = "<!-- made from crates/server/src/http/gate/key_access.rs -->\n";
    const END: &str = "<!-- end -->\n";
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/api-keys.md");
    let written = std::fs::read_to_string(path).unwrap();
    let (before, rest) = written.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let expected = format!("{before}{BEGIN}{}{END}{after}", key_access_markdown());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, &expected).unwrap();
        return;
    }
    assert_eq!(written, expected, "run `UPDATE_DOCS=1 cargo test -p coinlink --test it http_api_keys`");
}

#[test]
fn the_openapi_document_says_where_a_key_may_be_sent() {
    let document: Value = serde_json::from_str(openapi_json()).unwrap();
    assert_eq!(document["components"]["securitySchemes"]["api_key"]["name"], "X-API-Key");
    for endpoint in ENDPOINTS.iter().filter(|endpoint| endpoint.is_api && endpoint.gated != Gated::Exempt) {
        for method in endpoint.methods.split(", ").filter(|method| *method != "HEAD") {
            let operation = &document["paths"][endpoint.path][method.to_lowercase()];
            let ways = operation["security"].as_array().cloned().unwrap_or_default();
            let scopes = ways.iter().find_map(|way| way.get("api_key"));
            let access = KeyAccess::of(Some(endpoint.path), method);
            let needed: Vec<&str> = access.needed().map(ApiScope::name).collect();
            let expected = (access != KeyAccess::Forbidden).then(|| body!(needed));
            assert_eq!(scopes, expected.as_ref(), "{method} {}", endpoint.path);
        }
    }
}

#[actix_web::test]
async fn a_key_acts_for_its_owner_and_is_counted_by_itself() {
    let server = Server::start();
    let (key, text) = with_key(&server, scoped(&[ApiScope::AccountRead, ApiScope::AccountWrite]));
    let profile = get(&server, PROFILE, &text).await;
    assert!(header(&profile, "ratelimit").unwrap().starts_with("\"api_key\";r=99999"), "{:?}", header(&profile, "ratelimit"));
    assert_eq!(json(profile).await["id"], key.user.0.to_string());
    let change = server.request(Method::PUT, PROFILE).header("x-api-key", &text).header("content-type", "application/json");
    let changed = json(change.body(r#"{"first_name":"Ada"}"#).send().await.unwrap()).await;
    assert_eq!(changed["first_name"], "Ada");
    let entry = server.behind.store.audit().pop().unwrap();
    assert_eq!((entry.user, entry.details["api_key"].clone()), (Some(key.user.0), key.id.to_string()));
    server.stop().await;
}

#[actix_web::test]
async fn of_two_credentials_none_is_taken() {
    let server = Server::start();
    let (_, text) = with_key(&server, scoped(&ApiScope::ALL));
    let request = |path: &str| server.request(Method::GET, path).header("x-api-key", &text);
    let ambiguous = pair(400, "ambiguous_credentials");
    let asked = async |request: reqwest::RequestBuilder| {
        let response = request.send().await.unwrap();
        (response.status().as_u16(), code(response).await)
    };
    assert_eq!(asked(request(PROFILE).header("authorization", Holder::new().bearer())).await, ambiguous);
    assert_eq!(asked(request(PRICES).header("authorization", "Basic YTpi")).await, ambiguous);
    assert_eq!(asked(request(PROFILE).header("cookie", "__Host-coinlink-access=a")).await, ambiguous);
    assert_eq!(asked(request(PROFILE).header("x-api-key", &text)).await, pair(401, "invalid_api_key"));
    let other_cookie = request(PROFILE).header("cookie", "theme=dark").send().await.unwrap();
    assert_eq!(other_cookie.status(), 200);
    server.stop().await;
}

#[actix_web::test]
async fn what_has_no_keys_form_is_refused_without_the_store_and_costs_its_address() {
    let server = Server::start_with(Setup::limited(RateLimits { anonymous: 40, ..all(1_000) }));
    let (_, text) = with_key(&server, |key| key);
    let before = server.behind.store.calls();
    let mut mistyped = text.clone();
    mistyped.replace_range(20..21, if &text[20..21] == "0" { "1" } else { "0" });
    for bad in ["", "ck_", &mistyped, &text.to_uppercase(), &text[..text.len() - 1], &format!("{text}0")] {
        for path in [PRICES, "/", "/api/v2/auth/login", "/nowhere"] {
            assert_eq!(refusal(&server, path, bad).await, pair(401, "invalid_api_key"), "{bad} {path}");
        }
    }
    assert_eq!(server.behind.store.calls(), before);
    for _ in 24..40 {
        let response = get(&server, PRICES, &mistyped).await;
        assert_eq!((response.status().as_u16(), header(&response, "www-authenticate")), (401, Some("Bearer")));
    }
    assert_eq!(refusal(&server, PRICES, &mistyped).await, pair(429, "rate_limited"));
    assert_eq!(server.get("/").await.status(), 429, "it is the address's own window");
    assert_eq!(get(&server, PRICES, &text).await.status(), 200, "a good key has a window of its own");
    server.stop().await;
}

#[actix_web::test]
async fn random_keys_cost_a_bounded_number_of_reads() {
    let server = Server::start();
    let before = server.behind.store.calls();
    let mut told = [0, 0];
    for n in 0..1_000 {
        match refusal(&server, PRICES, &unknown(n)).await {
            (401, code) if code == "invalid_api_key" => told[0] += 1,
            (429, code) if code == "rate_limited" => told[1] += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(told, [60, 940]);
    assert_eq!(server.behind.store.calls() - before, 60);
    server.stop().await;
}

#[actix_web::test]
async fn a_key_is_charged_once_it_is_verified_and_before_its_scope_is_looked_at() {
    let server = Server::start_with(Setup::limited(RateLimits { api_key: 3, ..all(1_000) }));
    let (key, text) = with_key(&server, |key| key);
    let wrong = CheckedApiKeys.mint(key.id, &[8; 32]).0.0;
    for _ in 0..10 {
        assert_eq!(refusal(&server, PRICES, &wrong).await, pair(401, "invalid_api_key"));
    }
    assert_eq!(refusal(&server, PROFILE, &text).await, pair(403, "scope_missing"));
    assert_eq!(refusal(&server, "/api/v2/auth/verify", &text).await, pair(403, "key_not_allowed"));
    assert_eq!(get(&server, PRICES, &text).await.status(), 200);
    let limited = get(&server, PROFILE, &text).await;
    assert_eq!((limited.status().as_u16(), header(&limited, "x-ratelimit-limit")), (429, Some("3")));
    let (_, other) = another_key(&server, key.user, |key| key);
    assert_eq!(get(&server, PRICES, &other).await.status(), 200, "another key of the same account");
    server.stop().await;
}

#[actix_web::test]
async fn networks_are_of_the_client_behind_the_proxy_and_of_whole_addresses() {
    let server = Server::start_with(Setup::default().behind_a_proxy());
    let networks = ["192.0.2.0/24", "2001:db8::7/128"].map(|text| IpRange::try_new(text).unwrap()).to_vec();
    let (_, text) = with_key(&server, |key| ApiKey { networks, ..key });
    for (from, status) in [("192.0.2.77", 200), ("198.51.100.1", 401), ("2001:db8::7", 200), ("2001:db8::8", 401)] {
        let request = server.request(Method::GET, PRICES).header("x-api-key", &text).header("x-forwarded-for", from);
        assert_eq!(request.send().await.unwrap().status(), status, "{from}");
    }
    server.stop().await;
}

#[actix_web::test]
async fn a_key_that_is_over_or_whose_account_is_switched_off_is_refused() {
    let server = Server::start();
    let (_, expiring) = with_key(&server, |key| ApiKey { expires_at: Some(crate::http_support::NOW + Duration::SECOND), ..key });
    let (key, text) = with_key(&server, |key| key);
    assert_eq!(get(&server, PRICES, &expiring).await.status(), 200);
    assert_eq!(get(&server, PRICES, &text).await.status(), 200);
    let Account { mut user, password } =
        server.behind.store.accounts().into_iter().find(|account| account.user.id == key.user).unwrap();
    user.is_active = false;
    server.behind.store.put_account(&Account { user, password });
    server.behind.clock.advance(Duration::SECOND);
    assert_eq!(refusal(&server, PRICES, &expiring).await, pair(401, "invalid_api_key"));
    assert_eq!(refusal(&server, PRICES, &text).await, pair(401, "invalid_api_key"));
    server.stop().await;
}

#[actix_web::test]
async fn while_the_store_is_away_keys_hear_so_and_the_public_goes_on() {
    let server = Server::start();
    let (_, text) = with_key(&server, |key| key);
    assert_eq!(get(&server, PRICES, &text).await.status(), 200);
    server.behind.store.fail_after(0);
    server.behind.clock.advance(Duration::SECOND);
    let away = get(&server, PRICES, &text).await;
    assert!(away.status() == 503 && header(&away, "retry-after").is_some());
    assert_eq!(code(away).await, "dependency_unavailable");
    assert_eq!(server.get(PRICES).await.status(), 200);
    server.behind.store.recover();
    assert_eq!(get(&server, PRICES, &text).await.status(), 200);
    server.stop().await;
}

async fn ask(server: &Server, method: Method, path: &str, token: &str, body: Option<Value>) -> (u16, Value) {
    let request = server.request(method, path).header("authorization", format!("Bearer {token}"));
    let request = match body {
        Some(body) => request.header("content-type", "application/json").body(body.to_string()),
        None => request,
    };
    let response = request.send().await.unwrap();
    (response.status().as_u16(), json(response).await)
}

async fn signed_up(server: &Server) -> String {
    let account = body!({"email": "ada@example.org", "password": PASSWORD}).to_string();
    let request = server.request(Method::POST, "/api/v2/auth/signup").header("content-type", "application/json");
    json(request.body(account).send().await.unwrap()).await["tokens"]["access_token"].as_str().unwrap().to_owned()
}

const KEYS: &str = "/api/v2/user/api-keys";
const PASSWORD: &str = "Correct-horse-9-battery";

#[actix_web::test]
async fn a_key_is_made_shown_without_its_text_and_revoked() {
    let server = Server::start();
    let token = signed_up(&server).await;
    let new = body!({"name": "Bot", "scopes": ["account:read", "market:read"], "allowed_networks": ["127.0.0.9/8"], "expires_at": "2030-01-01T01:00:00+01:00", "password": PASSWORD});
    let (status, made) = ask(&server, Method::POST, KEYS, &token, Some(new)).await;
    assert_eq!(status, 201, "{made}");
    let (text, id) = (made["key"].as_str().unwrap(), made["id"].as_str().unwrap());
    assert!(text.starts_with(&format!("ck_{}_", id.replace('-', ""))));
    assert_eq!(get(&server, PROFILE, text).await.status(), 200);

    let (_, shown) = ask(&server, Method::GET, KEYS, &token, None).await;
    assert_eq!(shown["data"][0]["scopes"], body!(["market:read", "account:read"]));
    assert_eq!(shown["data"][0]["allowed_networks"], body!(["127.0.0.0/8"]));
    assert_eq!((&shown["data"][0]["expires_at"], &shown["data"][0]["id"]), (&"2030-01-01T00:00:00.000000Z".into(), &id.into()));
    assert!(!shown.to_string().contains(text.split('_').nth(2).unwrap()));

    let path = format!("{KEYS}/{id}");
    assert_eq!(ask(&server, Method::DELETE, &path, &token, None).await.0, 200);
    assert_eq!(ask(&server, Method::DELETE, &path, &token, None).await.0, 404);
    assert_eq!(ask(&server, Method::GET, KEYS, &token, None).await.1["data"], body!([]));
    server.behind.clock.advance(Duration::milliseconds(500));
    assert_eq!(refusal(&server, PROFILE, text).await, pair(401, "invalid_api_key"));
    server.stop().await;
}

#[actix_web::test]
async fn what_is_wrong_with_a_new_key_is_told_by_field() {
    let server = Server::start();
    let token = signed_up(&server).await;
    for (change, field) in [
        (body!({"name": " "}), "name"),
        (body!({"scopes": []}), "scopes"),
        (body!({"scopes": ["market:read", "all"]}), "scopes"),
        (body!({"allowed_networks": ["10.0.0.0/33"]}), "allowed_networks"),
        (body!({"allowed_networks": vec!["::1"; 21]}), "allowed_networks"),
        (body!({"expires_at": "tomorrow"}), "expires_at"),
        (body!({"expires_at": "2025-12-31T23:59:59Z"}), "expires_at"),
        (body!({"password": "wrong"}), "password"),
        (body!({"password": ""}), "password"),
        (body!({"password": "x".repeat(513)}), "password"),
    ] {
        let mut new = body!({"name": "Bot", "scopes": ["market:read"], "password": PASSWORD});
        new.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let (status, told) = ask(&server, Method::POST, KEYS, &token, Some(new)).await;
        assert_eq!((status, &told["error"]["code"]), (400, &"invalid_input".into()), "{change}");
        assert!(told["error"]["details"][field].is_string(), "{change}: {told}");
    }
    let (status, told) =
        ask(&server, Method::POST, KEYS, &token, Some(body!({"name": "Bot", "scopes": [], "password": PASSWORD, "admin": true})))
            .await;
    assert_eq!((status, &told["error"]["code"]), (400, &"invalid_json".into()));
    assert_eq!(ask(&server, Method::GET, KEYS, &token, None).await.1["data"], body!([]));
    server.stop().await;
}

#[actix_web::test]
async fn an_account_with_as_many_keys_as_it_may_have_hears_so() {
    let server = Server::start();
    let token = signed_up(&server).await;
    let user = server.behind.store.accounts()[0].user.id;
    for _ in 0..25 {
        server.behind.store.put_api_key(&an_api_key(user));
    }
    let new = body!({"name": "Bot", "scopes": ["market:read"], "password": PASSWORD});
    let (status, told) = ask(&server, Method::POST, KEYS, &token, Some(new)).await;
    assert_eq!((status, &told["error"]["code"]), (409, &"too_many_keys".into()));
    server.stop().await;
}

#[actix_web::test]
async fn making_keys_counts_as_trying_a_password() {
    let server = Server::start_with(Setup::limited(RateLimits { credentials: 3, ..all(1_000) }));
    let token = signed_up(&server).await;
    let new = body!({"name": "Bot", "scopes": ["market:read"], "password": PASSWORD});
    let mut told = Vec::new();
    for _ in 0..5 {
        told.push(ask(&server, Method::POST, KEYS, &token, Some(new.clone())).await.0);
    }
    assert_eq!(told, [201, 201, 201, 429, 429]);
    assert_eq!(ask(&server, Method::GET, KEYS, &token, None).await.0, 200);
    server.stop().await;
}

#[actix_web::test]
async fn who_made_as_many_keys_today_as_may_be_hears_why_there_is_no_other() {
    let server = Server::start();
    let token = signed_up(&server).await;
    let user = server.behind.store.accounts()[0].user.id;
    for _ in 0..25 {
        let at = crate::http_support::NOW;
        server.behind.store.put_api_key(&ApiKey { created_at: at, revoked_at: Some(at), ..an_api_key(user) });
    }
    let new = body!({"name": "Bot", "scopes": ["market:read"], "password": PASSWORD});
    let (status, told) = ask(&server, Method::POST, KEYS, &token, Some(new)).await;
    assert_eq!((status, &told["error"]["code"]), (409, &"too_many_keys".into()));
    assert!(told["error"]["message"].as_str().unwrap().contains("25 API keys a day"), "{told}");
    server.stop().await;
}

#[actix_web::test]
async fn keys_are_listed_by_the_page_and_a_cursor_of_another_list_is_none() {
    let server = Server::start();
    let token = signed_up(&server).await;
    let user = server.behind.store.accounts()[0].user.id;
    for n in 0..5 {
        server.behind.store.put_api_key(&ApiKey { created_at: crate::http_support::NOW - Duration::days(n), ..an_api_key(user) });
    }
    let (mut path, mut days, mut lengths) = (format!("{KEYS}?limit=2"), Vec::new(), Vec::new());
    loop {
        let (status, page) = ask(&server, Method::GET, &path, &token, None).await;
        assert_eq!((status, &page["page"]["limit"]), (200, &2.into()), "{page}");
        let keys = page["data"].as_array().unwrap();
        lengths.push(keys.len());
        days.extend(keys.iter().map(|key| key["created_at"].as_str().unwrap().to_owned()));
        let next = page["page"]["next_cursor"].as_str();
        assert_eq!(page["page"]["has_more"], next.is_some());
        let Some(next) = next else { break };
        path = format!("{KEYS}?limit=2&cursor={next}");
    }
    assert_eq!(lengths, [2, 2, 1]);
    assert!(days.len() == 5 && days.is_sorted_by(|one, other| one > other), "{days:?}");
    for bad in ["limit=0", "limit=101", "limit=x", "cursor=x", "cursor=dQ", "after=1"] {
        let (status, told) = ask(&server, Method::GET, &format!("{KEYS}?{bad}"), &token, None).await;
        assert_eq!((status, &told["error"]["code"]), (400, &"invalid_query".into()), "{bad}");
    }
    server.stop().await;
}

#[actix_web::test]
async fn signing_out_everywhere_and_another_password_revoke_keys_where_the_body_says_so() {
    let server = Server::start();
    let token = signed_up(&server).await;
    let user = server.behind.store.accounts()[0].user.id;
    another_key(&server, user, |key| key);
    let revoked = || server.behind.store.api_keys().iter().filter(|key| key.revoked_at.is_some()).count();
    let other = "Another-horse-9-battery";
    for (from, to, said, so_far) in [
        (PASSWORD, other, body!({}), 0),
        (other, PASSWORD, body!({"revoke_api_keys": false}), 0),
        (PASSWORD, other, body!({"revoke_api_keys": true}), 1),
    ] {
        let mut change = body!({"current_password": from, "new_password": to});
        change.as_object_mut().unwrap().extend(said.as_object().unwrap().clone());
        assert_eq!(ask(&server, Method::POST, "/api/v2/auth/password/change", &token, Some(change)).await.0, 200);
        assert_eq!(revoked(), so_far);
    }
    another_key(&server, user, |key| key);
    let everywhere = "/api/v2/auth/logout-all";
    assert_eq!(ask(&server, Method::POST, everywhere, &token, Some(body!({"keys": true}))).await.0, 400);
    assert_eq!(ask(&server, Method::POST, everywhere, &token, Some(body!({"revoke_api_keys": true}))).await.0, 200);
    assert_eq!(revoked(), 2);
    server.stop().await;
}
