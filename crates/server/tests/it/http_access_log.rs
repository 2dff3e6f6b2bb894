//! Who tries to get around what is checked leaves a line in the access log, whatever it was that refused it.

use crate::http_support::{
    Server,
    gated::{Holder, Setup, all},
    lines::Lines,
};
use reqwest::{Method, RequestBuilder};

const LOGIN: &str = "/api/v2/auth/login";

/// What is sent, the status it is answered with, and the route that the log names.
fn attempts(server: &Server) -> Vec<(RequestBuilder, u16, &'static str)> {
    let post =
        |path: &str, body: String| server.request(Method::POST, path).header("content-type", "application/json").body(body);
    let stranger = Holder::new().bearer();
    vec![
        // Input that is none.
        (post("/test/echo", "{\"number\": ".to_owned()), 400, "/test/echo"),
        (post("/test/echo", "{\"number\": 1, \"role\": \"admin\"}".to_owned()), 400, "/test/echo"),
        (post(LOGIN, "{\"email\": [\"ada@example.org\"], \"password\": {\"$ne\": \"\"}}".to_owned()), 400, LOGIN),
        (post("/test/echo", "x".repeat(2_000)), 413, "/test/echo"),
        (post("/test/echo", "number=1".to_owned()).header("content-encoding", "gzip"), 415, "/test/echo"),
        // Rights that are not there.
        (server.request(Method::GET, "/api/v2/user/profile"), 401, "/api/v2/user/profile"),
        (
            server.request(Method::GET, "/api/v2/user/profile").header("authorization", "Bearer a.b.c"),
            401,
            "/api/v2/user/profile",
        ),
        (server.request(Method::GET, "/api/v2/admin/stats").header("authorization", stranger), 401, "/api/v2/admin/stats"),
        // What is not there, and what is not done there.
        (server.request(Method::GET, "/.git/config"), 404, "unmatched"),
        (server.request(Method::DELETE, "/api/bitcoin/price"), 405, "/api/bitcoin/price"),
    ]
}

#[actix_web::test]
async fn refused_input_refused_rights_and_full_limits_are_lines_of_the_access_log() {
    let lines = Lines::of_this_process();
    let server = Server::start();
    let mut expected = Vec::new();
    for (request, status, route) in attempts(&server) {
        let answered = request.send().await.unwrap();
        let said = answered.headers()["x-trace-id"].to_str().unwrap().replace('-', "");
        assert_eq!(answered.status().as_u16(), status, "{route} {}", answered.text().await.unwrap());
        assert_eq!(said.len(), 32);
        expected.push((route, status));
    }
    server.stop().await;
    let full = Server::start_with(Setup::limited(all(3)));
    for _ in 0..4 {
        full.get("/api/v2/market/stats").await;
    }
    expected.push(("/api/v2/market/stats", 429));
    full.stop().await;
    let written = lines.written();
    for (route, status) in expected {
        let says = format!("route=\"{route}\" status={status}");
        assert!(
            written.lines().any(|line| line.contains("coinlink::http") && line.contains(&says)),
            "{says} is missing in\n{written}"
        );
    }
}

#[actix_web::test]
async fn data_of_source_control_and_of_the_build_is_nowhere() {
    let server = Server::start();
    let files = [
        ".git/HEAD",
        ".git/config",
        ".git/index",
        ".git",
        ".gitignore",
        ".svn/entries",
        ".svn/wc.db",
        ".hg/store",
        ".bzr/README",
        "CVS/Root",
    ];
    let beside = [".env", ".env.example", "Cargo.toml", "Cargo.lock", "config/default.toml", "coinlink.db", "data/coinlink.db"];
    for file in files.iter().chain(&beside) {
        for folder in ["", "docs/", "account/", ".well-known/", "api/", "docs/dist/"] {
            let path = format!("/{folder}{file}");
            let answered = server.get(&path).await;
            assert_eq!(answered.status(), 404, "{path}");
            let body = answered.text().await.unwrap();
            assert!(
                !["ref: refs", "[core]", "[workspace]", "JWT_SECRET_KEY="].iter().any(|told| body.contains(told)),
                "{path}: {body}"
            );
        }
    }
    server.stop().await;
}
