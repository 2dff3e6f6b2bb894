//! What each route answers, and that all are documented.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{collections::BTreeSet, sync::atomic::Ordering, time::Duration};

use crate::http_support::{Server, answers::misfit, header, json};
use coinlink::http::{ENDPOINTS, METRICS, openapi_json};
use reqwest::Method;
use serde_json::Value;

fn document() -> Value {
    serde_json::from_str(openapi_json()).unwrap()
}

#[test]
fn every_route_is_in_the_openapi_document_and_nothing_else_is() {
    let document = document();
    let documented: BTreeSet<_> = document["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    let served: BTreeSet<_> =
        ENDPOINTS.iter().chain([&METRICS]).filter(|endpoint| endpoint.is_api).map(|endpoint| endpoint.path).collect();
    assert_eq!(documented, served);
    assert_eq!(document["openapi"], "3.1.0");
    for endpoint in ENDPOINTS.iter().chain([&METRICS]).filter(|endpoint| endpoint.is_api) {
        let operations = document["paths"][endpoint.path].as_object().unwrap();
        // HEAD is documented with GET, whose headers it answers (RFC 9110, section 9.3.2).
        let served: BTreeSet<_> =
            endpoint.methods.split(", ").filter(|method| *method != "HEAD").map(str::to_lowercase).collect();
        assert_eq!(operations.keys().cloned().collect::<BTreeSet<_>>(), served, "{}", endpoint.path);
        for (method, operation) in operations {
            let described = operation["summary"].is_string() && operation["operationId"].is_string();
            assert!(described && operation["responses"].is_object(), "{method} {}", endpoint.path);
        }
    }
}

#[test]
fn the_document_leads_to_no_page_that_is_not_served() {
    assert!(!openapi_json().contains(".md"));
}

/// Refusals of a body for what is in it, whoever sends it.
const MALFORMED: [&str; 5] = ["invalid_input", "invalid_json", "bad_request", "reason_required", "code_required"];

#[actix_web::test]
async fn every_body_has_an_example_that_can_be_sent_as_it_is() {
    let (server, document) = (Server::start(), document());
    let mut bodies = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            if let Some(reference) = operation.pointer("/requestBody/content/application~1json/schema").map(reference) {
                bodies.push((path.replace("{id}", "018f3e9a-5b7c-7def-8123-456789abcdef"), method.to_uppercase(), reference));
            }
        }
    }
    assert!(bodies.len() > 25, "{}", bodies.len());
    // First the account that the examples speak of; at last what ends its sessions.
    bodies.sort_by_key(|(path, ..)| if path.ends_with("/signup") { 0 } else { 1 + i32::from(path.ends_with("/logout")) });
    let mut bearer = String::new();
    for (path, method, reference) in bodies {
        let schema = document.pointer(reference.trim_start_matches('#')).unwrap();
        if path.ends_with("/preferences") {
            // Each of its fields has a default.
            continue;
        }
        assert!(schema["example"].is_object(), "{reference} of {method} {path} has no example");
        let request = server.request(method.parse().unwrap(), &path).header("content-type", "application/json");
        let request = if bearer.is_empty() { request } else { request.header("authorization", &bearer) };
        let response = request.body(schema["example"].to_string()).send().await.unwrap();
        let (status, answer) = (response.status().as_u16(), json(response).await);
        let code = answer["error"]["code"].as_str().unwrap_or_default();
        assert!(status < 500 && !MALFORMED.contains(&code), "{method} {path}: {answer}");
        if let Some(access) = answer["tokens"]["access_token"].as_str() {
            bearer = format!("Bearer {access}");
        }
    }
    server.stop().await;
}

/// Where the schema of a body is; one that may be left out is put together with `null`.
fn reference(schema: &Value) -> String {
    let found = schema["$ref"].as_str().or_else(|| schema["oneOf"].as_array()?.iter().find_map(|one| one["$ref"].as_str()));
    found.unwrap().to_owned()
}

