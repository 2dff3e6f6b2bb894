//! Accounts while the database, or the database and Redis, do not answer.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::{Duration, Instant};

use coinlink_end_to_end_tests::{Answer, Api, Held, Node, PASSWORD, Serve, UNLIMITED, eventually, somebody};
use coinlink_testkit::{
    servers::{PrivatePostgres, PrivateRedis},
    upstream_stub::StubUpstream,
};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;

const PRICE: &str = "/api/bitcoin/price";
const VERIFY: &str = "/api/v2/auth/verify";
const SOON: Duration = Duration::from_secs(20);
/// One wait for a connection (1 s), one statement (2 s), and what a busy machine adds.
const ANSWERED_WITHIN: Duration = Duration::from_secs(4);
const RECOVERS_WITHIN: Duration = Duration::from_secs(10);

async fn timed(answer: impl Future<Output = Answer>) -> (Answer, Duration) {
    let asked = Instant::now();
    (answer.await, asked.elapsed())
}

/// Whatever needs the store says that it is away, in the one shape and in time; never that the caller is not signed in.
async fn says_that_the_store_is_away(api: &Api, email: &str, held: &Held) {
    let credentials = json!({"email": email, "password": PASSWORD});
    let refresh = json!({"refresh_token": held.refresh});
    let change = json!({"current_password": PASSWORD, "new_password": "Other-horse-9-battery"});
    let get = |path| api.request(Method::GET, path).bearer_auth(&held.access);
    let post = |path, body| api.with_json(Method::POST, path, body);
    let requests = [
        post("/api/v2/auth/signup", &json!({"email": somebody(), "password": PASSWORD})),
        post("/api/v2/auth/login", &credentials),
        post("/api/v2/auth/token/refresh", &refresh),
        post("/api/v2/auth/logout", &refresh),
        api.request(Method::POST, "/api/v2/auth/logout").bearer_auth(&held.access),
        api.request(Method::POST, "/api/v2/auth/logout-all").bearer_auth(&held.access),
        post("/api/v2/auth/password/change", &change).bearer_auth(&held.access),
        get(VERIFY),
        get("/api/v2/user/profile"),
        get("/api/v2/user/sessions"),
    ];
    let answers = requests.map(async |request| {
        let what = request.try_clone().unwrap().build().unwrap().url().path().to_owned();
        let (answer, took) = timed(api.send(request)).await;
        assert_eq!((answer.status, answer.code()), (503, "dependency_unavailable"), "{what}: {}", answer.text);
        assert_eq!(answer.json["error"]["trace_id"], answer.header("x-trace-id"), "{what}");
        assert!(answer.header("x-trace-id").len() == 36 && answer.header("retry-after").parse::<u32>().is_ok(), "{what}");
        // A sign-up hashes first, and waits its turn for that.
        let hashing = Duration::from_secs(if what.ends_with("signup") { 2 } else { 0 });
        assert!(took < ANSWERED_WITHIN + hashing, "{what} took {took:?}");
    });
    join_all(answers).await;
}

async fn prices_are_served(api: &Api, held: &Held) {
    for request in [api.request(Method::GET, PRICE), api.request(Method::GET, PRICE).bearer_auth(&held.access)] {
        let (answer, took) = timed(api.send(request)).await;
        assert!(answer.expect(200).json["error"].is_null());
        assert!(took < Duration::from_secs(1), "{took:?}");
    }
    let unknown = api.get_as("no.such.token", PRICE).await.expect(401);
    assert_eq!(unknown.code(), "invalid_token");
}

/// The session goes on with the token whose exchange was answered 503, and the same people can sign in.
async fn goes_on(node: &Node, api: &Api, email: &str, held: &Held) -> Held {
    let back = Instant::now();
    eventually("it is ready", RECOVERS_WITHIN, async || node.get("/readyz").await.0 == 200).await;
    eventually("it knows who calls", RECOVERS_WITHIN, async || api.get_as(&held.access, VERIFY).await.status == 200).await;
    let _ = api.refresh(&held.refresh).await.expect(200);
    let again = api.sign_in(email).await;
    assert!(back.elapsed() < RECOVERS_WITHIN, "{:?}", back.elapsed());
    again
}

#[tokio::test]
async fn while_the_database_is_stopped_or_frozen_accounts_say_so_prices_go_on_and_a_refresh_can_be_repeated() {
    let (stub, mut postgres, redis) = (StubUpstream::start().await, PrivatePostgres::start().await, PrivateRedis::start().await);
    let (database, url) = (postgres.address().fresh_database().await, redis.url());
    let cluster = Serve { database: &database.url, redis: &url, prefix: "away:" };
    let node = cluster.start_with(1, &stub, &UNLIMITED).await.remove(0);
    let (api, pid, email) = (Api::at(node.url("")), node.process.pid(), somebody());
    let mut held = api.sign_up(&email).await;
    eventually("prices", SOON, async || node.get(PRICE).await.0 == 200).await;
    for fault in ["stopped", "frozen"] {
        // The new access token arrives while nobody can note that it did.
        let next = api.refresh(&held.refresh).await.expect(200);
        let fresh = next.json["access_token"].as_str().unwrap().to_owned();
        held.refresh = next.json["refresh_token"].as_str().unwrap().to_owned();
        if fault == "stopped" {
            postgres.stop().await;
        } else {
            postgres.freeze();
        }
        let (price, took) = timed(api.get_as(&fresh, PRICE)).await;
        assert!(price.status == 200 && took < ANSWERED_WITHIN, "{} after {took:?}", price.status);
        says_that_the_store_is_away(&api, &email, &held).await;
        prices_are_served(&api, &held).await;
        assert_eq!((node.get("/readyz").await.0, node.get("/livez").await.0), (503, 200), "{fault}");
        if fault == "stopped" {
            postgres.start_again().await;
        } else {
            postgres.thaw();
        }
        held = goes_on(&node, &api, &email, &held).await;
    }
    assert_eq!(node.process.pid(), pid, "nothing was restarted");
    assert!(!node.process.log().contains("panicked"), "{}", node.process.log());
}

#[tokio::test]
async fn without_the_database_and_redis_what_is_public_is_served_and_nobody_is_taken_for_signed_out() {
    let (stub, mut postgres, mut redis) =
        (StubUpstream::start().await, PrivatePostgres::start().await, PrivateRedis::start().await);
    let (database, url) = (postgres.address().fresh_database().await, redis.url());
    let cluster = Serve { database: &database.url, redis: &url, prefix: "away:" };
    let node = cluster.start_with(1, &stub, &UNLIMITED).await.remove(0);
    let (api, email) = (Api::at(node.url("")), somebody());
    let held = api.sign_up(&email).await;
    let ended = api.sign_in(&email).await;
    let _ = api.post("/api/v2/auth/logout", &json!({"refresh_token": ended.refresh})).await.expect(200);
    eventually("prices", SOON, async || node.get(PRICE).await.0 == 200).await;
    redis.stop().await;
    postgres.stop().await;
    says_that_the_store_is_away(&api, &email, &held).await;
    // By now the node's own list of what ended is old, and still knows this one.
    prices_are_served(&api, &held).await;
    for path in [VERIFY, PRICE] {
        assert_eq!(api.get_as(&ended.access, path).await.expect(401).code(), "session_revoked");
    }
    redis.start_again().await;
    postgres.start_again().await;
    let _ = goes_on(&node, &api, &email, &held).await;
    assert_eq!(api.get_as(&ended.access, VERIFY).await.expect(401).code(), "session_revoked", "with an empty Redis");
}
