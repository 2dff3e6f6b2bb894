//! The monitor of two nodes while Redis stops: each finds it, one acknowledges what the other found, and it is over by itself.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use coinlink_end_to_end_tests::{Api, Held, Node, PASSWORD, Serve, UNLIMITED, eventually, somebody};
use coinlink_testkit::{
    servers::{Launch, PrivateRedis, built_binary, fresh_database},
    upstream_stub::StubUpstream,
};
use serde_json::{Value, json};
use totp_rs::Totp;

const UNIFIED: &str = "/api/monitoring/unified";
const OPEN: &str = "/api/monitoring/alerts?state=open&metric=redis_up";
const SOON: Duration = Duration::from_secs(40);

async fn an_admin(api: &Api, database: &str) -> Held {
    let email = somebody();
    let held = api.sign_up(&email).await;
    let launch = Launch::new(built_binary("coinlink")).args(["admin", "grant", &email]).env("DATABASE_URL", database);
    let mut run = launch.env("PASSWORD_PEPPER", "fedcba9876543210fedcba9876543210-e2e").start();
    assert_eq!(run.wait().await.code(), Some(0), "{}", run.log());
    let given = api.post_as(&held.access, "/api/v2/auth/2fa/setup", &json!({"password": PASSWORD})).await.expect(200);
    let app = Totp::from_url(given.json["otpauth_uri"].as_str().unwrap()).unwrap();
    let code = app.generate_current().to_string();
    let _ = api.post_as(&held.access, "/api/v2/auth/2fa/confirm", &json!({"code": code})).await.expect(200);
    held
}

/// Alerts that a node tells of.
async fn alerts(api: &Api, admin: &Held, path: &str) -> Vec<Value> {
    let answer = api.get_as(&admin.access, path).await;
    if answer.status == 200 { answer.json["data"].as_array().unwrap().clone() } else { Vec::new() }
}

fn all_shown(view: &Value) -> impl Iterator<Item = &Value> {
    view["panels"].as_array().unwrap().iter().filter_map(|panel| panel["data"]["metrics"].as_array()).flatten()
}

#[tokio::test]
async fn what_stops_is_found_on_each_node_acknowledged_on_another_and_over_by_itself() {
    let (stub, database, redis) = (StubUpstream::start().await, fresh_database().await, PrivateRedis::start().await);
    let mut redis = redis;
    let url = redis.url();
    let cluster = Serve { database: &database.url, redis: &url, prefix: "monitoring:" };
    let slow = [&UNLIMITED[..], &[("MONITORING_PERIOD_MS", "3600000"), ("NODE_NAME", "slow")]].concat();
    let fast = [&UNLIMITED[..], &[("MONITORING_PERIOD_MS", "1000")]].concat();
    let nodes: Vec<Node> = cluster.start_with(2, &stub, &fast).await;
    let [late] = &cluster.start_with(1, &stub, &slow).await[..] else { panic!("one node was started") };
    let apis: Vec<Api> = nodes.iter().map(|node| Api::at(node.url(""))).collect();
    let admin = an_admin(&apis[0], &database.url).await;

    let empty = Api::at(late.url("")).get_as(&admin.access, UNIFIED).await.expect(200).json;
    assert_eq!(empty["system_status"]["health_score"], Value::Null, "it has measured nothing yet: {empty}");
    assert_eq!(all_shown(&empty).count(), 0);

    eventually("both nodes measure", SOON, async || {
        let mut measured = 0;
        for api in &apis {
            let view = api.get_as(&admin.access, &format!("{UNIFIED}?layout=technical")).await.expect(200).json;
            let shown: Vec<_> = all_shown(&view).filter_map(|metric| metric["metric_id"].as_str()).collect();
            let wanted = ["cpu", "memory", "disk", "database_up", "redis_up", "database_pool_use", "sockets", "request_rate"];
            measured += usize::from(wanted.iter().all(|wanted| shown.contains(wanted)));
        }
        measured == 2
    })
    .await;
    assert!(alerts(&apis[0], &admin, OPEN).await.is_empty());

    redis.stop().await;
    eventually("each node finds that Redis does not answer", SOON, async || alerts(&apis[0], &admin, OPEN).await.len() == 2)
        .await;
    let found = alerts(&apis[0], &admin, OPEN).await;
    let names: Vec<String> = nodes.iter().map(|node| format!(":{}", node.address.port())).collect();
    let other = found.iter().find(|alert| alert["node"].as_str().unwrap().ends_with(&names[1])).unwrap();
    assert_eq!((&other["severity"], &other["acknowledged"]), (&json!("critical"), &json!(false)));
    let view = apis[1].get_as(&admin.access, UNIFIED).await.expect(200).json;
    assert!(view["system_status"]["health_score"].as_u64().unwrap() <= 60, "{}", view["system_status"]);

    let path = format!("/api/monitoring/alerts/{}/acknowledge", other["id"].as_str().unwrap());
    let done = apis[0].post_as(&admin.access, &path, &json!({"reason": "ticket 4711"})).await.expect(200);
    assert_eq!(done.json["changed"], true);
    let seen = alerts(&apis[1], &admin, OPEN).await;
    let same = seen.iter().find(|alert| alert["id"] == other["id"]).unwrap();
    assert_eq!((&same["acknowledged"], &same["acknowledged_by"]), (&json!(true), &json!(admin.user)));

    redis.start_again().await;
    eventually("it is over by itself on both nodes", SOON, async || {
        let view = apis[0].get_as(&admin.access, UNIFIED).await;
        view.status == 200 && alerts(&apis[0], &admin, OPEN).await.is_empty()
    })
    .await;
    let over = alerts(&apis[1], &admin, "/api/monitoring/alerts?state=resolved&metric=redis_up").await;
    assert_eq!(over.iter().map(|alert| &alert["resolution"]).collect::<Vec<_>>(), ["recovered", "recovered"], "{over:?}");
    let log = "/api/v2/admin/audit?action=admin.alert_acknowledge";
    let written = apis[1].get_as(&admin.access, log).await.expect(200).json;
    assert_eq!(written["data"][0]["details"]["reason"], "ticket 4711");
}

#[tokio::test]
async fn the_alerts_of_a_node_that_is_gone_are_ended_by_another() {
    let (stub, database, redis) = (StubUpstream::start().await, fresh_database().await, PrivateRedis::start().await);
    let mut redis = redis;
    let url = redis.url();
    let cluster = Serve { database: &database.url, redis: &url, prefix: "monitoring:" };
    let fast = [&UNLIMITED[..], &[("MONITORING_PERIOD_MS", "1000")]].concat();
    let mut nodes: Vec<Node> = cluster.start_with(2, &stub, &fast).await;
    let api = Api::at(nodes[0].url(""));
    let admin = an_admin(&api, &database.url).await;
    redis.stop().await;
    eventually("both nodes found it", SOON, async || alerts(&api, &admin, OPEN).await.len() == 2).await;
    let gone = format!(":{}", nodes[1].address.port());
    drop(nodes.remove(1));
    let resolved = "/api/monitoring/alerts?state=resolved&metric=redis_up";
    eventually("the one that is left ended what the other found", SOON, async || {
        let over = alerts(&api, &admin, resolved).await;
        over.iter().any(|alert| alert["node"].as_str().unwrap().ends_with(&gone) && alert["resolution"] == "node_gone")
    })
    .await;
    assert_eq!(alerts(&api, &admin, OPEN).await.len(), 1, "its own goes on");
}
