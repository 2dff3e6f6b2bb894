//! What each route answers, and that all are documented.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod http_support;

use std::{collections::BTreeSet, sync::atomic::Ordering};

use coinlink::http::{ENDPOINTS, METRICS, openapi_json};
use http_support::{Server, header, json};
use serde_json::Value;

fn document() -> Value {
    serde_json::from_str(&openapi_json()).unwrap()
}

#[test]
fn every_route_is_in_the_openapi_document_and_nothing_else_is() {
    let document = document();
    let documented: BTreeSet<_> = document["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    let served: BTreeSet<_> =
        ENDPOINTS.iter().chain([&METRICS]).filter(|endpoint| endpoint.is_api).map(|endpoint| endpoint.path).collect();
    assert_eq!(documented, served);
    assert_eq!(document["openapi"], "3.1.0");
    for (path, operations) in document["paths"].as_object().unwrap() {
        assert!(operations["get"]["summary"].is_string() && operations["get"]["responses"].is_object(), "{path}");
    }
}

/// Every key of `value` is a property of the schema, and every required property is there.
fn conforms(value: &Value, schema: &Value, document: &Value) {
    if let Some(reference) = schema["$ref"].as_str() {
        return conforms(value, document.pointer(reference.trim_start_matches('#')).unwrap(), document);
    }
    match value {
        Value::Object(fields) if schema["properties"].is_object() => {
            for (name, field) in fields {
                let property = &schema["properties"][name];
                assert!(!property.is_null(), "{name} is not documented");
                conforms(field, property, document);
            }
            for required in schema["required"].as_array().into_iter().flatten() {
                assert!(fields.contains_key(required.as_str().unwrap()), "{required} is missing");
            }
        }
        Value::Object(fields) => fields.values().for_each(|field| conforms(field, &schema["additionalProperties"], document)),
        Value::Array(items) => items.iter().for_each(|item| conforms(item, &schema["items"], document)),
        _ => {}
    }
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
        ("/api/crypto/ticker", "200"),
        ("/api/bitcoin/price", "200"),
        ("/api/connections", "200"),
        ("/ws", "400"),
    ] {
        let schema = &document["paths"][path]["get"]["responses"][status]["content"]["application/json"]["schema"];
        assert!(schema.is_object(), "{path}");
        conforms(&json(server.get(path).await).await, schema, &document);
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
    assert_eq!(json(ready).await["checks"]["feed"]["status"], "down");
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
        "http_requests_in_flight 1",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
    assert!(!text.contains("nobody"));
    server.stop().await;
}
