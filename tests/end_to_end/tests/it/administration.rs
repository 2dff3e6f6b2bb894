//! An administrator at work on two nodes: granted by the command line, with a second factor, and seen by the audit log.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::{Duration, Instant};

use coinlink_end_to_end_tests::{Answer, Api, Held, Node, PASSWORD, Serve, UNLIMITED, eventually, somebody};
use coinlink_testkit::{
    servers::{Launch, built_binary, fresh_database, shared_redis},
    upstream_stub::StubUpstream,
};
use futures_util::{FutureExt as _, future::join_all};
use serde_json::json;
use tokio::sync::Notify;
use totp_rs::Totp;

const PROFILE: &str = "/api/v2/user/profile";
const USERS: &str = "/api/v2/admin/users";
const SOON: Duration = Duration::from_secs(20);

/// A command beside the nodes, with what they have of settings.
async fn coinlink(arguments: &[&str], database: &str) -> (i32, String) {
    let launch = Launch::new(built_binary("coinlink")).args(arguments).env("DATABASE_URL", database);
    let mut run = launch.env("PASSWORD_PEPPER", "fedcba9876543210fedcba9876543210-e2e").start();
    let code = run.wait().await.code().unwrap_or(-1);
    (code, run.log())
}

/// Sets a second factor up and shows it, as somebody with an app does.
async fn with_second_factor(api: &Api, held: &Held) {
    let given = api.post_as(&held.access, "/api/v2/auth/2fa/setup", &json!({"password": PASSWORD})).await.expect(200);
    let app = Totp::from_url(given.json["otpauth_uri"].as_str().unwrap()).unwrap();
    let code = app.generate_current().to_string();
    let confirmed = api.post_as(&held.access, "/api/v2/auth/2fa/confirm", &json!({"code": code})).await;
    let _ = confirmed.expect(200);
}

