//! Sessions in cookies: how they are set and taken back, and what they open.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use crate::http_support::{
    ORIGIN, Server,
    cookies::{ACCESS, Answer, Page, REFRESH, SIGN_UP},
    gated::{Holder, Setup, all},
};
use coinlink_domain::shared::rate_limit::RateLimits;
use reqwest::Method;
use serde_json::{Value, json};
use time::Duration;

const ENDED: [&str; 2] = [
    "__Host-coinlink-access=; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=0",
    "__Secure-coinlink-refresh=; HttpOnly; SameSite=Lax; Secure; Path=/api/v2/auth; Max-Age=0",
];
const WEEK: i64 = 7 * 24 * 60 * 60;

/// Both cookies with what they hold, to the byte.
fn sets_both(answer: &Answer, access_for: i64, refresh_for: i64) {
    let (access, refresh) = (answer.cookie(ACCESS).unwrap(), answer.cookie(REFRESH).unwrap());
    assert!(access.starts_with("access:") && refresh.starts_with("refresh:"), "{access} {refresh}");
    let mut expected = [
        format!("__Host-coinlink-access={access}; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age={access_for}"),
        format!("__Secure-coinlink-refresh={refresh}; HttpOnly; SameSite=Lax; Secure; Path=/api/v2/auth; Max-Age={refresh_for}"),
    ];
    expected.sort();
    assert_eq!(answer.session_cookies(), expected);
}

fn holds_no_token(answer: &Answer) {
    let text = answer.body.to_string();
    assert!(!["access:", "refresh:", "device:"].iter().any(|token| text.contains(token)), "{text}");
    assert_eq!(answer.cache.as_deref(), Some("no-store"));
}

#[actix_web::test]
async fn signing_in_with_cookies_sets_them_and_tells_scripts_no_token() {
    let server = Server::start();
    let mut page = Page::of(&server);
    for path in ["/auth/signup", "/auth/login"] {
        let answer = page.sign_in(path).await;
        sets_both(&answer, 900, WEEK);
        holds_no_token(&answer);
        let tokens = &answer.body["tokens"];
        assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&json!("cookie"), &json!(900)), "{tokens}");
        assert!(tokens["server_time"].is_string() && tokens["csrf_token"].is_string(), "{tokens}");
        assert_eq!((&answer.body["data"]["token"], &answer.body["device_token"]), (&Value::Null, &Value::Null));
        assert_eq!(answer.body["user"]["email"], "ada@example.org");
        assert!(answer.cookies.iter().any(|cookie| cookie.starts_with("__Host-coinlink-device=device:")), "{:?}", answer.cookies);
    }
    let verified = page.ask(Method::GET, "/auth/verify", None).await;
    assert_eq!((verified.status, &verified.body["user"]["email"]), (200, &json!("ada@example.org")));
    server.stop().await;
}

#[actix_web::test]
async fn whoever_does_not_ask_for_cookies_gets_none() {
    let server = Server::start();
    let page = Page::of(&server);
    for (path, cookies) in [("/auth/signup", None), ("/auth/login", Some(false))] {
        let mut body = SIGN_UP();
        body.as_object_mut().unwrap().extend(cookies.map(|cookies| ("cookies".to_owned(), json!(cookies))));
        let answer = page.ask(Method::POST, path, Some(body)).await;
        assert_eq!(answer.session_cookies(), Vec::<String>::new(), "{path}");
        assert_eq!(answer.body["tokens"]["token_type"], "bearer");
        let token = answer.body["tokens"]["refresh_token"].as_str().unwrap();
        let refreshed = page.ask(Method::POST, "/auth/token/refresh", Some(json!({ "refresh_token": token }))).await;
        assert_eq!((refreshed.status, refreshed.session_cookies().len()), (200, 0));
    }
    server.stop().await;
}

#[actix_web::test]
async fn a_refresh_by_cookie_exchanges_it_and_says_the_same_again_when_asked_again() {
    let server = Server::start();
    for path in ["/auth/token/refresh", "/auth/refresh"] {
        let mut page = Page::of(&server);
        page.sign_in(if path == "/auth/refresh" { "/auth/login" } else { "/auth/signup" }).await;
        let first = page.clone();
        let answer = page.refresh(path).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        sets_both(&answer, 900, WEEK);
        holds_no_token(&answer);
        assert_eq!(answer.body["csrf_token"].as_str(), Some(page.token.as_str()), "it is the same session");
        assert_ne!((&first.access, &first.refresh), (&page.access, &page.refresh));
        let again = first.ask(Method::POST, path, Some(json!({}))).await;
        assert_eq!((again.status, again.session_cookies()), (200, answer.session_cookies()), "the answer may have been lost");
        assert_eq!(page.ask(Method::GET, "/auth/verify", None).await.status, 200, "and now the new ones are used");
        let reused = first.ask(Method::POST, path, Some(json!({}))).await;
        assert_eq!((reused.status, reused.code()), (401, "token_reused"));
        assert_eq!(reused.session_cookies(), ENDED, "they lead nowhere");
        assert_eq!(page.ask(Method::GET, "/auth/verify", None).await.status, 401);
    }
    server.stop().await;
}

