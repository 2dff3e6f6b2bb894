//! Whose a socket is: tokens and tickets shown in band, their ends, and what is told to nobody else.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use crate::http_support::{
    NOW, ORIGIN, OWN_ORIGIN,
    cookies::{Page, SIGN_UP},
    gated::Holder,
};
use crate::ws_support::{Node, Socket};
use coinlink_domain::{
    market::{Price, Source, Symbol, TickId},
    notifications::{
        NotificationId,
        alerts::{AlertCondition, AlertRuleId, FiredAlert},
    },
};
use coinlink_ports::notifications::{LiveEvent, LiveEvents as _};
use coinlink_testkit::notifications::a_notification;
use futures_util::future::join_all;
use serde_json::json;
use time::Duration;
use uuid::Uuid;

fn ticket_frame(ticket: &str) -> serde_json::Value {
    json!({ "type": "authenticate", "ticket": ticket })
}

fn fired(holder: Holder) -> FiredAlert {
    let price = |text: &str| Price::try_new(text.parse().unwrap()).unwrap();
    FiredAlert {
        rule: AlertRuleId(Uuid::from_u128(1)),
        user: holder.user,
        notification: NotificationId(Uuid::from_u128(2)),
        symbol: Symbol::btc(),
        condition: AlertCondition::CrossesAbove(price("100000")),
        price: price("100000.123456789012"),
        moved_from: None,
        source: Some(Source::Kraken),
        tick: TickId { epoch: 1, seq: 1 },
        at: NOW,
    }
}

#[actix_web::test]
async fn a_socket_is_whose_token_it_shows_and_is_told_what_is_wrong_with_others() {
    let node = Node::start();
    let holder = Holder::new();
    let mut socket = node.connect().await;
    assert_eq!(socket.frame().await["data"]["authenticated"], false);
    for (message, code) in [
        (json!({ "type": "authenticate" }), "missing_token"),
        (json!({ "type": "authenticate", "token": "Bearer " }), "missing_token"),
        (json!({ "type": "authenticate", "token": "nonsense" }), "invalid_token"),
        (json!({ "type": "authenticate", "token": holder.token(-Duration::HOUR, -Duration::MINUTE) }), "invalid_token"),
    ] {
        socket.say(&message).await;
        assert_eq!(socket.error().await, code, "{message}");
    }
    for token in [holder.bearer(), holder.token(Duration::ZERO, Duration::minutes(15))] {
        socket.say(&json!({ "type": "authenticate", "token": token })).await;
        let data = socket.frame_of("authenticated").await["data"].clone();
        assert_eq!(data["user_id"], holder.user.0.to_string());
        assert_eq!((&data["status"], &data["expires_at"]), (&json!("authenticated"), &json!("2026-01-01T00:15:00.000000Z")));
    }
    let counts = node.get("/api/connections").await["websocket_stats"].clone();
    assert_eq!((&counts["authenticated_connections"], &counts["anonymous_connections"]), (&json!(1), &json!(0)));
    assert_eq!(counts["total_users"], 1);
    let metrics = node.get("/metrics").await.to_string();
    assert!(metrics.contains("coinlink_ws_connections{auth=\\\"user\\\"} 1") && metrics.contains("{auth=\\\"anonymous\\\"} 0"));
    node.stop().await;
}

#[actix_web::test]
async fn after_five_tries_in_a_row_the_socket_is_closed() {
    let node = Node::start();
    let mut socket = node.connect().await;
    for _ in 0..4 {
        socket.say(&json!({ "type": "authenticate", "token": "nonsense" })).await;
    }
    socket.say(&json!({ "type": "authenticate", "token": Holder::new().bearer() })).await;
    socket.frame_of("authenticated").await;
    for _ in 0..5 {
        socket.say(&ticket_frame(&"0".repeat(64))).await;
    }
    assert_eq!(socket.closed().await, 4004, "and not before: one that was good begins a new count");
    node.stop().await;
}

