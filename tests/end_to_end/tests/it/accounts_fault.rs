//! A session's whole life, on PostgreSQL and Redis and on the embedded store, through restarts.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::{Duration, Instant};

use coinlink_end_to_end_tests::{Api, Held, Node, Serve, UNLIMITED, eventually, somebody};
use coinlink_testkit::{
    servers::{PrivateRedis, fresh_database},
    upstream_stub::StubUpstream,
};
use serde_json::json;

/// The promise for every node.
const REVOKED_WITHIN: Duration = Duration::from_secs(1);

/// Sign-up to a family that is over, asking all `nodes` alike. Gives a session of the same account that goes on.
async fn live(nodes: &[Api]) -> (String, Held) {
    let (first, last) = (&nodes[0], &nodes[nodes.len() - 1]);
    let email = somebody();
    let up = first.sign_up(&email).await;
    let signed_in = last.sign_in(&email).await;
    assert_eq!(up.user, signed_in.user);
    for node in nodes {
        let verified = node.get_as(&signed_in.access, "/api/v2/auth/verify").await.expect(200);
        assert_eq!(verified.json["user"]["email"], email.as_str());
    }

    let next = last.refresh(&signed_in.refresh).await.expect(200);
    let access = next.json["access_token"].as_str().unwrap().to_owned();
    for node in nodes {
        let _ = node.get_as(&access, "/api/v2/auth/verify").await.expect(200);
    }
    let reused = first.refresh(&signed_in.refresh).await.expect(401);
    assert_eq!(reused.code(), "token_reused", "the new access token was used: there is no grace left");
    let ended = Instant::now();
    for node in nodes {
        eventually("the family is over on every node", REVOKED_WITHIN, async || {
            node.get_as(&access, "/api/v2/auth/verify").await.status == 401
        })
        .await;
        assert_eq!(node.get_as(&signed_in.access, "/api/bitcoin/price").await.expect(401).code(), "session_revoked");
        assert_eq!(node.refresh(next.json["refresh_token"].as_str().unwrap()).await.expect(401).code(), "token_reused");
    }
    assert!(ended.elapsed() < REVOKED_WITHIN * 2);

    let out = first.sign_in(&email).await;
    let _ = last.post("/api/v2/auth/logout", &json!({"refresh_token": out.refresh})).await.expect(200);
    for node in nodes {
        eventually("it is signed out on every node", REVOKED_WITHIN, async || {
            node.get_as(&out.access, "/api/v2/auth/verify").await.code() == "session_revoked"
        })
        .await;
        assert_eq!(node.refresh(&out.refresh).await.expect(401).code(), "session_revoked");
    }
    let held = first.sign_in(&email).await;
    (email, held)
}

async fn goes_on(node: &Api, email: &str, held: &Held, over: &str) {
    let _ = node.get_as(&held.access, "/api/v2/auth/verify").await.expect(200);
    let next = node.refresh(&held.refresh).await.expect(200);
    assert!(next.json["refresh_token"].is_string());
    let _ = node.sign_in(email).await;
    assert_eq!(node.get_as(over, "/api/v2/auth/verify").await.expect(401).code(), "session_revoked", "{over} stays over");
}

#[tokio::test]
async fn a_session_lives_and_ends_on_two_nodes_and_survives_restarts_of_servers_and_redis() {
    let (stub, database, mut redis) = (StubUpstream::start().await, fresh_database().await, PrivateRedis::start().await);
    let url = redis.url();
    let cluster = Serve { database: &database.url, redis: &url, prefix: "life:" };
    let mut nodes = cluster.start_with(2, &stub, &UNLIMITED).await;
    let apis: Vec<Api> = nodes.iter().map(|node| Api::at(node.url(""))).collect();
    let (email, held) = live(&apis).await;
    let over = apis[0].sign_in(&email).await;
    let _ = apis[0].post("/api/v2/auth/logout", &json!({"refresh_token": over.refresh})).await.expect(200);

    redis.stop().await;
    redis.start_again().await;
    for node in &mut nodes {
        node.restart().await;
    }
    for node in &nodes {
        let api = Api::at(node.url(""));
        eventually("the new nodes know what is over", Duration::from_secs(5), async || {
            api.get_as(&over.access, "/api/v2/auth/verify").await.status == 401
        })
        .await;
    }
    goes_on(&Api::at(nodes[1].url("")), &email, &held, &over.access).await;
}

#[tokio::test]
async fn a_session_lives_and_ends_on_the_embedded_store_and_survives_a_restart() {
    let mut node = Node::dev_with(&["--feed", "simulated"], &UNLIMITED).await;
    let api = Api::at(node.url(""));
    let (email, held) = live(std::slice::from_ref(&api)).await;
    let over = api.sign_in(&email).await;
    let _ = api.post("/api/v2/auth/logout", &json!({"refresh_token": over.refresh})).await.expect(200);
    node.restart().await;
    goes_on(&api, &email, &held, &over.access).await;
}