#[actix_web::test]
async fn a_named_refresh_by_cookie_may_be_repeated_for_minutes() {
    let server = Server::start();
    let mut page = Page::of(&server);
    page.sign_in("/auth/signup").await;
    let first = page.clone();
    let named = [("idempotency-key", "once")];
    let answer = page.ask_with(Method::POST, "/auth/token/refresh", Some(json!({})), &named).await;
    page.keep(&answer);
    server.behind.clock.advance(Duration::minutes(4));
    let again = first.ask_with(Method::POST, "/auth/token/refresh", Some(json!({})), &named).await;
    assert_eq!(again.status, 200, "{}", again.body);
    assert_eq!((again.cookie(ACCESS), again.cookie(REFRESH)), (answer.cookie(ACCESS), answer.cookie(REFRESH)));
    sets_both(&again, 660, WEEK - 240);
    server.stop().await;
}

#[actix_web::test]
async fn a_refresh_that_may_succeed_later_leaves_the_cookies() {
    let server = Server::start_with(Setup::limited(RateLimits { session: 8, ..all(100) }));
    let mut page = Page::of(&server);
    page.sign_in("/auth/signup").await;
    let first = page.clone();
    server.behind.store.fail_next();
    let down = page.ask(Method::POST, "/auth/token/refresh", Some(json!({}))).await;
    assert_eq!((down.status, down.cookies.len()), (503, 0), "{}", down.body);
    assert_eq!(page.refresh("/auth/token/refresh").await.status, 200);
    let mut said = Vec::new();
    for _ in 0..8 {
        let answer = first.ask(Method::POST, "/auth/token/refresh", Some(json!({}))).await;
        assert_eq!(answer.status == 200, answer.session_cookies().len() == 2, "{}", answer.body);
        assert!(answer.status == 200 || answer.cookies.is_empty(), "{:?}", answer.cookies);
        said.push((answer.status, answer.code().to_owned()));
    }
    assert!(said.contains(&(429, "refresh_replayed".to_owned())) && said.contains(&(429, "rate_limited".to_owned())), "{said:?}");
    server.stop().await;
}

#[actix_web::test]
async fn a_refresh_that_leads_nowhere_takes_the_cookies_back() {
    let server = Server::start();
    let mut page = Page::of(&server);
    page.sign_in("/auth/signup").await;
    for (refresh, code) in [("junk", "invalid_token"), ("", "invalid_token"), ("é", "invalid_token")] {
        let page = Page { refresh: Some(refresh.to_owned()), access: None, ..page.clone() };
        let answer = page.ask(Method::POST, "/auth/token/refresh", Some(json!({}))).await;
        assert_eq!((answer.status, answer.code()), (401, code), "{refresh}");
        assert_eq!(answer.session_cookies(), ENDED, "{refresh}");
    }
    let without = Page { refresh: None, access: None, ..page.clone() };
    let answer = without.ask(Method::POST, "/auth/token/refresh", Some(json!({}))).await;
    assert_eq!((answer.status, answer.code(), answer.cookies.len()), (401, "authentication_required", 0));
    server.behind.clock.advance(Duration::seconds(WEEK));
    let late = Page { access: None, ..page }.ask(Method::POST, "/auth/token/refresh", Some(json!({}))).await;
    assert_eq!((late.status, late.code()), (401, "token_expired"));
    assert_eq!(late.session_cookies(), ENDED);
    server.stop().await;
}