#[actix_web::test]
async fn a_ticket_opens_one_socket_from_its_own_page_for_thirty_seconds() {
    let node = Node::start();
    let holder = Holder::new();
    let show = async |ticket: &str, origin: Option<&str>| {
        let mut socket = node.connect_as(origin, &[]).await.0;
        socket.say(&ticket_frame(ticket)).await;
        socket.until_pong().await.into_iter().find(|kind| kind == "authenticated" || kind == "error").unwrap()
    };
    let ticket = node.ticket(holder, Some(ORIGIN)).await;
    assert_eq!(show(&ticket, Some(ORIGIN)).await, "authenticated");
    assert_eq!(show(&ticket, Some(ORIGIN)).await, "error", "a replay");

    for (of, by) in [(Some(ORIGIN), Some(OWN_ORIGIN)), (Some(ORIGIN), None), (None, Some(ORIGIN))] {
        let ticket = node.ticket(holder, of).await;
        assert_eq!(show(&ticket, by).await, "error", "{of:?} by {by:?}");
        assert_eq!(show(&ticket, of).await, "error", "used up by it");
    }
    let ticket = node.ticket(holder, None).await;
    assert_eq!(show(&ticket, None).await, "authenticated", "programs send no origin");

    let ticket = node.ticket(holder, Some(ORIGIN)).await;
    node.behind.clock.advance(Duration::seconds(31));
    assert_eq!(show(&ticket, Some(ORIGIN)).await, "error", "lapsed");
    node.stop().await;
}

#[actix_web::test]
async fn of_fifty_sockets_that_present_one_ticket_one_is_the_users() {
    let node = Node::start();
    let ticket = node.ticket(Holder::new(), Some(ORIGIN)).await;
    let mut sockets = join_all((0..50).map(|_| node.connect())).await;
    let frame = ticket_frame(&ticket);
    join_all(sockets.iter_mut().map(|socket| socket.say(&frame))).await;
    let answers = join_all(sockets.iter_mut().map(Socket::until_pong)).await;
    let of = |kind: &str| answers.iter().filter(|kinds| kinds.iter().any(|one| one == kind)).count();
    assert_eq!((of("authenticated"), of("error")), (1, 49));
    node.stop().await;
}

#[actix_web::test]
async fn a_ticket_may_come_as_a_subprotocol_and_is_not_repeated() {
    let node = Node::start();
    let holder = Holder::new();
    let ticket = node.ticket(holder, Some(ORIGIN)).await;
    let offer = format!("coinlink.ticket.{ticket}");
    let (mut socket, response) = node.connect_as(Some(ORIGIN), &["coinlink.v1", &offer]).await;
    assert_eq!(response.headers()["sec-websocket-protocol"], "coinlink.v1");
    assert!(!format!("{:?}", response.headers()).contains(&ticket));
    assert_eq!(socket.frame().await["type"], "connected");
    assert_eq!(socket.frame_of("authenticated").await["data"]["user_id"], holder.user.0.to_string());

    let (mut again, _) = node.connect_as(Some(ORIGIN), &["coinlink.v1", &offer]).await;
    assert_eq!(again.error().await, "invalid_token");
    assert!(again.until_pong().await.is_empty(), "it goes on as nobody's");
    node.stop().await;
}

#[actix_web::test]
async fn what_is_in_the_url_makes_a_socket_nobodys() {
    let node = Node::start();
    let (holder, origin) = (Holder::new(), Some(ORIGIN));
    let (token, ticket) = (holder.token(Duration::ZERO, Duration::HOUR), node.ticket(holder, origin).await);
    let (mut socket, _) = node.connect_at(&format!("/ws?token={token}&ticket={ticket}"), origin, &[]).await;
    assert_eq!(socket.frame().await["data"]["authenticated"], false);
    assert!(!socket.until_pong().await.contains(&"authenticated".to_owned()));
    assert_eq!(node.connections.counts().authenticated, 0);
    node.stop().await;
}

