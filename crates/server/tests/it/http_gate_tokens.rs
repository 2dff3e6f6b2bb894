//! Who is calling: what an access token opens, and what one that is no good does not.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::atomic::Ordering;

use crate::http_support::{
    NOW, Server, code,
    gated::{Holder, Setup, all},
    header,
    limits::{counted, let_in, number},
    lines::Lines,
};
use coinlink_domain::shared::rate_limit::RateLimits;
use coinlink_ports::shared::RequestGate as _;
use coinlink_testkit::identity::a_session;
use reqwest::{Method, RequestBuilder, Response};
use time::Duration;

async fn text(response: Response) -> String {
    response.text().await.unwrap()
}

#[actix_web::test]
async fn a_handler_learns_who_is_calling_from_where_and_with_what() {
    let server = Server::start();
    let ada = Holder { generation: 7, ..Holder::new() };
    let signed_in = async |path| text(server.get_with(path, "authorization", &ada.bearer()).await).await;
    assert_eq!(signed_in("/test/caller").await, format!("{} {} 7 127.0.0.1", ada.user, ada.session));
    assert_eq!(signed_in("/test/signed-in").await, ada.user.to_string());
    assert_eq!(text(server.get("/test/caller").await).await, "anonymous 127.0.0.1");
    let client = server.get_with("/test/client", "user-agent", "Browser/1.0").await;
    assert_eq!(text(client).await, "Some(127.0.0.1) Some(\"Browser/1.0\")");
    server.stop().await;
}

#[actix_web::test]
async fn a_route_for_users_asks_anybody_else_to_sign_in() {
    let server = Server::start();
    let response = server.get("/test/signed-in").await;
    assert_eq!((response.status().as_u16(), header(&response, "www-authenticate")), (401, Some("Bearer")));
    assert_eq!(code(response).await, "authentication_required");
    server.stop().await;
}

/// What is no good, and what is said of it.
fn bad(request: RequestBuilder, kind: usize) -> (RequestBuilder, &'static str) {
    let ada = Holder::new();
    let minutes = Duration::minutes;
    let with = |value: String| request.header("authorization", value);
    match kind {
        0 => (with("Bearer nonsense".to_owned()), "invalid_token"),
        1 => (with("Basic YWRhOmFkYQ==".to_owned()), "invalid_token"),
        2 => (with(ada.bearer()).header("authorization", ada.bearer()), "invalid_token"),
        3 => (with(format!("Bearer {}", ada.token(minutes(-15), minutes(0)))), "token_expired"),
        _ => (with(format!("Bearer {}", ada.token(minutes(1), minutes(15)))), "token_not_yet_valid"),
    }
}

const ROUTES: [(&str, &str); 4] =
    [("GET", "/test/caller"), ("GET", "/api/crypto/ticker"), ("GET", "/nothing/here"), ("DELETE", "/test/caller")];

#[actix_web::test]
async fn a_token_that_is_no_good_is_refused_everywhere_and_counted_as_from_nobody() {
    let server = Server::start_with(Setup::limited(all(21)));
    let mut left = 21;
    for (method, path) in ROUTES {
        for kind in 0..5 {
            let (request, expected) = bad(server.request(method.parse().unwrap(), path), kind);
            let response = request.send().await.unwrap();
            left -= 1;
            assert_eq!(response.status(), 401, "{path} {expected}");
            assert_eq!(header(&response, "www-authenticate"), Some("Bearer error=\"invalid_token\""), "{path} {expected}");
            assert_eq!((counted(&response), number(&response, "remaining")), (vec!["anonymous".to_owned()], left), "{path}");
            assert_eq!(code(response).await, expected, "{path}");
        }
    }
    let (request, _) = bad(server.request(Method::GET, "/test/caller"), 0);
    assert_eq!(request.send().await.unwrap().status(), 401);
    let (request, _) = bad(server.request(Method::GET, "/test/caller"), 0);
    assert_eq!(request.send().await.unwrap().status(), 429, "guessing is limited");
    server.stop().await;
}

#[actix_web::test]
async fn a_token_that_is_no_good_does_not_stand_in_the_way_of_a_new_one() {
    let server = Server::start_with(Setup::limited(all(100)));
    let ended = Holder::new();
    server.behind.revoked.add([ended.session]);
    for path in ["/test/credentials", "/test/session"] {
        for kind in 0..5 {
            let (request, refused_elsewhere) = bad(server.request(Method::POST, path), kind);
            assert_eq!(request.send().await.unwrap().status(), 200, "{path} {refused_elsewhere}");
        }
        let request = server.request(Method::POST, path).header("authorization", ended.bearer());
        assert_eq!(request.send().await.unwrap().status(), 200, "{path}");
    }
    let (request, expected) = bad(server.request(Method::POST, "/api/v2/auth/logout"), 0);
    let response = request.send().await.unwrap();
    assert_eq!((response.status().as_u16(), code(response).await.as_str()), (401, expected), "it is told where one is needed");
    server.stop().await;
}