/// Asks both nodes until both refuse the token, and tells how long that took.
async fn until_refused(nodes: &[Api], token: &str, since: Instant) -> Duration {
    loop {
        let answers = join_all(nodes.iter().map(|node| node.get_as(token, PROFILE))).await;
        if answers.iter().all(|answer| answer.status == 401) {
            assert!(answers.iter().all(|answer| answer.code() == "session_revoked"));
            return since.elapsed();
        }
        assert!(since.elapsed() < SOON, "{answers:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn actions(log: &Answer) -> Vec<&str> {
    log.json["data"].as_array().unwrap().iter().map(|entry| entry["action"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_lock_holds_on_both_nodes_within_a_second_and_everything_is_in_a_log_that_verifies() {
    let (stub, database, redis) = (StubUpstream::start().await, fresh_database().await, shared_redis().await);
    let cluster = Serve { database: &database.url, redis: &redis.url(), prefix: &redis.fresh_prefix() };
    let nodes: Vec<Node> = cluster.start_with(2, &stub, &UNLIMITED).await;
    let apis: Vec<Api> = nodes.iter().map(|node| Api::at(node.url(""))).collect();
    let (one, other) = (&apis[0], &apis[1]);
    let (root, ada) = (somebody(), somebody());
    let (admin, held) = (one.sign_up(&root).await, one.sign_up(&ada).await);

    let refused = other.get_as(&admin.access, USERS).await.expect(403);
    assert_eq!(refused.code(), "forbidden");
    assert_eq!(coinlink(&["admin", "grant", &root], &database.url).await.0, 0);
    let refused = other.get_as(&admin.access, USERS).await.expect(403);
    assert_eq!(refused.code(), "second_factor_required", "the role counts at once, with the same token");
    with_second_factor(one, &admin).await;
    let listed = other.get_as(&admin.access, &format!("{USERS}?email={ada}")).await.expect(200);
    assert_eq!(listed.json["data"][0]["id"], held.user.as_str());

    let act = |what: &str| format!("{USERS}/{}/{what}", held.user);
    let why = json!({"reason": "ticket 4711"});
    let began = Instant::now();
    let locked = one.post_as(&admin.access, &act("lock"), &why).await.expect(200);
    assert_eq!((&locked.json["changed"], &locked.json["sessions_ended"]), (&true.into(), &1.into()));
    let took = until_refused(&apis, &held.access, began).await;
    assert!(took < Duration::from_secs(1), "{took:?}");
    let credentials = json!({"email": ada, "password": PASSWORD});
    for node in &apis {
        let refused = node.post("/api/v2/auth/login", &credentials).await.expect(401);
        assert_eq!(refused.code(), "invalid_credentials", "as if the password were another");
        assert_eq!(node.refresh(&held.refresh).await.expect(401).code(), "session_revoked");
    }
    let unlocked = other.post_as(&admin.access, &act("unlock"), &why).await.expect(200);
    assert_eq!(unlocked.json["changed"], true);
    let again = one.sign_in(&ada).await;
    let _ = other.get_as(&again.access, PROFILE).await.expect(200);

    let cleared = one.post_as(&admin.access, "/api/v2/admin/cache/clear", &why).await.expect(200);
    let names: Vec<_> = cleared.json["cleared"].as_array().unwrap().iter().map(|line| line["cache"].clone()).collect();
    assert_eq!(names, ["ticker", "api_keys"]);
    eventually("prices", SOON, async || nodes[1].get("/api/bitcoin/price").await.0 == 200).await;
    assert_eq!(one.get_as(&held.access, PROFILE).await.expect(401).code(), "session_revoked", "no cache brings it back");
    let stats = other.get_as(&admin.access, "/api/v2/admin/stats").await.expect(200);
    assert_eq!((&stats.json["accounts"]["total"], &stats.json["accounts"]["with_second_factor"]), (&2.into(), &1.into()));

    let log = one.get_as(&admin.access, &format!("/api/v2/admin/audit?resource=user:{}&limit=100", held.user)).await.expect(200);
    let seen = actions(&log);
    assert_eq!(seen.iter().filter(|action| **action == "admin.user_lock").count(), 1, "{seen:?}");
    assert!(seen.contains(&"admin.user_unlock") && seen.contains(&"auth.sign_up"), "{seen:?}");
    let by_admin = format!("/api/v2/admin/audit?user={}&action=admin.access&status=denied", admin.user);
    assert_eq!(actions(&one.get_as(&admin.access, &by_admin).await.expect(200)).len(), 2);

    eventually("every entry is sealed, and the log verifies", SOON, async || {
        let (code, said) = coinlink(&["audit", "verify"], &database.url).await;
        code == 0 && said.contains("is sound") && !said.contains("0 sealed entries")
    })
    .await;
    for node in &nodes {
        assert!(!node.process.log().contains("panicked"), "{}", node.process.log());
    }
}

/// Sign-ins on both nodes while a lock is under way: each is either before it, and over, or after it, and refused.
#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_that_meets_a_lock_on_another_node_is_refused_or_over_within_a_second() {
    let (stub, database, redis) = (StubUpstream::start().await, fresh_database().await, shared_redis().await);
    let cluster = Serve { database: &database.url, redis: &redis.url(), prefix: &redis.fresh_prefix() };
    let nodes: Vec<Node> = cluster.start_with(2, &stub, &UNLIMITED).await;
    let apis: Vec<Api> = nodes.iter().map(|node| Api::at(node.url(""))).collect();
    let root = somebody();
    let admin = apis[0].sign_up(&root).await;
    assert_eq!(coinlink(&["admin", "grant", &root], &database.url).await.0, 0);
    with_second_factor(&apis[0], &admin).await;
    let why = json!({"reason": "ticket 4711"});
    let (mut before, mut after) = (0, 0);
    for round in 0..12 {
        // Somebody else each time: guesses at one account are slowed down after five that failed, and then refused without a lock.
        let ada = somebody();
        let held = apis[0].sign_up(&ada).await;
        let (lock_of_ada, credentials) = (format!("{USERS}/{}/lock", held.user), json!({"email": ada, "password": PASSWORD}));
        // How long a sign-in takes depends on the machine: in every other round the lock waits for the first one.
        let one_ended = Notify::new();
        let lock = async {
            if round % 2 == 0 {
                tokio::time::sleep(Duration::from_millis(round * 100)).await;
            } else {
                one_ended.notified().await;
            }
            apis[1].post_as(&admin.access, &lock_of_ada, &why).await.expect(200)
        };
        let sign_ins =
            join_all((0..4).map(|n| apis[n % 2].post("/api/v2/auth/login", &credentials).inspect(|_| one_ended.notify_one())));
        let (_, answers) = tokio::join!(lock, sign_ins);
        for answer in answers {
            if answer.status == 200 {
                before += 1;
                let signed_in = Held::of(&answer);
                let took = until_refused(&apis, &signed_in.access, Instant::now()).await;
                assert!(took < Duration::from_secs(1), "round {round}: {took:?}");
                assert_eq!(apis[0].refresh(&signed_in.refresh).await.expect(401).code(), "session_revoked");
            } else {
                after += 1;
                assert_eq!((answer.status, answer.code()), (401, "invalid_credentials"), "round {round}: {}", answer.text);
            }
        }
        let live =
            database.count("sessions WHERE ended_at IS NULL AND user_id IN (SELECT id FROM users WHERE NOT is_active)").await;
        assert_eq!(live, 0, "round {round}");
    }
    assert!(before > 0 && after > 0, "{before} came before the lock and {after} after it");
}