#[actix_web::test]
async fn a_socket_is_told_before_its_token_ends_and_goes_on_as_nobodys_unless_it_shows_a_new_one() {
    let node = Node::start();
    let holder = Holder::new();
    let (mut refreshed, mut silent) = (node.connect_of(holder).await, node.connect_of(holder).await);
    node.behind.clock.advance(Duration::minutes(14) + Duration::SECOND);
    for socket in [&mut refreshed, &mut silent] {
        let told = socket.frame_of("auth.expiring").await["data"].clone();
        assert_eq!((&told["expires_at"], &told["expires_in_ms"]), (&json!("2026-01-01T00:15:00.000000Z"), &json!(59_000)));
    }
    let token = holder.token(Duration::minutes(14), Duration::minutes(29));
    refreshed.say(&json!({ "type": "authenticate", "token": token })).await;
    refreshed.frame_of("authenticated").await;
    node.behind.clock.advance(Duration::minutes(1));
    let ended = silent.frame_of("auth.ended").await["data"].clone();
    assert_eq!(ended, json!({ "reason": "expired", "authenticated": false }));

    node.live.publish(holder.user, &LiveEvent::AlertFired(fired(holder))).await.unwrap();
    refreshed.frame_of("price_alert").await;
    assert!(silent.until_pong().await.is_empty(), "still there, and nobody's");
    silent.say(&json!({ "type": "authenticate", "token": token })).await;
    silent.frame_of("authenticated").await;
    node.stop().await;
}

#[actix_web::test]
async fn a_session_that_ends_takes_its_private_frames_along() {
    let node = Node::start();
    let (holder, other) = (Holder::new(), Holder::new());
    let other = Holder { user: holder.user, ..other };
    let (mut socket, mut kept) = (node.connect_of(holder).await, node.connect_of(other).await);
    let ticket = node.ticket(holder, Some(ORIGIN)).await;
    node.behind.revoked.add([holder.session]);
    // At once, though the hub has not looked yet.
    node.live.publish(holder.user, &LiveEvent::AlertFired(fired(holder))).await.unwrap();
    kept.frame_of("price_alert").await;
    let mut kinds = Vec::new();
    while kinds.last().is_none_or(|kind| kind != "auth.ended") {
        let frame = socket.frame().await;
        kinds.push(frame["type"].as_str().unwrap().to_owned());
    }
    assert!(!kinds.iter().any(|kind| kind == "price_alert" || kind == "chat_agent_message"), "{kinds:?}");
    for message in [json!({ "type": "authenticate", "token": holder.bearer() }), ticket_frame(&ticket)] {
        socket.say(&message).await;
        assert_eq!(socket.error().await, "invalid_token");
    }
    node.stop().await;
}

/// A question that is asked and not answered yet.
async fn asks(socket: &mut Socket, node: &Node, count: usize) -> coinlink::ws::Asked {
    socket.say(&json!({ "type": "chat_message", "message": "which alerts do I have?" })).await;
    node.echo.heard(count).await
}

/// What comes once it may be answered, up to a ping after its `error`.
async fn no_answer(socket: &mut Socket, node: &Node) -> Vec<String> {
    node.echo.may_answer.add_permits(1);
    let mut kinds = Vec::new();
    while kinds.last().is_none_or(|kind| kind != "error") {
        let frame = socket.frame().await;
        let kind = frame["type"].as_str().unwrap().to_owned();
        assert_ne!(kind, "chat_response", "{frame}");
        if kind == "error" {
            assert_eq!(frame["data"]["error_code"], "session_ended");
        }
        kinds.push(kind);
    }
    kinds.extend(socket.until_pong().await);
    kinds
}

#[actix_web::test]
async fn a_question_under_way_when_the_session_ends_is_not_answered() {
    let node = Node::start();
    let holder = Holder::new();
    let mut socket = node.connect_of(holder).await;
    let asked = asks(&mut socket, &node, 1).await;
    assert_eq!((asked.user, asked.session), (Some(holder.user), Some(holder.session)));
    node.behind.revoked.add([holder.session]);
    assert_eq!(no_answer(&mut socket, &node).await, ["auth.ended", "error"]);

    let mut socket = node.connect_of(Holder::new()).await;
    asks(&mut socket, &node, 2).await;
    node.behind.clock.advance(Duration::minutes(16));
    assert_eq!(no_answer(&mut socket, &node).await, ["auth.ended", "error"], "nor when the token did");
    node.stop().await;
}