#[actix_web::test]
async fn signing_out_ends_the_session_and_takes_the_cookies_back() {
    let server = Server::start();
    let mut page = Page::of(&server);
    page.sign_in("/auth/signup").await;
    for (path, without) in
        [("/auth/logout", ""), ("/auth/logout", ACCESS), ("/auth/logout", REFRESH), ("/auth/logout-all", REFRESH)]
    {
        page.sign_in("/auth/login").await;
        let mut asking = page.clone();
        match without {
            ACCESS => asking.access = None,
            REFRESH => asking.refresh = None,
            _ => {}
        }
        let answer = asking.ask(Method::POST, path, None).await;
        assert_eq!(
            (answer.status, answer.session_cookies()),
            (200, ENDED.map(str::to_owned).to_vec()),
            "{path} without {without}"
        );
        let over = page.ask(Method::GET, "/auth/verify", None).await;
        assert_eq!((over.status, over.code()), (401, "session_revoked"), "{path} without {without}");
        let again = page.ask(Method::POST, "/auth/logout", None).await;
        assert_eq!((again.status, again.session_cookies().len()), (200, 2), "it is over already");
    }
    let junk = Page { access: None, refresh: Some("junk".to_owned()), ..page.clone() };
    let answer = junk.ask(Method::POST, "/auth/logout", None).await;
    assert_eq!((answer.status, answer.code(), answer.session_cookies().len()), (401, "invalid_token", 2));
    let nothing = Page { access: None, refresh: None, ..page };
    let answer = nothing.ask(Method::POST, "/auth/logout", None).await;
    assert_eq!((answer.status, answer.code(), answer.cookies.len()), (401, "authentication_required", 0));
    server.stop().await;
}

#[actix_web::test]
async fn signing_out_with_a_token_in_the_header_sets_no_cookie() {
    let server = Server::start();
    for path in ["/api/v2/auth/logout", "/api/v2/auth/logout-all"] {
        let ada = Holder::new();
        let response = server.request(Method::POST, path).header("authorization", ada.bearer()).send().await.unwrap();
        assert_eq!((response.status().as_u16(), response.headers().contains_key("set-cookie")), (200, false), "{path}");
    }
    server.stop().await;
}

#[actix_web::test]
async fn a_page_gets_its_token_with_either_cookie() {
    let server = Server::start();
    let mut page = Page::of(&server);
    page.sign_in("/auth/signup").await;
    let (access, refresh) = (page.access.clone(), page.refresh.clone());
    for (access, refresh) in [(access.clone(), refresh.clone()), (access.clone(), None), (None, refresh.clone())] {
        let answer = Page { access, refresh, ..page.clone() }.ask(Method::GET, "/auth/csrf", None).await;
        assert_eq!((answer.status, answer.body["csrf_token"].as_str()), (200, Some(page.token.as_str())));
        assert_eq!(answer.cache.as_deref(), Some("no-store"));
    }
    for (access, refresh, code) in [
        (None, None, "authentication_required"),
        (Some("junk".to_owned()), None, "invalid_token"),
        (None, Some("junk".to_owned()), "authentication_required"),
    ] {
        let answer = Page { access, refresh, ..page.clone() }.ask(Method::GET, "/auth/csrf", None).await;
        assert_eq!((answer.status, answer.code()), (401, code));
    }
    let bearer = server.get_with("/api/v2/auth/csrf", "authorization", &Holder::new().bearer()).await;
    assert_eq!(bearer.status(), 401, "who sends a token needs none");
    let mut other = Page::of(&server);
    other.sign_in("/auth/login").await;
    assert_ne!(other.token, page.token, "each session has its own");
    server.stop().await;
}

#[actix_web::test]
async fn with_cookies_a_body_is_json_or_nothing() {
    let server = Server::start();
    let mut page = Page::of(&server);
    page.sign_in("/auth/signup").await;
    for (content_type, body, status) in [
        (Some("application/json"), "{}", 200),
        (Some("Application/JSON; charset=utf-8"), "{}", 200),
        (None, "", 200),
        (Some("text/plain"), "", 200),
        (None, "{}", 415),
        (Some("text/plain"), "{}", 415),
        (Some("application/x-www-form-urlencoded"), "a=b", 415),
        (Some("multipart/form-data; boundary=a"), "--a--", 415),
        (Some("application/jsonp"), "{}", 415),
        (Some("application/problem+json"), "{}", 415),
        (Some("text/plain; application/json"), "{}", 415),
    ] {
        for (path, headers) in
            [("/test/act", page.headers()), ("/api/v2/auth/logout", Page { access: None, ..page.clone() }.headers())]
        {
            if path != "/test/act" && status == 200 {
                continue;
            }
            let mut request = server.request(Method::POST, path).body(body);
            for (name, value) in content_type.map(|value| ("content-type", value.to_owned())).into_iter().chain(headers) {
                request = request.header(name, value);
            }
            let response = request.send().await.unwrap();
            assert_eq!(response.status(), status, "{path} {content_type:?} {body}");
        }
    }
    for content_type in ["text/plain", "application/problem+json"] {
        let request =
            server.request(Method::POST, "/api/v2/auth/login").header("origin", ORIGIN).header("content-type", content_type);
        let mut body = SIGN_UP();
        body["cookies"] = json!(true);
        assert_eq!(request.body(body.to_string()).send().await.unwrap().status(), 415, "{content_type}");
    }
    server.stop().await;
}