#[actix_web::test]
async fn a_route_takes_the_methods_it_names_and_no_other() {
    let server = Server::start();
    for endpoint in ENDPOINTS.iter().chain([&METRICS]) {
        let path = endpoint.path.replace("{id}", "018f3e9a-5b7c-7def-8123-456789abcdef").replace("{file:.*}", "index.html");
        let named: Vec<_> = endpoint.methods.split(", ").collect();
        assert_eq!(named.contains(&"GET"), named.contains(&"HEAD"), "{path}");
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY"] {
            let request = server.request(Method::from_bytes(method.as_bytes()).unwrap(), &path).timeout(Duration::from_secs(5));
            let response = request.send().await.unwrap();
            assert_eq!(response.status() == 405, !named.contains(&method), "{method} {path}: {}", response.status());
            if response.status() == 405 {
                assert_eq!(header(&response, "allow"), Some(endpoint.methods), "{method} {path}");
            }
        }
    }
    server.stop().await;
}

/// The first backend led from one to the other; its clients ask for some paths with a slash after them.
#[actix_web::test]
async fn a_path_with_a_slash_after_it_is_the_same_route() {
    let server = Server::start();
    server.tick(3);
    // Made beforehand: what asks for it first waits, and a request has 200 ms here.
    openapi_json();
    for endpoint in ENDPOINTS.iter().filter(|endpoint| endpoint.is_api && endpoint.path != "/") {
        let path = endpoint.path.replace("{id}", "018f3e9a-5b7c-7def-8123-456789abcdef").replace("{symbol}", "btc");
        // None of these bodies is one: what a route says of them tells which it is.
        let method: Method = endpoint.methods.split(", ").last().unwrap().parse().unwrap();
        let plain = server.request(method.clone(), &path).body("?").send().await.unwrap();
        let slashed = server.request(method.clone(), &format!("{path}/")).body("?").send().await.unwrap();
        assert_eq!(slashed.status(), plain.status(), "{method} {path}");
        assert_ne!(slashed.status(), 405, "{method} {path}");
        if plain.status() == 404 {
            assert_ne!(crate::http_support::code(slashed).await, "not_found", "{method} {path}");
        }
    }
    server.stop().await;
}

#[actix_web::test]
async fn bodies_are_as_the_document_says() {
    let server = Server::start();
    server.tick(3);
    let document = document();
    for (path, status) in [
        ("/", "200"),
        ("/health", "200"),
        ("/livez", "200"),
        ("/readyz", "200"),
        ("/readyz/node", "200"),
        ("/api/crypto/ticker", "200"),
        ("/api/bitcoin/price", "200"),
        ("/api/bitcoin/sentiment", "200"),
        ("/api/bitcoin/market-summary", "200"),
        ("/api/v2/market/bitcoin/price", "200"),
        ("/api/v2/market/crypto/ticker", "200"),
        ("/api/v2/market/health", "200"),
        ("/api/v2/user/health", "200"),
        ("/api/v2/auth/health", "200"),
        ("/.well-known/jwks.json", "200"),
        ("/api/connections", "200"),
        ("/ws", "400"),
    ] {
        let schema = &document["paths"][path]["get"]["responses"][status]["content"]["application/json"]["schema"];
        assert!(schema.is_object(), "{path}");
        assert_eq!(misfit(&json(server.get(path).await).await, schema, &document), None, "{path}");
    }
    server.stop().await;
}

#[actix_web::test]
async fn the_health_of_accounts_names_their_routes() {
    let server = Server::start();
    for (service, routes) in [("user", ["health", "profile", "alerts"]), ("auth", ["health", "login", "token/refresh"])] {
        let under = format!("/api/v2/{service}/");
        let body = json(server.get(&format!("{under}health")).await).await;
        assert_eq!((&body["status"], &body["service"]), (&"healthy".into(), &service.into()));
        let named = body["endpoints"].as_array().unwrap();
        assert!(routes.iter().all(|route| named.contains(&format!("{under}{route}").into())), "{body}");
        assert!(named.iter().all(|path| path.as_str().unwrap().starts_with(&under)), "{body}");
    }
    server.stop().await;
}