#[actix_web::test]
async fn a_question_under_way_is_not_answered_to_another_user_nor_in_another_session() {
    let node = Node::start();
    let ada = Holder::new();
    let again = Holder { session: Holder::new().session, ..ada };
    for (count, then) in [(1, Holder::new()), (2, again)] {
        let mut socket = node.connect_of(ada).await;
        asks(&mut socket, &node, count).await;
        socket.say(&json!({ "type": "authenticate", "token": then.bearer() })).await;
        socket.frame_of("authenticated").await;
        assert_eq!(no_answer(&mut socket, &node).await, ["error"]);
    }
    let mut socket = node.connect_of(ada).await;
    asks(&mut socket, &node, 3).await;
    let newer = ada.token(Duration::ZERO, Duration::minutes(20));
    socket.say(&json!({ "type": "authenticate", "token": newer })).await;
    node.echo.may_answer.add_permits(1);
    socket.frame_of("chat_response").await;
    node.stop().await;
}

#[actix_web::test]
async fn a_question_under_way_on_one_node_when_the_session_ends_on_another_is_not_answered() {
    let here = Node::start();
    let there = here.beside();
    let post = async |path: &str, body: serde_json::Value| {
        let request = here.client.post(format!("http://{}/api/v2/auth/{path}", here.address));
        let response = request.header("content-type", "application/json").body(body.to_string()).send().await.unwrap();
        assert!(response.status().is_success(), "{path}");
        crate::http_support::json(response).await
    };
    let tokens = post("signup", SIGN_UP()).await["tokens"].clone();
    let mut socket = there.connect().await;
    socket.say(&json!({ "type": "authenticate", "token": tokens["access_token"] })).await;
    socket.frame_of("authenticated").await;
    let asked = asks(&mut socket, &there, 1).await;
    post("logout", json!({ "refresh_token": tokens["refresh_token"] })).await;
    assert!(!there.behind.revoked.contains(asked.session.unwrap()), "it was not told yet");
    assert_eq!(no_answer(&mut socket, &there).await, ["auth.ended", "error"]);
    assert!(there.behind.revoked.contains(asked.session.unwrap()), "and knows it from now on");
    here.stop().await;
    there.stop().await;
}

#[actix_web::test]
async fn a_question_after_the_session_ended_is_nobodys() {
    let node = Node::start();
    let holder = Holder::new();
    let mut socket = node.connect_of(holder).await;
    node.behind.revoked.add([holder.session]);
    let asked = asks(&mut socket, &node, 1).await;
    assert_eq!((asked.user, asked.session), (None, None), "though the hub has not looked yet");
    node.echo.may_answer.add_permits(1);
    socket.frame_of("auth.ended").await;
    assert_eq!(socket.frame_of("chat_response").await["data"]["authenticated"], false);
    node.stop().await;
}

#[actix_web::test]
async fn the_hub_notices_within_a_second_or_two_that_a_session_is_over() {
    let node = Node::start();
    let holder = Holder::new();
    let mut socket = node.connect_of(holder).await;
    node.behind.revoked.add([holder.session]);
    let since = std::time::Instant::now();
    let ended = socket.frame_of("auth.ended").await;
    assert_eq!(ended["data"]["reason"], "session_ended");
    assert!(since.elapsed() < std::time::Duration::from_secs(3));
    assert_eq!(node.connections.counts().authenticated, 0);
    node.stop().await;
}