#[actix_web::test]
async fn a_cookie_and_another_credential_are_one_too_many() {
    let server = Server::start();
    let mut page = Page::of(&server);
    page.sign_in("/auth/signup").await;
    let bearer = Holder::new().bearer();
    let (no_access, no_refresh) = (Page { access: None, ..page.clone() }, Page { refresh: None, ..page.clone() });
    for headers in [[("authorization", bearer.as_str())], [("authorization", "nonsense")], [("x-api-key", "ck_a_b_c")]] {
        for (method, path, body) in [
            (Method::GET, "/auth/verify", None),
            (Method::GET, "/auth/rate-limit", None),
            (Method::POST, "/auth/login", Some(SIGN_UP())),
            (Method::POST, "/auth/logout-all", None),
            (Method::PUT, "/user/profile", Some(json!({}))),
        ] {
            let answer = no_refresh.ask_with(method, path, body, &headers).await;
            assert_eq!((answer.status, answer.code()), (400, "ambiguous_credentials"), "{path} {headers:?}");
        }
        for path in ["/auth/token/refresh", "/auth/refresh", "/auth/logout"] {
            for page in [&page, &no_access, &no_refresh] {
                let answer = page.ask_with(Method::POST, path, Some(json!({})), &headers).await;
                // Of the refresh cookie the gate knows nothing: a key that is no good is told first.
                let is_key = page.access.is_none() && headers[0].0 == "x-api-key";
                let expected = if is_key { (401, "invalid_api_key") } else { (400, "ambiguous_credentials") };
                assert_eq!((answer.status, answer.code()), expected, "{path} {headers:?}");
            }
        }
    }
    for path in ["/auth/token/refresh", "/auth/refresh", "/auth/logout"] {
        let body = json!({ "refresh_token": page.refresh });
        for page in [&page, &no_access, &no_refresh] {
            let answer = page.ask(Method::POST, path, Some(body.clone())).await;
            assert_eq!((answer.status, answer.code()), (400, "ambiguous_credentials"), "{path}");
        }
    }
    let device = server.request(Method::GET, "/test/signed-in").header("cookie", "__Host-coinlink-device=a; other=b");
    assert_eq!(
        device.header("authorization", &bearer).send().await.unwrap().status(),
        200,
        "what a device is known by is no credential"
    );
    assert_eq!(page.ask(Method::GET, "/auth/verify", None).await.status, 200, "nothing happened to the session");
    server.stop().await;
}

#[actix_web::test]
async fn a_cookie_that_is_there_twice_is_no_good() {
    let server = Server::start();
    let mut page = Page::of(&server);
    page.sign_in("/auth/signup").await;
    let access = page.access.clone().unwrap();
    let one = format!("{ACCESS}={access}");
    for lines in [vec![format!("{one}; {one}")], vec![one.clone(), one.clone()], vec![format!("{one}; a=b; {ACCESS}=")]] {
        for (method, status) in [(Method::GET, 401), (Method::POST, 401)] {
            let request = server.request(method, "/test/act").header("origin", ORIGIN).header("x-csrf-token", &page.token);
            let request = lines.iter().fold(request, |request, line| request.header("cookie", line));
            let response = request.send().await.unwrap();
            assert_eq!(
                (response.status().as_u16(), crate::http_support::code(response).await.as_str()),
                (status, "invalid_token"),
                "{lines:?}"
            );
        }
    }
    let twice = format!("{REFRESH}={0}; {REFRESH}={0}", page.refresh.clone().unwrap());
    let request = server.request(Method::POST, "/api/v2/auth/token/refresh").header("cookie", twice).header("origin", ORIGIN);
    let response = request.header("content-type", "application/json").body("{}").send().await.unwrap();
    assert_eq!((response.status().as_u16(), crate::http_support::code(response).await.as_str()), (401, "invalid_token"));
    server.stop().await;
}

