//! Which requests a browser's cookies count in: every combination of what a request may say of itself, against a table.

use crate::http_support::{
    ORIGIN, OWN_ORIGIN, Server,
    cookies::{Page, SIGN_UP},
    gated::Holder,
};
use reqwest::{Method, RequestBuilder};
use serde_json::json;

/// What browsers and others write as `Sec-Fetch-Site`.
const SITES: [Option<&str>; 7] =
    [None, Some("same-origin"), Some("same-site"), Some("cross-site"), Some("none"), Some("Same-Origin"), Some("")];

/// Origins beside the two that are trusted; all but the first are not.
const STRANGERS: [Option<&str>; 14] = [
    None,
    Some("https://evil.example"),
    Some("null"),
    Some(""),
    Some("https://app.example.com.evil.example"),
    Some("https://evilapp.example.com"),
    Some("https://x.app.example.com"),
    Some("https://app.example.co"),
    Some("https://app.example.com:8443"),
    Some("https://app.example.com:443"),
    Some("https://app.example.com/"),
    Some("http://app.example.com"),
    Some("https://APP.example.com"),
    Some("https://app.example.com https://evil.example"),
];

fn origins() -> Vec<Option<&'static str>> {
    [&STRANGERS[..], &[Some(ORIGIN), Some(OWN_ORIGIN)]].concat()
}

/// Everything that shows a page of ours; whatever is not here does not.
const OURS: [(Option<&str>, Option<&str>); 7] = [
    (None, Some(ORIGIN)),
    (None, Some(OWN_ORIGIN)),
    (Some("same-origin"), None),
    (Some("same-origin"), Some(ORIGIN)),
    (Some("same-origin"), Some(OWN_ORIGIN)),
    (Some("same-site"), Some(ORIGIN)),
    (Some("same-site"), Some(OWN_ORIGIN)),
];

#[derive(Debug, Clone, Copy, PartialEq)]
enum Token {
    Absent,
    Right,
    Wrong,
    Anothers,
}

const TOKENS: [Token; 4] = [Token::Absent, Token::Right, Token::Wrong, Token::Anothers];

#[derive(Debug, Clone, Copy, PartialEq)]
enum Shown {
    Cookie,
    Bearer,
    Both,
}

fn saying(mut request: RequestBuilder, site: Option<&str>, origin: Option<&str>, token: Option<&str>) -> RequestBuilder {
    for (name, value) in [("sec-fetch-site", site), ("origin", origin), ("x-csrf-token", token)] {
        if let Some(value) = value {
            request = request.header(name, value);
        }
    }
    request
}

#[actix_web::test]
async fn a_cookie_counts_for_a_change_only_with_a_page_of_ours_and_the_sessions_token() {
    let server = Server::start();
    let (mut page, mut other) = (Page::of(&server), Page::of(&server));
    page.sign_in("/auth/signup").await;
    other.sign_in("/auth/login").await;
    let cookie = format!("{}={}", crate::http_support::cookies::ACCESS, page.access.clone().unwrap());
    let bearer = Holder::new().bearer();
    let mut asked = 0;
    for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] {
        for site in SITES {
            for origin in origins() {
                for token in TOKENS {
                    for shown in [Shown::Cookie, Shown::Bearer, Shown::Both] {
                        let sent = match token {
                            Token::Absent => None,
                            Token::Right => Some(page.token.as_str()),
                            Token::Wrong => Some("csrf:00000000-0000-0000-0000-000000000000"),
                            Token::Anothers => Some(other.token.as_str()),
                        };
                        let mut request = saying(server.request(method.parse().unwrap(), "/test/act"), site, origin, sent);
                        if shown != Shown::Bearer {
                            request = request.header("cookie", &cookie);
                        }
                        if shown != Shown::Cookie {
                            request = request.header("authorization", &bearer);
                        }
                        let changes = !["GET", "HEAD"].contains(&method);
                        let expected = match shown {
                            Shown::Both => 400,
                            Shown::Bearer => 200,
                            Shown::Cookie if !changes || (OURS.contains(&(site, origin)) && token == Token::Right) => 200,
                            Shown::Cookie => 403,
                        };
                        let status = request.send().await.unwrap().status();
                        assert_eq!(status, expected, "{method} {site:?} {origin:?} {token:?} {shown:?}");
                        asked += 1;
                    }
                }
            }
        }
    }
    assert_eq!(asked, 6 * 7 * 16 * 4 * 3);
    server.stop().await;
}

#[actix_web::test]
async fn a_session_is_opened_in_cookies_by_a_page_of_ours_alone() {
    let server = Server::start();
    Page::of(&server).sign_in("/auth/signup").await;
    for site in SITES {
        for origin in origins() {
            for cookies in [true, false] {
                for path in ["/api/v2/auth/login", "/api/v2/auth/signup"] {
                    let mut body = SIGN_UP();
                    body["cookies"] = json!(cookies);
                    let request = saying(server.request(Method::POST, path), site, origin, None);
                    let response =
                        request.header("content-type", "application/json").body(body.to_string()).send().await.unwrap();
                    let let_in = if path.ends_with("login") { 200 } else { 400 };
                    let expected = if cookies && !OURS.contains(&(site, origin)) { 403 } else { let_in };
                    assert_eq!(response.status(), expected, "{path} {cookies} {site:?} {origin:?}");
                }
            }
        }
    }
    server.stop().await;
}