#[actix_web::test]
async fn private_frames_reach_all_sockets_of_their_user_and_nobody_elses() {
    let node = Node::start();
    let (ada, bob) = (Holder::new(), Holder::new());
    let mut adas = [node.connect_of(ada).await, node.connect_of(ada).await];
    let mut others = [node.connect_of(bob).await, node.connect().await];
    let (notification, alert) = (a_notification(ada.user, 1), fired(ada));
    for event in [LiveEvent::Notice(notification.clone()), LiveEvent::AlertFired(alert)] {
        // Twice, as it may come: shown once.
        node.live.publish(ada.user, &event).await.unwrap();
        node.live.publish(ada.user, &event).await.unwrap();
    }
    for socket in &mut adas {
        let notice = socket.frame_of("notification").await;
        assert_eq!(notice["data"]["id"], notification.id.0.to_string());
        assert_eq!(notice["data"]["type"], notification.kind.name());
        assert!(notice["timestamp"].is_string() && notice["data"]["is_read"] == false);
        let alert = socket.frame().await;
        assert_eq!(alert["type"], "price_alert");
        let data = &alert["data"];
        assert_eq!((&data["symbol"], &data["direction"]), (&json!("BTC"), &json!("up")));
        assert_eq!(data["condition"], "crosses_above");
        assert_eq!(data["notification_id"], Uuid::from_u128(2).to_string());
        assert!(data["target_price"].is_number() && data["triggered_at"].is_string());
        assert!(socket.text.contains(r#""current_price":100000.123456789012,"#), "{}", socket.text);
        let bubble = socket.frame().await;
        assert_eq!(bubble["type"], "chat_agent_message");
        assert_eq!(bubble["content"], data["message"], "at the top level, as the front end reads it");
        assert!(socket.until_pong().await.is_empty(), "and nothing twice");
    }
    for socket in &mut others {
        let kinds = socket.until_pong().await;
        assert!(
            kinds.iter().all(|kind| !["notification", "price_alert", "chat_agent_message"].contains(&kind.as_str())),
            "{kinds:?}"
        );
    }
    node.stop().await;
}

#[actix_web::test]
async fn a_user_has_twenty_sockets_on_a_node() {
    let node = Node::start();
    let holder = Holder::new();
    let mut sockets = join_all((0..20).map(|_| node.connect_of(holder))).await;
    let mut one_more = node.connect().await;
    one_more.say(&json!({ "type": "authenticate", "token": holder.bearer() })).await;
    assert_eq!(one_more.error().await, "auth_failed");
    let bob = Holder::new();
    sockets[0].say(&json!({ "type": "authenticate", "token": bob.bearer() })).await;
    assert_eq!(sockets[0].frame_of("authenticated").await["data"]["user_id"], bob.user.0.to_string());
    one_more.say(&json!({ "type": "authenticate", "token": holder.bearer() })).await;
    one_more.frame_of("authenticated").await;
    let counts = node.connections.counts();
    assert_eq!((counts.authenticated, counts.users), (21, 2));
    node.stop().await;
}

#[actix_web::test]
async fn who_does_not_read_private_frames_is_closed_and_others_are_not_held_up() {
    let node = Node::start();
    let holder = Holder::new();
    let (mut reader, sleeper) = (node.connect_of(holder).await, node.connect_of(holder).await);
    let mut long = a_notification(holder.user, 1);
    long.message = "x".repeat(8_000);
    for n in 0..2_000 {
        let told = coinlink::wire::live_frames(&LiveEvent::Notice(long.clone()), NOW);
        let frames = told.iter().map(|json| coinlink::ws::frame::text(json)).collect();
        node.feeds.tell(coinlink::ws::Private { user: holder.user, frames });
        reader.frame_of("notification").await;
        if node.connections.counts().authenticated == 1 {
            break;
        }
        assert!(n < 1_999, "the sleeper was never closed");
    }
    reader.until_pong().await;
    // It may take no close frame either: then it is cut off.
    drop(sleeper);
    assert!(node.get("/metrics").await.to_string().contains("coinlink_ws_slow_closed_total 1"));
    node.stop().await;
}

#[actix_web::test]
async fn a_page_with_cookies_asks_for_tickets_with_the_token_of_its_session_and_keys_get_none() {
    let server = crate::http_support::Server::start();
    let mut page = Page::of(&server);
    page.sign_in("/auth/signup").await;
    let answer = page.ask(reqwest::Method::POST, "/auth/ws-ticket", None).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    assert_eq!(answer.body["ticket"].as_str().unwrap().len(), 64);
    let forged = Page { token: String::new(), ..page.clone() };
    let refused = forged.ask(reqwest::Method::POST, "/auth/ws-ticket", None).await;
    assert_eq!((refused.status, refused.code()), (403, "csrf_failed"));
    let nobody = server.request(reqwest::Method::POST, "/api/v2/auth/ws-ticket").send().await.unwrap();
    assert_eq!(nobody.status(), 401);

    let key = json!({ "name": "a program", "scopes": ["account:read"], "password": SIGN_UP()["password"] });
    let made = page.ask(reqwest::Method::POST, "/user/api-keys", Some(key)).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let key = made.body["key"].as_str().unwrap();
    let refused = server.request(reqwest::Method::POST, "/api/v2/auth/ws-ticket").header("x-api-key", key).send().await.unwrap();
    assert_eq!(crate::http_support::code(refused).await, "key_not_allowed");
    server.stop().await;
}