#[actix_web::test]
async fn prices_are_numbers_with_every_digit_the_source_gave() {
    let server = Server::start();
    server.tick(2);
    let text = server.get("/api/bitcoin/price").await.text().await.unwrap();
    assert!(text.contains("\"price\":97012.123456789"), "{text}");
    let ticker = json(server.get("/api/crypto/ticker").await).await;
    assert_eq!(
        (ticker["data"].as_array().unwrap().len(), &ticker["stale"], &ticker["data"][0]["symbol"]),
        (2, &false.into(), &"BTC".into())
    );
    assert_eq!((&ticker["source"], &ticker["age_ms"]), (&"coingecko".into(), &0.into()));
    server.stop().await;
}

#[actix_web::test]
async fn nothing_known_is_said_and_never_made_up() {
    let server = Server::start();
    let ticker = json(server.get("/api/crypto/ticker").await).await;
    assert_eq!((&ticker["data"], &ticker["stale"], &ticker["source"]), (&serde_json::json!([]), &true.into(), &Value::Null));
    let price = server.get("/api/bitcoin/price").await;
    assert_eq!((price.status().as_u16(), header(&price, "retry-after")), (503, Some("5")));
    let ready = server.get("/readyz").await;
    assert_eq!(ready.status(), 200, "the feed does not decide");
    let checks = json(ready).await["checks"].take();
    assert_eq!((&checks["feed"]["status"], &checks["observability"]["status"]), (&"down".into(), &"off".into()), "{checks}");
    server.stop().await;
}

#[actix_web::test]
async fn a_node_takes_requests_while_what_it_depends_on_is_down() {
    let server = Server::start();
    server.tick(3);
    server.database_up.store(false, Ordering::SeqCst);
    assert_eq!(server.get("/readyz").await.status(), 503);
    // What a balancer asks: were it 503, nobody would get the prices that are there.
    let node = server.get("/readyz/node").await;
    assert_eq!(node.status(), 200);
    let body = json(node).await;
    assert_eq!((&body["status"], &body["checks"]["websocket"]["status"]), (&"healthy".into(), &"up".into()));
    assert_eq!(body["checks"].as_object().unwrap().len(), 1, "it asks nobody: {body}");
    assert_eq!(server.get("/api/bitcoin/price").await.status(), 200);
    server.stop().await;
}

#[actix_web::test]
async fn a_dependency_that_is_down_shows_without_its_words() {
    let server = Server::start();
    server.database_up.store(false, Ordering::SeqCst);
    for (path, status) in [("/health", "degraded"), ("/readyz", "unhealthy")] {
        let response = server.get(path).await;
        assert_eq!(response.status(), 503);
        let text = response.text().await.unwrap();
        assert!(!text.contains("hunter2"), "{text}");
        let body: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&body["status"], &body["checks"]["database"]["status"]), (&status.into(), &"down".into()));
    }
    assert_eq!(server.get("/livez").await.status(), 200, "a restart would not help");
    server.database_up.store(true, Ordering::SeqCst);
    assert_eq!(server.get("/health").await.status(), 200);
    server.stop().await;
}

#[actix_web::test]
async fn browsers_get_a_page_whose_script_our_policy_allows() {
    let server = Server::start();
    let page = server.get_with("/", "accept", "text/html,*/*;q=0.8").await;
    assert_eq!(header(&page, "content-type"), Some("text/html; charset=utf-8"));
    let text = page.text().await.unwrap();
    assert!(text.contains("<html") && !text.contains("<script>") && !text.contains("https://cdn"));
    let script = server.get("/page.js").await;
    assert_eq!(header(&script, "content-type"), Some("text/javascript; charset=utf-8"));
    assert_eq!(header(&server.get("/").await, "content-type"), Some("application/json"));
    server.stop().await;
}