#[actix_web::test]
async fn a_cookie_that_is_no_good_hides_no_public_page_and_no_way_to_sign_in() {
    let server = Server::start();
    server.tick(2);
    let mut page = Page::of(&server);
    page.sign_in("/auth/signup").await;
    let junk = Page { access: Some("junk".to_owned()), ..page.clone() };
    page.sign_in("/auth/login").await;
    assert_eq!(page.ask(Method::POST, "/auth/logout", None).await.status, 200);
    for (page, code) in [(&junk, "invalid_token"), (&page, "session_revoked")] {
        for path in ["/", "/docs/", "/api/crypto/ticker", "/api/v2/auth/rate-limit"] {
            let request = page
                .headers()
                .into_iter()
                .fold(server.request(Method::GET, path), |request, (name, value)| request.header(name, value));
            assert_eq!(request.send().await.unwrap().status(), 200, "{path} {code}");
        }
        for (method, path) in [(Method::GET, "/auth/verify"), (Method::PUT, "/user/profile"), (Method::POST, "/auth/logout-all")]
        {
            let answer = page.ask(method, path, None).await;
            assert_eq!((answer.status, answer.code()), (401, code), "{path}");
        }
        assert_eq!(page.clone().sign_in("/auth/login").await.status, 200, "{code}");
    }
    server.stop().await;
}

#[actix_web::test]
async fn a_page_that_lost_its_token_signs_in_again_and_nobody_else_for_it() {
    let server = Server::start();
    let mut page = Page::of(&server);
    page.sign_in("/auth/signup").await;
    let lost = Page { token: String::new(), ..page.clone() };
    assert_eq!(lost.clone().sign_in("/auth/login").await.status, 200);
    let elsewhere = Page { origin: Some("https://evil.example".to_owned()), ..page.clone() };
    for cookies in [false, true] {
        let mut body = SIGN_UP();
        body["cookies"] = json!(cookies);
        let answer = elsewhere.ask(Method::POST, "/auth/login", Some(body)).await;
        assert_eq!((answer.status, answer.code(), answer.cookies.len()), (403, "csrf_failed", 0), "{cookies}");
    }
    server.stop().await;
}

#[actix_web::test]
async fn where_a_sign_in_can_be_for_a_session_too_its_cookie_counts_with_its_token_alone() {
    let server = Server::start();
    let mut page = Page::of(&server);
    page.sign_in("/auth/signup").await;
    let lost = Page { token: String::new(), ..page.clone() };
    for (page, status, code) in [(&page, 409, "second_factor_not_set_up"), (&lost, 403, "csrf_failed")] {
        let answer = page.ask(Method::POST, "/auth/2fa/verify", Some(json!({"code": "123456"}))).await;
        assert_eq!((answer.status, answer.code()), (status, code));
    }
    server.stop().await;
}

#[actix_web::test]
async fn browsers_may_ask_whether_they_may_send_the_token_and_cookies() {
    let server = Server::start();
    let preflight = async |origin: &str| {
        let request = server.request(Method::OPTIONS, "/api/v2/auth/token/refresh").header("origin", origin);
        let request = request.header("access-control-request-method", "POST");
        request.header("access-control-request-headers", "content-type,x-csrf-token,idempotency-key").send().await.unwrap()
    };
    let allowed = preflight(ORIGIN).await;
    assert_eq!(allowed.status(), 200);
    assert_eq!(crate::http_support::header(&allowed, "access-control-allow-origin"), Some(ORIGIN));
    assert_eq!(crate::http_support::header(&allowed, "access-control-allow-credentials"), Some("true"));
    let headers = crate::http_support::header(&allowed, "access-control-allow-headers").unwrap().to_lowercase();
    assert!(["content-type", "x-csrf-token", "idempotency-key"].iter().all(|name| headers.contains(name)), "{headers}");
    for origin in ["https://evil.example", "null", "https://app.example.com.evil.example"] {
        let refused = preflight(origin).await;
        assert_eq!(crate::http_support::header(&refused, "access-control-allow-origin"), None, "{origin}");
        assert!(refused.status().is_client_error(), "{origin}");
    }
    server.stop().await;
}

#[test]
fn every_route_that_sets_cookies_is_known_to_the_gate() {
    let document: Value = serde_json::from_str(coinlink::http::openapi_json()).unwrap();
    let schemas = &document["components"]["schemas"];
    let takes_cookies = |operation: &Value| {
        let schema = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].as_str().unwrap_or_default();
        !schemas[schema.rsplit('/').next().unwrap()]["properties"]["cookies"].is_null()
    };
    let paths = document["paths"].as_object().unwrap();
    let found: Vec<_> = paths.iter().filter(|(_, item)| takes_cookies(&item["post"])).map(|(path, _)| path.as_str()).collect();
    assert!(found.len() >= 2 && found.iter().all(|path| coinlink::http::SIGN_INS.contains(path)), "{found:?}");
}