#[actix_web::test]
async fn the_assistant_takes_a_token_that_is_no_good_for_none() {
    let server = Server::start_with(Setup::limited(all(10)));
    for kind in 0..5 {
        let (request, refused_elsewhere) = bad(server.request(Method::GET, "/test/chat"), kind);
        let response = request.send().await.unwrap();
        assert_eq!((response.status().as_u16(), counted(&response)), (200, vec!["chat".to_owned()]), "{refused_elsewhere}");
        assert_eq!(text(response).await, "anonymous 127.0.0.1");
    }
    server.stop().await;
}

#[actix_web::test]
async fn a_session_that_is_over_opens_nothing_wherever_the_news_came_from() {
    let server = Server::start_with(Setup::limited(all(100)));
    let (here, elsewhere) = (Holder::new(), Holder::new());
    server.behind.revoked.add([here.session]);
    server.behind.shared.revoke(&[elsewhere.session.0], Duration::minutes(16)).await.unwrap();
    for holder in [here, elsewhere] {
        for (method, path) in ROUTES.into_iter().chain([("GET", "/test/signed-in")]) {
            let request = server.request(method.parse().unwrap(), path).header("authorization", holder.bearer());
            let response = request.send().await.unwrap();
            assert_eq!(response.status(), 401, "{path}");
            assert_eq!(header(&response, "www-authenticate"), Some("Bearer error=\"invalid_token\""), "{path}");
            assert_eq!(code(response).await, "session_revoked", "{path}");
        }
        let to_the_assistant = server.get_with("/test/chat", "authorization", &holder.bearer()).await;
        assert_eq!((to_the_assistant.status().as_u16(), counted(&to_the_assistant)), (200, vec!["chat".to_owned()]));
        assert_eq!(text(to_the_assistant).await, "anonymous 127.0.0.1");
    }
    let other = Holder { user: here.user, ..Holder::new() };
    assert_eq!(server.get_with("/test/signed-in", "authorization", &other.bearer()).await.status(), 200, "other sessions go on");
    server.stop().await;
}

#[actix_web::test]
async fn who_kept_the_token_of_an_ended_session_uses_up_nothing_of_the_account() {
    let server = Server::start_with(Setup::limited(RateLimits { authenticated: 2, ..all(100) }));
    let thief = Holder::new();
    server.behind.revoked.add([thief.session]);
    for _ in 0..5 {
        let response = server.get_with("/test/caller", "authorization", &thief.bearer()).await;
        assert_eq!((response.status().as_u16(), counted(&response)), (401, vec!["anonymous".to_owned()]));
    }
    let owner = Holder { user: thief.user, ..Holder::new() };
    assert_eq!(let_in(|| server.request(Method::GET, "/test/caller").header("authorization", owner.bearer())).await, 2);
    server.stop().await;
}

#[actix_web::test]
async fn while_nobody_can_say_whether_a_session_goes_on_only_what_is_public_is_served() {
    let server = Server::start();
    server.tick(1);
    let bearer = Holder::new().bearer();
    server.behind.shared.down.store(true, Ordering::SeqCst);
    for path in ["/api/bitcoin/price", "/test/chat", "/test/caller"] {
        assert_eq!(server.get_with(path, "authorization", &bearer).await.status(), 200, "{path}");
    }
    assert_eq!(text(server.get_with("/test/caller", "authorization", &bearer).await).await, "anonymous 127.0.0.1");
    let refused = server.get_with("/test/signed-in", "authorization", &bearer).await;
    assert_eq!((refused.status().as_u16(), header(&refused, "retry-after")), (503, Some("1")), "not 401: the session may go on");
    assert_eq!(code(refused).await, "dependency_unavailable");
    server.stop().await;
}

#[actix_web::test]
async fn the_first_use_of_new_tokens_is_noted_before_the_handler_runs() {
    let server = Server::start();
    let mut session = a_session(Holder::new().user);
    (session.generation, session.rotated_at) = (2, NOW);
    server.behind.store.put_session(&session);
    let holder = Holder { user: session.user, session: session.id, generation: 2 };
    assert!(!server.behind.store.sessions()[0].confirmed);
    assert_eq!(server.get_with("/test/panic", "authorization", &holder.bearer()).await.status(), 500);
    assert!(server.behind.store.sessions()[0].confirmed);
    server.stop().await;
}

#[actix_web::test]
async fn the_access_log_names_the_user_and_never_the_token() {
    let lines = Lines::of_this_process();
    let server = Server::start();
    let ada = Holder::new();
    server.get_with("/test/text/7", "authorization", &ada.bearer()).await;
    server.get("/test/text/8").await;
    server.stop().await;
    let written = lines.written();
    let of = |user: bool| {
        let named = |line: &&str| line.contains("route=\"/test/text/{length}\"") && line.contains("user_id=") == user;
        written.lines().filter(named).map(str::to_owned).collect::<Vec<_>>()
    };
    let signed_in = of(true);
    assert!(signed_in.iter().any(|line| line.contains(&format!("user_id={}", ada.user))), "{written}");
    assert!(!of(false).is_empty(), "{written}");
    assert!(!written.contains(&ada.token(Duration::ZERO, Duration::minutes(15))));
}
