//! Talking with the assistant on two nodes, and while what they share is stopped.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::{Duration, SystemTime};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use coinlink_end_to_end_tests::{Answer, Api, Node, Serve, UNLIMITED, eventually, somebody};
use coinlink_testkit::{
    servers::{PrivateRedis, fresh_database},
    upstream_stub::StubUpstream,
};
use futures_util::future::join_all;
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::{Method, header::COOKIE};
use serde_json::{Value, json};
use sha2::Sha256;

const CHAT: &str = "/api/chat";
const HISTORY: &str = "/api/chat/history";
const PRICE: &str = "/api/bitcoin/price";
const SECRET: &str = "0123456789abcdef0123456789abcdef-chat";
const SOON: Duration = Duration::from_secs(20);
const NO_QUOTA: [(&str, &str); 3] = [("PROMPTS_ANONYMOUS", "0"), ("PROMPTS_USER", "0"), ("RATE_LIMIT_CHAT", "1000000")];

/// As the front end asks.
async fn say(api: &Api, text: &str) -> Answer {
    api.post(CHAT, &json!({"message": text, "session_id": "default", "token": null})).await
}

fn turns(answer: &Answer) -> Vec<&str> {
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json["history"].as_array().unwrap().iter().map(|turn| turn["content"].as_str().unwrap()).collect()
}

