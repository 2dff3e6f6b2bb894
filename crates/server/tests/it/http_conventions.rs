//! What holds for every answer, whatever was asked.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use crate::http_support::{ORIGIN, Server, header, json};
use reqwest::{Method, Response};

const SECURITY: [(&str, &str); 7] = [
    ("strict-transport-security", "max-age=31536000; includeSubDomains"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("x-xss-protection", "0"),
    ("referrer-policy", "strict-origin-when-cross-origin"),
    ("permissions-policy", "camera=(), microphone=(), geolocation=()"),
    ("content-security-policy", "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'"),
];

/// One request for each way of failing: status and code.
async fn failures(server: &Server) -> Vec<(Response, u16, &'static str)> {
    let post = |body: &'static str, content_type: &'static str| {
        server.request(Method::POST, "/test/echo").header("origin", ORIGIN).header("content-type", content_type).body(body)
    };
    let get = |path: &str| server.request(Method::GET, path).header("origin", ORIGIN);
    let long = "{\"number\":1}".repeat(200);
    let asked = [
        (get("/nothing/here"), 404, "not_found"),
        (server.request(Method::DELETE, "/health").header("origin", ORIGIN), 405, "method_not_allowed"),
        (post("{\"number\":", "application/json"), 400, "invalid_json"),
        (post("{\"number\":1,\"more\":2}", "application/json"), 400, "invalid_json"),
        (post("number=1", "application/x-www-form-urlencoded"), 415, "unsupported_media_type"),
        (post("", "application/json").body(long), 413, "payload_too_large"),
        (get("/test/echo?number=one"), 400, "invalid_query"),
        (get("/test/text/long"), 400, "invalid_path"),
        (get("/ws"), 400, "websocket_expected"),
        (get("/docs/no-such-file"), 404, "not_found"),
        (get("/api/bitcoin/price"), 503, "price_unavailable"),
        (get("/test/panic"), 500, "internal_error"),
        (get("/test/slow"), 504, "request_timeout"),
    ];
    let mut answered = Vec::new();
    for (request, status, code) in asked {
        answered.push((request.send().await.unwrap(), status, code));
    }
    answered
}

#[actix_web::test]
async fn every_failure_has_the_one_shape_the_headers_and_cors() {
    let server = Server::start();
    for (response, status, code) in failures(&server).await {
        assert_eq!(response.status().as_u16(), status, "{code}");
        for (name, value) in SECURITY {
            assert_eq!(header(&response, name), Some(value), "{name} on {code}");
        }
        assert_eq!(header(&response, "access-control-allow-origin"), Some(ORIGIN), "{code}");
        assert_eq!(header(&response, "access-control-allow-credentials"), Some("true"), "{code}");
        assert_eq!(header(&response, "content-type"), Some("application/json"), "{code}");
        let trace_id = header(&response, "x-trace-id").unwrap().to_owned();
        assert!(header(&response, "x-request-id").is_some());
        let body = json(response).await;
        assert_eq!(body["error"]["code"], code);
        assert_eq!(body["error"]["trace_id"], trace_id.as_str());
        assert!(body["detail"].is_string() && body["detail"] == body["error"]["message"] && body["error"]["details"].is_object());
    }
    server.stop().await;
}

#[actix_web::test]
async fn a_panic_takes_nothing_else_down() {
    let server = Server::start();
    for _ in 0..5 {
        assert_eq!(server.get("/test/panic").await.status(), 500);
    }
    assert_eq!(server.get("/livez").await.status(), 200);
    server.stop().await;
}

#[actix_web::test]
async fn a_refused_method_is_told_the_right_ones() {
    let server = Server::start();
    for (method, path, allow) in [
        (Method::POST, "/api/bitcoin/price", "GET, HEAD"),
        (Method::PUT, "/test/echo", "GET, POST"),
        (Method::OPTIONS, "/health", "GET, HEAD"),
    ] {
        let response = server.request(method, path).send().await.unwrap();
        assert_eq!((response.status().as_u16(), header(&response, "allow")), (405, Some(allow)), "{path}");
    }
    server.stop().await;
}

#[actix_web::test]
async fn success_carries_the_headers_too_and_head_the_same_as_get() {
    let server = Server::start();
    server.tick(3);
    for path in [
        "/",
        "/health",
        "/livez",
        "/readyz",
        "/readyz/node",
        "/api/bitcoin/price",
        "/api/crypto/ticker",
        "/.well-known/jwks.json",
        "/api/connections",
        "/metrics",
        "/docs/",
    ] {
        let response = server.get(path).await;
        assert_eq!(response.status(), 200, "{path}");
        let expected = if path == "/docs/" { &SECURITY[..6] } else { &SECURITY[..] };
        for (name, value) in expected {
            assert_eq!(header(&response, name), Some(*value), "{name} on {path}");
        }
        let head = server.request(Method::HEAD, path).send().await.unwrap();
        assert_eq!((head.status().as_u16(), header(&head, "content-type")), (200, header(&response, "content-type")), "{path}");
        assert_eq!(header(&head, "etag"), header(&response, "etag"));
        assert!(head.text().await.unwrap().is_empty());
    }
    server.stop().await;
}

#[actix_web::test]
async fn a_usable_request_id_is_answered_and_any_other_replaced() {
    let server = Server::start();
    for (name, sent, taken) in [
        ("x-request-id", "Mine.1_2-3", true),
        ("x-correlation-id", "older-name", true),
        ("x-request-id", "has space", false),
        ("x-request-id", "<script>", false),
        ("x-request-id", &"x".repeat(129), false),
        ("x-request-id", "", false),
    ] {
        let response = server.get_with("/livez", name, sent).await;
        let answered = header(&response, "x-request-id").unwrap();
        assert_eq!(answered == sent, taken, "{sent}");
        assert!(taken || uuid::Uuid::parse_str(answered).unwrap().get_version_num() == 7);
    }
    server.stop().await;
}

#[actix_web::test]
async fn a_traceparent_is_joined_and_its_trace_answered_as_a_uuid() {
    let server = Server::start();
    let response = server.get_with("/nothing", "traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").await;
    assert_eq!(header(&response, "x-trace-id"), Some("4bf92f35-77b3-4da6-a3ce-929d0e0e4736"));
    assert_eq!(json(response).await["error"]["trace_id"], "4bf92f35-77b3-4da6-a3ce-929d0e0e4736");
    let first = server.get_with("/livez", "traceparent", "nonsense").await;
    let second = server.get("/livez").await;
    assert_ne!(header(&first, "x-trace-id"), header(&second, "x-trace-id"));
    server.stop().await;
}

#[actix_web::test]
async fn browsers_of_known_origins_may_ask_and_are_told_so_once_an_hour() {
    let server = Server::start();
    let preflight = |origin: &'static str, method: &'static str, headers: &'static str| {
        server
            .request(Method::OPTIONS, "/api/bitcoin/price")
            .header("origin", origin)
            .header("access-control-request-method", method)
            .header("access-control-request-headers", headers)
            .send()
    };
    let wanted = "authorization,content-type,accept,x-csrf-token,x-request-id,x-api-key,idempotency-key";
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
        let response = preflight(ORIGIN, method, wanted).await.unwrap();
        assert!(response.status().is_success(), "{method}");
        assert_eq!(header(&response, "access-control-allow-origin"), Some(ORIGIN));
        assert_eq!(header(&response, "access-control-max-age"), Some("3600"));
        assert_eq!(header(&response, "x-frame-options"), Some("DENY"));
    }
    for (origin, method, headers, field) in [
        ("https://evil.example", "GET", "accept", "origin"),
        (ORIGIN, "TRACE", "accept", "preflight"),
        (ORIGIN, "GET", "x-evil", "preflight"),
    ] {
        let response = preflight(origin, method, headers).await.unwrap();
        assert_eq!(response.status(), 403);
        let error = &json(response).await["error"];
        assert_eq!(error["code"], "origin_not_allowed");
        assert!(error["details"][field].is_string(), "{error}");
    }
    let plain = server.get_with("/livez", "origin", ORIGIN).await;
    let exposed = header(&plain, "access-control-expose-headers").unwrap();
    for name in ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "x-request-id", "x-trace-id"] {
        assert!(exposed.contains(name), "{name}");
    }
    let foreign = server.get_with("/livez", "origin", "https://evil.example").await;
    assert_eq!(header(&foreign, "access-control-allow-origin"), None);
    server.stop().await;
}
