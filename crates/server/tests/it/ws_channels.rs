//! The protocol of the first backend's clients, prompts for everybody, and the document of all of it.

use std::{collections::BTreeSet, sync::Arc};

use crate::http_support::{NOW, gated::Holder};
use crate::ws_support::Node;
use coinlink::{
    wire::{self, Said},
    ws::{Headlines, UNDERSTOOD, frame},
};
use coinlink_domain::{
    assistant::{Prompt, PromptKind},
    market::{Article, NewsSource},
};
use serde_json::{Value, json};

fn join(channel: &str) -> Value {
    json!({ "type": "join_channel", "channel": channel })
}

#[actix_web::test]
async fn channels_are_joined_and_left_by_their_names_and_no_others_are_made() {
    let node = Node::start();
    let mut socket = node.connect().await;
    socket.say(&json!({ "type": "join_channel" })).await;
    assert_eq!(socket.error().await, "missing_channel");
    socket.say(&join("admins")).await;
    assert_eq!(socket.error().await, "invalid_channel");
    for channel in ["general", " Market_News "] {
        socket.say(&join(channel)).await;
        assert_eq!(socket.frame_of("channel_joined").await["data"]["channel"], channel.trim().to_lowercase());
    }
    assert_eq!(node.get("/api/connections").await["websocket_stats"]["total_channels"], 3, "the ticker and two");
    socket.say(&json!({ "type": "leave_channel", "channel": "general" })).await;
    assert_eq!(socket.frame_of("channel_left").await["data"]["channel"], "general");
    assert_eq!(node.connections.counts().channels, 1);
    drop(socket);
    while node.connections.counts().channels > 0 {
        tokio::task::yield_now().await;
    }
    node.stop().await;
}

