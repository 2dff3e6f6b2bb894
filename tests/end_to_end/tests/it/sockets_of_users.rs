//! Sockets of signed-in users on the real binary: two nodes that share a Redis, tickets between them, and sessions that end.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::time::{Duration, Instant};

use coinlink_end_to_end_tests::{Api, Client, Node, Serve, UNLIMITED, eventually, somebody};
use coinlink_testkit::{
    servers::{PrivateRedis, fresh_database, shared_redis},
    upstream_stub::StubUpstream,
};
use futures_util::future::join_all;
use serde_json::{Value, json};

/// Two nodes, and what they need for as long as they run.
async fn two_nodes() -> (Vec<Node>, impl Sized) {
    let (database, redis, stub) = (fresh_database().await, shared_redis().await, StubUpstream::start().await);
    let cluster = Serve { database: &database.url, redis: &redis.url(), prefix: &redis.fresh_prefix() };
    let nodes = cluster.start_with(2, &stub, &UNLIMITED).await;
    (nodes, (database, redis, stub))
}

async fn of(node: &Node, token: &str) -> Client {
    let mut client = Client::connect(node.address).await;
    client.say(&json!({ "type": "authenticate", "token": token })).await;
    client.frame_of("authenticated").await;
    client
}

async fn ticket(api: &Api, token: &str) -> String {
    api.post_as(token, "/api/v2/auth/ws-ticket", &Value::Null).await.expect(201).json["ticket"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_ticket_of_one_node_opens_one_socket_of_either() {
    let (nodes, _alive) = two_nodes().await;
    let api = Api::at(nodes[0].url(""));
    let held = api.sign_up(&somebody()).await;
    let text = ticket(&api, &held.access).await;
    let mut clients = join_all((0..50).map(|n| Client::connect(nodes[n % 2].address))).await;
    let frame = json!({ "type": "authenticate", "ticket": text });
    join_all(clients.iter_mut().map(|client| client.say(&frame))).await;
    let answers = join_all(clients.iter_mut().map(async |client| {
        loop {
            let frame = client.frame().await;
            if ["authenticated", "error"].contains(&frame.kind()) {
                return frame;
            }
        }
    }));
    let answers = answers.await;
    let opened: Vec<_> = answers.iter().filter(|frame| frame.kind() == "authenticated").collect();
    assert_eq!(opened.len(), 1);
    assert_eq!(opened[0].json["data"]["user_id"], held.user);
}

#[tokio::test]
async fn a_session_that_ends_on_one_node_is_over_for_its_sockets_on_the_other_within_seconds() {
    let (nodes, _alive) = two_nodes().await;
    let api = Api::at(nodes[0].url(""));
    let email = somebody();
    let (held, other) = (api.sign_up(&email).await, api.sign_in(&email).await);
    let (mut here, mut there) = (of(&nodes[0], &held.access).await, of(&nodes[1], &held.access).await);
    let mut kept = of(&nodes[1], &other.access).await;
    let _ = api.post("/api/v2/auth/logout", &json!({ "refresh_token": held.refresh })).await.expect(200);
    let since = Instant::now();
    for socket in [&mut here, &mut there] {
        assert_eq!(socket.frame_of("auth.ended").await.json["data"]["reason"], "session_ended");
    }
    assert!(since.elapsed() < Duration::from_secs(4), "{:?}", since.elapsed());
    kept.say(&json!({ "type": "ping" })).await;
    loop {
        let frame = kept.frame().await;
        assert_ne!(frame.kind(), "auth.ended", "another session of the same user goes on");
        if frame.kind() == "pong" {
            break;
        }
    }
    assert_eq!(nodes[1].metric("coinlink_ws_connections{auth=\"user\"}").await, 1);
}

#[tokio::test]
async fn an_alert_that_fires_on_the_leader_reaches_its_users_sockets_on_both_nodes_once_each() {
    let (nodes, _alive) = two_nodes().await;
    let api = Api::at(nodes[0].url(""));
    let (held, stranger) = (api.sign_up(&somebody()).await, api.sign_up(&somebody()).await);
    let mut sockets = [of(&nodes[0], &held.access).await, of(&nodes[1], &held.access).await];
    let mut others = [of(&nodes[0], &stranger.access).await, Client::connect(nodes[1].address).await];
    for socket in &mut sockets {
        socket.update_when(Duration::from_secs(20), |frame| frame.line("BTC").is_some()).await;
    }
    let rule = json!({ "symbol": "BTC", "target_price": 1, "condition": "above" });
    let _ = api.post_as(&held.access, "/api/v2/user/alerts", &rule).await.expect(201);
    for socket in &mut sockets {
        let alert = socket.frame_of("price_alert").await;
        assert!(alert.json["data"]["current_price"].is_number() && alert.json["data"]["symbol"] == "BTC");
        assert_eq!(socket.frame_of("chat_agent_message").await.json["content"], alert.json["data"]["message"]);
        assert_eq!(socket.frame_of("notification").await.json["data"]["id"], alert.json["data"]["notification_id"]);
    }
    for socket in sockets.iter_mut().chain(&mut others) {
        socket.say(&json!({ "type": "ping" })).await;
        loop {
            let frame = socket.frame().await;
            assert!(!["price_alert", "notification", "chat_agent_message"].contains(&frame.kind()), "{}", frame.text);
            if frame.kind() == "pong" {
                break;
            }
        }
    }
}

#[tokio::test]
async fn what_a_stranger_asked_on_a_socket_is_gone_with_it_and_who_asked_too_much_knows_when_to_come_back() {
    let (database, redis, stub) = (fresh_database().await, PrivateRedis::start().await, StubUpstream::start().await);
    let url = redis.url();
    let cluster = Serve { database: &database.url, redis: &url, prefix: "asked:" };
    let nodes = cluster.start_with(1, &stub, &[&UNLIMITED[..], &[("PROMPTS_ANONYMOUS", "1")]].concat()).await;
    let kept = || redis.ask(&["EVAL", "return #redis.call('KEYS', ARGV[1])", "0", "asked:chat:*"]) != "0";
    let mut stranger = Client::connect(nodes[0].address).await;
    stranger.say(&json!({ "type": "chat_message", "message": " What can\u{0} you tell me?\r\n" })).await;
    let answer = stranger.frame_of("chat_response").await.json;
    assert_eq!(answer["data"]["user_message"], "What can you tell me?");
    assert!(kept());
    stranger.say(&json!({ "type": "chat_message", "message": "And?" })).await;
    let refused = stranger.frame_of("error").await.json["data"].clone();
    assert_eq!(refused["error_code"], "prompt_quota_exceeded");
    assert!((3_500_000..=3_600_000).contains(&refused["retry_after_ms"].as_u64().unwrap()), "{refused}");
    let words = refused["error_message"].as_str().unwrap();
    assert!(words.contains("60 minutes") && !words.to_lowercase().contains("header"), "{words}");
    drop(stranger);
    eventually("it is forgotten", Duration::from_secs(5), async || !kept()).await;
}

#[tokio::test]
async fn no_token_or_ticket_is_in_the_logs() {
    let mut node = Node::dev_with(&["--feed", "simulated"], &[("LOG_LEVEL", "debug")]).await;
    let api = Api::at(node.url(""));
    let held = api.sign_up(&somebody()).await;
    let text = ticket(&api, &held.access).await;
    let query = format!("/ws?token={}&ticket={text}", held.access);
    let mut stranger = Client::try_connect(node.address, &query, None).await.unwrap();
    stranger.say(&json!({ "type": "authenticate", "token": held.access })).await;
    stranger.frame_of("authenticated").await;
    stranger.say(&json!({ "type": "authenticate", "ticket": text })).await;
    stranger.frame_of("authenticated").await;
    stranger.say(&json!({ "type": "authenticate", "ticket": text })).await;
    stranger.frame_of("error").await;
    drop(stranger);
    node.process.terminate();
    assert!(node.process.wait().await.success());
    let logs = node.process.log();
    assert!(logs.contains("handshake"), "{logs}");
    assert!(!logs.contains(&text) && !logs.contains(&held.access));
}