/// An access token with these claims, whose time was over an hour ago.
fn expired(token: &str) -> String {
    let mut claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap();
    let now = i64::try_from(SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs()).unwrap();
    for (name, ago) in [("iat", 7_200), ("nbf", 7_200), ("exp", 3_600)] {
        claims[name] = (now - ago).into();
    }
    let parts = [r#"{"alg":"HS256","typ":"at+jwt"}"#.to_owned(), claims.to_string()].map(|part| URL_SAFE_NO_PAD.encode(part));
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(parts.join(".").as_bytes());
    format!("{}.{}", parts.join("."), URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

#[tokio::test]
async fn two_nodes_know_the_same_conversations_and_go_on_while_redis_is_stopped() {
    let (stub, database, mut redis) = (StubUpstream::start().await, fresh_database().await, PrivateRedis::start().await);
    let url = redis.url();
    let cluster = Serve { database: &database.url, redis: &url, prefix: "chat:" };
    let nodes = cluster.start_with(2, &stub, &[&UNLIMITED[..], &NO_QUOTA, &[("JWT_SECRET_KEY", SECRET)]].concat()).await;
    for node in &nodes {
        eventually("prices", SOON, async || node.get("/readyz").await.0 == 200 && node.get(PRICE).await.0 == 200).await;
    }
    let [one, other] = [0, 1].map(|node: usize| Api::at(nodes[node].url("")));

    let first = say(&one, "What is the price of bitcoin?").await.expect(200);
    assert!(first.json["as_of"].is_string() && first.json["bot_response"].as_str().unwrap().contains('$'), "{}", first.text);
    let cookie = first.header("set-cookie").split(';').next().unwrap().to_owned();
    assert!(cookie.starts_with("__Host-coinlink-chat="), "{cookie}");
    let by_cookie = async |api: &Api| api.send(api.request(Method::GET, HISTORY).header(COOKIE, &cookie)).await;
    assert_eq!(turns(&by_cookie(&other).await)[0], "What is the price of bitcoin?");
    assert!(turns(&other.get(HISTORY).await).is_empty(), "without a session there is none");

    let ada = one.sign_up(&somebody()).await;
    assert_eq!(one.post_as(&ada.access, CHAT, &json!({"message": "mine"})).await.status, 200);
    assert_eq!(other.post(CHAT, &json!({"message": "mine too", "token": ada.access})).await.status, 200);
    for api in [&one, &other] {
        let said = api.get_as(&ada.access, HISTORY).await;
        assert_eq!([turns(&said)[0], turns(&said)[2]], ["mine", "mine too"]);
    }
    let old = expired(&ada.access);
    assert_eq!(one.get_as(&old, HISTORY).await.code(), "token_expired");
    for request in [
        one.with_json(Method::POST, CHAT, &json!({"message": "hi", "session_id": "default", "token": old})).bearer_auth(&old),
        one.with_json(Method::POST, CHAT, &json!({"message": "hi", "session_id": "default", "token": old})),
    ] {
        assert!(one.send(request).await.expect(200).json["session_id"].is_string(), "anonymous");
    }

    let visitor = say(&one, "hello").await.expect(200).json["session_id"].as_str().unwrap().to_owned();
    let at_once = join_all((0..50).map(|n| {
        let api = if n % 2 == 0 { &one } else { &other };
        let body = json!({"message": format!("question {n}"), "session_id": visitor});
        async move { api.post(CHAT, &body).await.status }
    }))
    .await;
    assert_eq!(at_once, [200; 50]);
    let in_header = other.request(Method::GET, &format!("{HISTORY}?limit=1000")).header("x-chat-session", &visitor);
    let said = other.send(in_header).await;
    let roles: Vec<_> = said.json["history"].as_array().unwrap().iter().map(|turn| turn["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["user", "assistant"].repeat(25));

    let chosen = json!({"message": "hi", "session_id": "k3j9x0q2m7w5z8e1p4r6"});
    assert_ne!(one.post(CHAT, &chosen).await.expect(200).json["session_id"], chosen["session_id"], "nobody gave it out");

    redis.stop().await;
    let lost = one.send(one.with_json(Method::POST, CHAT, &json!({"message": "BTC price?"})).header(COOKIE, &cookie)).await;
    assert_eq!(
        (lost.expect(200).json["remembered"].as_bool(), by_cookie(&one).await.code()),
        (Some(false), "dependency_unavailable")
    );
    let kept = other.post_as(&ada.access, CHAT, &json!({"message": "still there?"})).await.expect(200);
    assert_eq!(kept.json["remembered"], true, "what users say is in the database");
    redis.start_again().await;
    eventually("it is remembered again", SOON, async || say(&one, "hello").await.json["remembered"] == true).await;
}

#[tokio::test]
async fn the_quota_that_the_front_end_promises_holds_on_all_nodes_together_and_is_told() {
    let (stub, database, redis) = (StubUpstream::start().await, fresh_database().await, PrivateRedis::start().await);
    let url = redis.url();
    let cluster = Serve { database: &database.url, redis: &url, prefix: "quota:" };
    let nodes = cluster.start_with(2, &stub, &[("JWT_SECRET_KEY", SECRET)]).await;
    for node in &nodes {
        eventually("it is ready", SOON, async || node.get("/readyz").await.0 == 200).await;
    }
    let apis = [0, 1].map(|node: usize| Api::at(nodes[node].url("")));
    let answers = join_all((0..8).map(|n| say(&apis[n % 2], "BTC?"))).await;
    let refused: Vec<_> = answers.iter().filter(|answer| answer.status == 429).collect();
    assert!(answers.iter().all(|answer| [200, 429].contains(&answer.status)) && refused.len() == 3, "{answers:?}");
    assert!(refused.iter().all(|answer| answer.code() == "prompt_quota_exceeded" && answer.json["detail"].is_string()));
    assert!((3_500..=3_600).contains(&refused[0].header("retry-after").parse::<u32>().unwrap()));
    let told = apis[1].get("/api/v2/auth/rate-limit").await.expect(200).json;
    assert_eq!((&told["prompts_used"], &told["prompts_max"], &told["prompts_left"]), (&json!(5), &json!(5), &json!(0)));
    let ada = apis[0].sign_up(&somebody()).await;
    let told = apis[0].get_as(&ada.access, "/api/v2/auth/rate-limit").await.expect(200).json;
    assert_eq!((&told["prompts_max"], &told["prompts_left"]), (&json!(50), &json!(50)));
    assert_eq!(apis[0].post_as(&ada.access, CHAT, &json!({"message": "BTC?"})).await.status, 200);
}

#[tokio::test]
async fn on_plain_http_the_cookie_is_one_that_every_browser_keeps_and_what_users_say_outlives_a_restart() {
    let mut node = Node::dev_with(&["--feed", "simulated"], &NO_QUOTA).await;
    eventually("prices", SOON, async || node.get(PRICE).await.0 == 200).await;
    let api = Api::at(node.url(""));
    let first = say(&api, "BTC?").await.expect(200);
    let cookie = first.header("set-cookie").to_owned();
    assert!(cookie.starts_with("coinlink-chat=") && cookie.contains("HttpOnly") && !cookie.contains("Secure"), "{cookie}");
    assert!(api.get("/api/prompts").await.expect(200).json["prompts"].as_array().unwrap().len() >= 12);
    let ada = api.sign_up(&somebody()).await;
    assert_eq!(api.post_as(&ada.access, CHAT, &json!({"message": "mine"})).await.status, 200);
    assert_eq!(api.post("/api/feedback", &json!({"rating": 5, "note": "Right."})).await.status, 201);
    node.restart().await;
    assert_eq!(turns(&api.get_as(&ada.access, HISTORY).await)[0], "mine");
}