#[actix_web::test]
async fn the_reference_is_served_from_here_alone() {
    let server = Server::start();
    let redirect = server.get("/docs").await;
    assert_eq!((redirect.status().as_u16(), header(&redirect, "location")), (308, Some("/docs/")));
    let page = server.get("/docs/").await;
    assert!(header(&page, "content-security-policy").unwrap().contains("script-src 'self';"));
    let text = page.text().await.unwrap();
    assert!(!text.contains("//unpkg") && !text.contains("//cdn"));
    for (file, content_type) in
        [("swagger-ui-bundle.js", "javascript"), ("swagger-ui.css", "css"), ("swagger-initializer.js", "javascript")]
    {
        let response = server.get(&format!("/docs/{file}")).await;
        assert_eq!(response.status(), 200, "{file}");
        assert!(header(&response, "content-type").unwrap().contains(content_type));
    }
    let start = server.get("/docs/swagger-initializer.js").await.text().await.unwrap();
    assert!(start.contains("/openapi.json"));
    let bundle = server.get("/docs/swagger-ui-bundle.js").await.text().await.unwrap();
    assert!(bundle.len() > 100_000 && bundle.contains("function"), "the bundle is text, not a compressed file");
    server.stop().await;
}

#[actix_web::test]
async fn the_socket_document_resolves_its_own_references() {
    fn references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                found.extend(fields.get("$ref").and_then(Value::as_str).map(str::to_owned));
                fields.values().for_each(|field| references(field, found));
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }
    let server = Server::start();
    let document = json(server.get("/asyncapi.json").await).await;
    assert_eq!(document["asyncapi"], "3.0.0");
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > 10);
    for reference in found {
        assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
    }
    server.stop().await;
}

#[actix_web::test]
async fn requests_are_counted_by_route_and_never_by_path() {
    let server = Server::start();
    server.get("/test/text/7").await;
    server.get("/some/path/nobody/has").await;
    server.get("/test/panic").await;
    let text = server.get("/metrics").await.text().await.unwrap();
    for line in [
        "http_requests_total{method=\"GET\",route=\"/test/text/{length}\",status=\"200\"} 1",
        "http_requests_total{method=\"GET\",route=\"unmatched\",status=\"404\"} 1",
        "http_requests_total{method=\"GET\",route=\"/test/panic\",status=\"500\"} 1",
        "coinlink_http_answers_total{outcome=\"error\"} 1",
        "coinlink_http_answers_total{outcome=\"ok\"} 2",
        "http_requests_in_flight 1",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
    assert!(!text.contains("nobody"));
    server.stop().await;
}

#[actix_web::test]
async fn a_body_is_an_object_and_never_a_list_of_its_fields() {
    let server = Server::start();
    let post = async |path: &str, body: &'static str| {
        let request = server.request(Method::POST, path).header("content-type", "application/json").body(body);
        let response = request.send().await.unwrap();
        (response.status().as_u16(), json(response).await["error"]["code"].as_str().unwrap().to_owned())
    };
    for (path, body) in [
        ("/api/v2/auth/signup", r#"["ada@example.org","Correct-horse-9-battery"]"#),
        ("/api/v2/auth/login", r#"["ada@example.org","Correct-horse-9-battery"]"#),
        ("/api/v2/auth/token/refresh", r#"["token"]"#),
        ("/api/v2/auth/refresh", r#"["token"]"#),
        ("/api/v2/auth/logout", r#"["token"]"#),
    ] {
        assert_eq!(post(path, body).await, (400, "invalid_json".to_owned()), "{path}");
    }
    let nothing = (401, "authentication_required".to_owned());
    assert_eq!(post("/api/v2/auth/logout", "null").await, nothing, "null is no body");
    assert_eq!(post("/api/v2/auth/logout", "").await, nothing);
    server.stop().await;
}

#[actix_web::test]
async fn a_node_tells_front_ends_a_few_of_its_numbers() {
    let server = Server::start();
    let body = json(server.get("/api/metrics").await).await;
    assert_eq!(body["service"], "coinlink");
    assert_eq!(body["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(
        body["metrics"]["websocket"],
        serde_json::json!({"total_connections": 0, "authenticated_connections": 0, "channels": 1})
    );
    assert_eq!(body["metrics"]["system"]["routes_loaded"], ENDPOINTS.len());
    assert!(body["metrics"]["system"]["uptime_seconds"].as_u64().unwrap() < 3_600, "since this node started, not since 1970");
    server.stop().await;
}