#[actix_web::test]
async fn whoever_sends_no_origin_is_told_to_and_a_foreign_one_is_told_so() {
    let server = Server::start();
    let mut body = SIGN_UP();
    body["cookies"] = json!(true);
    for (site, origin, told) in [
        (None, None, "is missing: send an Origin header"),
        (Some("same-site"), None, "is missing: send an Origin header"),
        (None, Some("https://evil.example"), "is not one that may"),
        (Some("cross-site"), None, "is not one that may"),
        (Some("cross-site"), Some(ORIGIN), "is not one that may"),
    ] {
        let request = saying(server.request(Method::POST, "/api/v2/auth/login"), site, origin, None);
        let response = request.header("content-type", "application/json").body(body.to_string()).send().await.unwrap();
        let said = crate::http_support::json(response).await;
        let detail = said["error"]["details"]["origin"].as_str().unwrap_or_default();
        assert!(said["error"]["code"] == "csrf_failed" && detail.starts_with(told), "{site:?} {origin:?}: {said}");
    }
    server.stop().await;
}

#[actix_web::test]
async fn a_refresh_cookie_counts_only_with_a_page_of_ours_and_the_sessions_token() {
    let server = Server::start();
    let (mut page, mut other) = (Page::of(&server), Page::of(&server));
    page.sign_in("/auth/signup").await;
    other.sign_in("/auth/login").await;
    for path in ["/api/v2/auth/token/refresh", "/api/v2/auth/refresh", "/api/v2/auth/logout"] {
        for site in SITES {
            for origin in origins() {
                for token in TOKENS {
                    let sent = match token {
                        Token::Absent => None,
                        Token::Right => Some(page.token.clone()),
                        Token::Wrong => Some("csrf:00000000-0000-0000-0000-000000000000".to_owned()),
                        Token::Anothers => Some(other.token.clone()),
                    };
                    let request = saying(server.request(Method::POST, path), site, origin, sent.as_deref());
                    let cookie = format!("{}={}", crate::http_support::cookies::REFRESH, page.refresh.clone().unwrap());
                    let request = request.header("cookie", cookie).header("content-type", "application/json").body("{}");
                    let response = request.send().await.unwrap();
                    let counts = OURS.contains(&(site, origin)) && token == Token::Right;
                    assert_eq!(response.status(), if counts { 200 } else { 403 }, "{path} {site:?} {origin:?} {token:?}");
                    assert_eq!(response.headers().contains_key("set-cookie"), counts, "{path} {site:?} {origin:?} {token:?}");
                    if counts {
                        let mut fresh = Page::of(&server);
                        fresh.sign_in("/auth/login").await;
                        page = fresh;
                    }
                }
            }
        }
        let went_on = page.ask(Method::GET, "/auth/verify", None).await.status;
        assert_eq!(went_on, 200, "{path}");
    }
    server.stop().await;
}

#[actix_web::test]
async fn what_is_said_twice_is_not_said_at_all() {
    let server = Server::start();
    let mut page = Page::of(&server);
    page.sign_in("/auth/signup").await;
    let other = |name: &str| match name {
        "origin" => Some(OWN_ORIGIN.to_owned()),
        "sec-fetch-site" => Some("same-site".to_owned()),
        "x-csrf-token" => Some(page.token.clone()),
        _ => None,
    };
    for twice in ["origin", "sec-fetch-site", "x-csrf-token", ""] {
        let mut request = server.request(Method::POST, "/test/act").header("sec-fetch-site", "same-origin");
        for (name, value) in page.headers() {
            request = request.header(name, value);
        }
        if let Some(again) = other(twice) {
            request = request.header(twice, again);
        }
        assert_eq!(request.send().await.unwrap().status(), if twice.is_empty() { 200 } else { 403 }, "{twice}");
    }
    server.stop().await;
}

#[actix_web::test]
async fn the_host_a_request_names_makes_no_page_ours() {
    let server = Server::start();
    let mut page = Page::of(&server);
    page.sign_in("/auth/signup").await;
    let itself = Page { origin: Some(server.base.clone()), ..page.clone() };
    let answer = itself.ask(Method::PUT, "/user/profile", Some(json!({}))).await;
    assert_eq!((answer.status, answer.code()), (403, "csrf_failed"), "the origin of this very address");
    for host in ["evil.example", "app.example.com"] {
        let evil = Page { origin: Some(format!("http://{host}")), ..page.clone() };
        let answer = evil.ask_with(Method::PUT, "/user/profile", Some(json!({})), &[("host", host)]).await;
        assert_eq!((answer.status, answer.code()), (403, "csrf_failed"), "{host}");
    }
    server.stop().await;
}

#[actix_web::test]
async fn a_forged_request_is_counted_as_from_nobody() {
    let server = Server::start();
    let mut page = Page::of(&server);
    page.sign_in("/auth/signup").await;
    let evil = Page { origin: Some("https://evil.example".to_owned()), ..page.clone() };
    let request = evil
        .headers()
        .into_iter()
        .fold(server.request(Method::POST, "/test/act"), |request, (name, value)| request.header(name, value));
    let response = request.send().await.unwrap();
    assert_eq!(
        (response.status().as_u16(), crate::http_support::limits::counted(&response)),
        (403, vec!["anonymous".to_owned()])
    );
    server.stop().await;
}