#[actix_web::test]
async fn the_price_of_bitcoin_is_pushed_with_each_tick_to_who_wants_it_as_a_number() {
    let node = Node::start();
    let (mut early, mut other) = (node.connect().await, node.connect().await);
    early.say(&json!({ "type": "subscribe_bitcoin" })).await;
    assert!(!early.until_pong().await.contains(&"bitcoin_price".to_owned()), "no price is made up");
    node.tick(1, "97012.123456789012345678");
    let pushed = early.frame_of("bitcoin_price").await["data"].clone();
    assert!(early.text.contains(r#""price":97012.123456789012345678,"#), "every digit: {}", early.text);
    assert_eq!((&pushed["change_24h"], &pushed["change_percent_24h"]), (&json!(-1.25), &json!(-1.25)));
    assert_eq!((&pushed["status"], &pushed["source"]), (&json!("live"), &json!("coingecko")));

    let mut late = node.connect().await;
    late.say(&join("bitcoin_prices")).await;
    assert_eq!(late.frame_of("bitcoin_price").await["data"], pushed, "the newest at once");
    node.tick(2, "97013");
    assert_eq!(late.frame_of("bitcoin_price").await["data"]["price"], 97_013);
    early.say(&json!({ "type": "unsubscribe_bitcoin" })).await;
    assert_eq!(early.frame_of("bitcoin_unsubscribed").await["data"]["status"], "unsubscribed");
    node.tick(3, "97014");
    assert_eq!(late.frame_of("bitcoin_price").await["data"]["price"], 97_014);
    assert!(!early.until_pong().await.contains(&"bitcoin_price".to_owned()));
    assert!(!other.until_pong().await.contains(&"bitcoin_price".to_owned()));
    node.stop().await;
}

#[actix_web::test]
async fn headlines_are_pushed_to_their_channel_and_shown_to_who_joins_later() {
    let node = Node::start();
    let (mut early, mut other) = (node.connect().await, node.connect().await);
    early.say(&join("market_news")).await;
    early.frame_of("channel_joined").await;
    let article = Article {
        title: "Bitcoin does something".into(),
        url: "https://news.example/1".into(),
        publisher: "Example".into(),
        summary: None,
        published_at: Some(NOW),
    };
    let of = |article: &Article| frame::text(&wire::market_news(article, NewsSource::NewsApi, NOW));
    let older = Article { url: "https://news.example/0".into(), ..article.clone() };
    node.feeds.tell_news(Headlines { newest: Arc::from([of(&article), of(&older)]), new: Arc::from([of(&article)]) });
    let pushed = early.frame_of("market_news").await["data"].clone();
    assert_eq!((&pushed["headline"], &pushed["source"]), (&json!("Bitcoin does something"), &json!("Example")));
    assert_eq!((&pushed["category"], &pushed["importance"]), (&json!("news"), &Value::Null));
    let mut late = node.connect().await;
    late.say(&join("market_news")).await;
    assert_eq!(late.frame_of("market_news").await["data"]["id"], pushed["id"]);
    assert_eq!(late.frame_of("market_news").await["data"]["url"], "https://news.example/0", "what was there before, too");
    assert!(!early.until_pong().await.contains(&"market_news".to_owned()), "which is no news");
    assert!(!other.until_pong().await.contains(&"market_news".to_owned()));
    node.stop().await;
}

#[actix_web::test]
async fn a_question_is_answered_to_who_asked_and_to_nobody_in_the_channel() {
    let node = Node::start();
    let holder = Holder::new();
    let (mut user, mut stranger) = (node.connect_of(holder).await, node.connect().await);
    stranger.say(&join("general")).await;
    stranger.frame_of("channel_joined").await;
    user.say(&join("general")).await;
    user.say(&json!({ "type": "chat_message", "message": " hel\u{7}lo\r\n", "channel": "general" })).await;
    user.say(&json!({ "type": "chat_message", "message": "and?" })).await;
    assert_eq!(user.error().await, "rate_limited", "one after the other");
    node.echo.may_answer.add_permits(1);
    let answer = user.frame_of("chat_response").await["data"].clone();
    let expected = json!({
        "channel": "general",
        "user_message": "hello",
        "bot_response": "you said hello",
        "user_id": holder.user.0.to_string(),
        "authenticated": true,
    });
    assert_eq!(answer, expected);
    assert!(stranger.until_pong().await.is_empty());

    node.echo.may_answer.add_permits(2);
    stranger.say(&json!({ "type": "chat_message", "message": "too much" })).await;
    let refused = stranger.frame_of("error").await["data"].clone();
    assert_eq!((&refused["error_code"], &refused["retry_after_ms"]), (&json!("prompt_quota_exceeded"), &json!(300_000)));
    stranger.say(&json!({ "type": "chat_message", "message": "hi" })).await;
    let answer = stranger.frame_of("chat_response").await["data"].clone();
    assert_eq!((&answer["user_id"], &answer["authenticated"]), (&Value::Null, &json!(false)));
    for (message, code) in [(json!(" "), "empty_message"), (json!("x".repeat(1_001)), "message_too_long")] {
        stranger.say(&json!({ "type": "chat_message", "message": message })).await;
        let refused = stranger.frame_of("error").await["data"].clone();
        assert_eq!((&refused["error_code"], refused.get("retry_after_ms")), (&json!(code), None));
    }
    node.stop().await;
}

#[actix_web::test]
async fn what_was_said_on_a_socket_that_is_nobodys_is_forgotten_when_it_closes() {
    let node = Node::start();
    let ask = json!({ "type": "chat_message", "message": "hi" });
    let (mut answered, mut unanswered, mut silent) = (node.connect().await, node.connect().await, node.connect().await);
    let mut user = node.connect_of(Holder::new()).await;
    silent.until_pong().await;
    node.echo.may_answer.add_permits(2);
    for (socket, count) in [(&mut user, 1), (&mut answered, 2)] {
        socket.say(&ask).await;
        node.echo.heard(count).await;
        socket.frame_of("chat_response").await;
    }
    drop((silent, user));
    let id = node.echo.heard(2).await.connection;
    drop(answered);
    assert_eq!(node.echo.forgot(1).await, id, "and not that of a user, who has a history");

    unanswered.say(&ask).await;
    let id = node.echo.heard(3).await.connection;
    drop(unanswered);
    while node.connections.counts().total > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(node.echo.forgotten.lock().unwrap().len(), 1, "what is said last is not known yet");
    node.echo.may_answer.add_permits(1);
    assert_eq!(node.echo.forgot(2).await, id);
    node.stop().await;
}

#[actix_web::test]
async fn who_says_too_much_is_told_for_how_long_to_be_silent() {
    let node = Node::start();
    let mut socket = node.connect().await;
    for _ in 0..61 {
        socket.say(&json!({ "type": "ping" })).await;
    }
    let refused = socket.frame_of("error").await["data"].clone();
    assert_eq!((&refused["error_code"], &refused["retry_after_ms"]), (&json!("rate_limited"), &json!(60_000)));
    node.stop().await;
}

#[actix_web::test]
async fn a_node_thinks_about_few_questions_at_once() {
    let node = Node::start();
    let mut sockets = [node.connect().await, node.connect().await, node.connect().await];
    for socket in &mut sockets[..2] {
        socket.say(&json!({ "type": "chat_message", "message": "hi" })).await;
        // So that they are asked before the third one.
        socket.say(&json!({ "type": "ping" })).await;
        socket.frame_of("pong").await;
    }
    sockets[2].say(&json!({ "type": "chat_message", "message": "hi" })).await;
    assert_eq!(sockets[2].error().await, "rate_limited", "the node of this test thinks about two");
    node.echo.may_answer.add_permits(3);
    for socket in &mut sockets[..2] {
        socket.frame_of("chat_response").await;
    }
    sockets[2].say(&json!({ "type": "chat_message", "message": "now?" })).await;
    sockets[2].frame_of("chat_response").await;
    node.stop().await;
}

#[actix_web::test]
async fn prompts_come_after_the_list_and_again_when_they_change() {
    let node = Node::start();
    node.tick(1, "97012");
    let prompts = |title: &str| {
        let prompt =
            Prompt { kind: PromptKind::Report, subtype: "market", title: title.into(), content: "All is well.".into(), at: NOW };
        frame::text(&wire::prompt_feed(&vec![prompt; 12], NOW))
    };
    node.feeds.show_prompts(prompts("first"));
    let mut socket = node.connect().await;
    let mut kinds = Vec::new();
    let feed = loop {
        let frame = socket.frame().await;
        kinds.push(frame["type"].as_str().unwrap().to_owned());
        if frame["type"] == "prompt_feed" {
            break frame;
        }
    };
    assert_eq!(kinds, ["connected", "crypto_ticker_update", "prompt_feed"]);
    let item = json!({ "kind": "report", "subtype": "market", "title": "first", "content": "All is well.", "timestamp": "2026-01-01T00:00:00.000000Z" });
    assert_eq!(feed["data"], json!(vec![item; 12]));
    node.feeds.show_prompts(prompts("second"));
    assert_eq!(socket.frame_of("prompt_feed").await["data"][0]["title"], "second");
    node.stop().await;
}

#[actix_web::test]
async fn the_document_of_the_socket_has_every_type_that_is_sent_or_understood_and_no_other() {
    let server = crate::http_support::Server::start();
    let document = crate::http_support::json(server.get("/asyncapi.json").await).await;
    let types = |operation: &str| -> BTreeSet<String> {
        let messages = document["operations"][operation]["messages"].as_array().unwrap();
        let name = |message: &Value| message["$ref"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
        let payload = |name: String| {
            assert_eq!(document["channels"]["ws"]["messages"][&name]["$ref"], format!("#/components/messages/{name}"));
            let message = &document["components"]["messages"][&name];
            assert_eq!(message["contentType"], "application/json", "{name}");
            message["payload"]["properties"]["type"]["const"].as_str().unwrap_or_else(|| panic!("{name}")).to_owned()
        };
        messages.iter().map(name).map(payload).collect()
    };
    assert_eq!(types("send"), Said::ALL.iter().map(|said| said.name().to_owned()).collect());
    assert_eq!(types("receive"), UNDERSTOOD.iter().map(|kind| (*kind).to_owned()).collect());
    assert!(!types("send").contains("bitcoin_update"));
    server.stop().await;
}
