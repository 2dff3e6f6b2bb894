//! `/api/v2/admin`: who gets in, what they see, and that nobody is seen or set a password by it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use crate::http_support::{
    NOW, Server, code,
    gated::{Holder, Setup},
    json,
};
use coinlink::http::{ENDPOINTS, Endpoint, openapi_json};
use coinlink_domain::{
    identity::{EndReason, Role, SecondFactor, Session, User, UserId},
    shared::{audit::AuditStatus, sealed::Sealed},
};
use coinlink_ports::{
    identity::IdentityStore as _,
    market::{LeaderLease as _, TickerBus as _},
};
use coinlink_testkit::{
    identity::{a_session, a_user, an_account_of},
    market::a_tick,
};
use reqwest::{Method, Response, header};
use serde_json::{Value, json};
use time::Duration;

const USERS: &str = "/api/v2/admin/users";
const WHY: &str = "ticket 4711";

/// Somebody signed in: an account as given, whose session showed a second factor at `factor_at`.
fn holder(server: &Server, user: User, factor_at: Option<time::OffsetDateTime>) -> Holder {
    let session = Session { created_at: NOW, rotated_at: NOW, second_factor_at: factor_at, ..a_session(user.id) };
    server.behind.store.put_account(&an_account_of(user));
    server.behind.store.put_session(&session);
    Holder { user: session.user, session: session.id, generation: 1 }
}

async fn set_up_factor(server: &Server, user: UserId) {
    let secret = Sealed { key_id: "1".into(), bytes: vec![1] };
    let mut tx = server.behind.store.begin().await.unwrap();
    tx.second_factors().set_up(&SecondFactor::new(user, secret, NOW)).await.unwrap();
    tx.second_factors().confirm(user, 1, NOW).await.unwrap();
    tx.commit().await.unwrap();
}

/// An administrator who just showed a second factor.
async fn an_admin(server: &Server, email: &str) -> Holder {
    let admin = holder(server, User { role: Role::Admin, ..a_user(email) }, Some(NOW));
    set_up_factor(server, admin.user).await;
    admin
}

fn a_holder(server: &Server, email: &str) -> Holder {
    holder(server, a_user(email), None)
}

async fn get(server: &Server, who: &Holder, path: &str) -> Response {
    server.get_with(path, "authorization", &who.bearer()).await
}

async fn post(server: &Server, who: &Holder, path: &str, body: &Value) -> Response {
    let request = server.request(Method::POST, path).header("authorization", who.bearer());
    request.header(header::CONTENT_TYPE, "application/json").body(body.to_string()).send().await.unwrap()
}

async fn expect(response: Response, status: u16) -> Value {
    let got = response.status();
    let text = response.text().await.unwrap();
    assert_eq!(got, status, "{text}");
    serde_json::from_str(&text).unwrap()
}

/// Emails of a page of accounts, and where the next one begins.
fn emails(page: &Value) -> (Vec<String>, Option<String>) {
    let emails = page["data"].as_array().unwrap().iter().map(|user| user["email"].as_str().unwrap().to_owned());
    assert_eq!(page["page"]["has_more"], page["page"]["next_cursor"].is_string());
    (emails.collect(), page["page"]["next_cursor"].as_str().map(str::to_owned))
}

fn admin_endpoints() -> impl Iterator<Item = (&'static Endpoint, Method)> {
    let below = ENDPOINTS.iter().filter(|endpoint| endpoint.path.starts_with("/api/v2/admin"));
    below.flat_map(|endpoint| endpoint.methods.split(", ").map(move |method| (endpoint, method.parse().unwrap())))
}

async fn ask(server: &Server, who: Option<&Holder>, (endpoint, method): (&Endpoint, &Method), body: Option<&str>) -> Response {
    let path = endpoint.path.replace("{id}", "018f3e9a-5b7c-7def-8123-456789abcdef");
    let mut request = server.request(method.clone(), &path);
    if let Some(who) = who {
        request = request.header("authorization", who.bearer());
    }
    if let Some(body) = body {
        request = request.header(header::CONTENT_TYPE, "application/json").body(body.to_owned());
    }
    request.send().await.unwrap()
}

#[actix_web::test]
async fn no_route_answers_without_the_role_and_a_fresh_second_factor() {
    let server = Server::start();
    let user = holder(&server, a_user("user@example.org"), Some(NOW));
    set_up_factor(&server, user.user).await;
    let bare = holder(&server, User { role: Role::Admin, ..a_user("bare@example.org") }, Some(NOW));
    let stale_at = NOW - Duration::minutes(5);
    let stale = holder(&server, User { role: Role::Admin, ..a_user("stale@example.org") }, Some(stale_at));
    let never = holder(&server, User { role: Role::Admin, ..a_user("never@example.org") }, None);
    for admin in [&stale, &never] {
        set_up_factor(&server, admin.user).await;
    }
    let locked = holder(&server, User { role: Role::Admin, is_active: false, ..a_user("locked@example.org") }, Some(NOW));
    let mut asked = 0;
    for (endpoint, method) in admin_endpoints() {
        // What is sent is not looked at before who sends it.
        for body in [None, Some("{"), Some(r#"{"reason":"why"}"#)] {
            for (who, status, expected) in [
                (None, 401, "authentication_required"),
                (Some(&user), 403, "forbidden"),
                (Some(&bare), 403, "second_factor_required"),
                (Some(&stale), 403, "second_factor_required"),
                (Some(&never), 403, "second_factor_required"),
                (Some(&locked), 401, "session_revoked"),
            ] {
                let response = ask(&server, who, (endpoint, &method), body).await;
                assert_eq!(response.status(), status, "{method} {}", endpoint.path);
                if method != Method::HEAD {
                    assert_eq!(code(response).await, expected, "{method} {}", endpoint.path);
                }
                asked += 1;
            }
        }
    }
    assert!(asked >= 7 * 3 * 6, "only {asked} requests: did the routes move?");
    let audit = server.behind.store.audit();
    let denied = audit.iter().filter(|entry| entry.action == "admin.access" && entry.status == AuditStatus::Denied);
    assert_eq!(denied.count(), asked / 6 * 4, "each refusal of somebody is written down");
    assert!(audit.iter().all(|entry| entry.action == "admin.access"), "and nothing was done");
    server.stop().await;
}

#[actix_web::test]
async fn who_may_is_asked_of_the_store_and_not_of_the_token() {
    let server = Server::start();
    let admin = an_admin(&server, "root@example.org").await;
    expect(get(&server, &admin, USERS).await, 200).await;
    let mut account = server.behind.store.accounts().remove(0);
    account.user.role = Role::User;
    server.behind.store.put_account(&account);
    assert_eq!(code(get(&server, &admin, USERS).await).await, "forbidden", "with the same token");
    server.stop().await;
}

#[actix_web::test]
async fn accounts_are_listed_page_by_page_and_filtered() {
    let server = Server::start();
    for n in 0..3 {
        a_holder(&server, &format!("person{n}@example.org"));
    }
    let admin = an_admin(&server, "root@example.org").await;
    let first = expect(get(&server, &admin, "/api/v2/admin/users?limit=3").await, 200).await;
    let (listed, next) = emails(&first);
    assert_eq!(listed, ["root@example.org", "person2@example.org", "person1@example.org"]);
    assert_eq!((&first["page"]["limit"], &first["page"]["has_more"]), (&3.into(), &true.into()));
    let rest = get(&server, &admin, &format!("/api/v2/admin/users?limit=3&cursor={}", next.unwrap())).await;
    assert_eq!(emails(&expect(rest, 200).await), (vec!["person0@example.org".to_owned()], None));
    for (query, count) in
        [("email=PERSON", 3), ("email=person1", 1), ("role=admin", 1), ("role=user&active=true", 3), ("verified=true", 0)]
    {
        let page = expect(get(&server, &admin, &format!("{USERS}?{query}")).await, 200).await;
        assert_eq!(page["data"].as_array().unwrap().len(), count, "{query}");
    }
    for bad in
        ["limit=0", "limit=101", "limit=-1", "limit=x", "cursor=x", "cursor=", "role=root", "active=yes", "email=", "colour=1"]
    {
        assert_eq!(code(get(&server, &admin, &format!("{USERS}?{bad}")).await).await, "invalid_query", "{bad}");
    }
    server.stop().await;
}

#[actix_web::test]
async fn the_audit_log_is_read_page_by_page_and_filtered() {
    let server = Server::start();
    let admin = an_admin(&server, "root@example.org").await;
    let ada = a_holder(&server, "ada@example.org");
    for _ in 0..3 {
        get(&server, &ada, USERS).await;
        server.behind.clock.advance(Duration::SECOND);
    }
    let log = "/api/v2/admin/audit";
    let page = expect(get(&server, &admin, &format!("{log}?action=admin.access&limit=2")).await, 200).await;
    let lines = page["data"].as_array().unwrap();
    assert_eq!(lines.len(), 2);
    assert!(lines[0]["timestamp"].as_str() > lines[1]["timestamp"].as_str(), "newest first");
    assert_eq!((&lines[0]["status"], &lines[0]["details"]["reason"]), (&"denied".into(), &"not_admin".into()));
    let next = page["page"]["next_cursor"].as_str().unwrap();
    let rest = get(&server, &admin, &format!("{log}?action=admin.access&limit=2&cursor={next}")).await;
    assert_eq!(expect(rest, 200).await["data"].as_array().unwrap().len(), 1);
    let count = async |query: String| {
        let page = expect(get(&server, &admin, &format!("{log}?{query}")).await, 200).await;
        page["data"].as_array().unwrap().len()
    };
    assert_eq!(count(format!("user={}", ada.user)).await, 3);
    assert_eq!(count(format!("user={}&status=success", ada.user)).await, 0);
    assert_eq!(count(format!("resource=user:{}", ada.user)).await, 3);
    assert_eq!(count("action=no.such".to_owned()).await, 0);
    assert_eq!(count("action=admin.access&from=2026-01-01T00:00:01Z&to=2026-01-01T00:00:02Z".to_owned()).await, 1);
    assert_eq!(count("to=2025-12-31T00:00:00Z".to_owned()).await, 0);
    let users = expect(get(&server, &admin, &format!("{USERS}?limit=1")).await, 200).await;
    let foreign = users["page"]["next_cursor"].as_str().unwrap();
    for bad in ["status=ok", "user=1", "from=then", "limit=0", "cursor=%00", &format!("cursor={foreign}")] {
        assert_eq!(code(get(&server, &admin, &format!("{log}?{bad}")).await).await, "invalid_query", "{bad}");
    }
    let mut looks = server.behind.store.audit().into_iter().filter(|entry| entry.action == "admin.read_audit");
    let look = looks.next_back().unwrap();
    assert!(look.user == Some(admin.user.0) && look.details["to"].starts_with("2025-12-31"), "{look:?}");
    server.stop().await;
}

#[actix_web::test]
async fn what_is_wrong_with_a_query_is_told_by_the_name_of_its_field() {
    let server = Server::start();
    let admin = an_admin(&server, "root@example.org").await;
    for (path, field, why) in [
        ("audit?user=notauuid", "user", "the id of an account, a UUID"),
        ("audit?limit=x", "limit", "1 to 100"),
        ("audit?foo=1", "foo", "is not known here"),
        ("audit?user=1&user=2", "user", "may be there once"),
        ("audit?p4ssword=1", "query", "has a field that is not known here, or a value that cannot be read"),
        ("users?active=yes", "active", "true or false"),
        ("users?verified=", "verified", "true or false"),
        ("users?limit=-1", "limit", "1 to 100"),
        ("users?colour=red", "colour", "is not known here"),
    ] {
        let refused = expect(get(&server, &admin, &format!("/api/v2/admin/{path}")).await, 400).await;
        assert_eq!(refused["error"]["details"], json!({ field: why }), "{path}: {refused}");
    }
    server.stop().await;
}

#[actix_web::test]
async fn an_account_is_locked_unlocked_and_signed_out() {
    let server = Server::start();
    let admin = an_admin(&server, "root@example.org").await;
    let ada = a_holder(&server, "ada@example.org");
    let act = |what: &str| format!("{USERS}/{}/{what}", ada.user);
    let why = json!({"reason": WHY});
    assert_eq!(get(&server, &ada, "/api/v2/user/profile").await.status(), 200);
    let locked = expect(post(&server, &admin, &act("lock"), &why).await, 200).await;
    assert_eq!(
        (&locked["changed"], &locked["sessions_ended"], &locked["user"]["is_active"]),
        (&true.into(), &1.into(), &false.into())
    );
    assert_eq!(code(get(&server, &ada, "/api/v2/user/profile").await).await, "session_revoked");
    let again = expect(post(&server, &admin, &act("lock"), &why).await, 200).await;
    assert_eq!((&again["changed"], &again["message"]), (&false.into(), &"The account was locked already.".into()));
    let unlocked = expect(post(&server, &admin, &act("unlock"), &why).await, 200).await;
    assert_eq!((&unlocked["changed"], &unlocked["user"]["is_active"]), (&true.into(), &true.into()));
    let revoked = expect(post(&server, &admin, &act("sessions/revoke"), &why).await, 200).await;
    assert_eq!((&revoked["sessions_ended"], &revoked["message"]), (&0.into(), &"There was no session to end.".into()));
    for (others, message) in [(0, "1 session was ended."), (1, "2 sessions were ended.")] {
        let eve = a_holder(&server, &format!("eve{others}@example.org"));
        for _ in 0..others {
            server.behind.store.put_session(&Session { created_at: NOW, rotated_at: NOW, ..a_session(eve.user) });
        }
        let path = format!("{USERS}/{}/sessions/revoke", eve.user);
        assert_eq!(expect(post(&server, &admin, &path, &why).await, 200).await["message"], message);
    }
    let session = server.behind.store.session(ada.session).await.unwrap().unwrap();
    assert_eq!(session.ended.map(|ending| ending.reason), Some(EndReason::Administered));
    server.stop().await;
}

#[actix_web::test]
async fn an_act_needs_a_reason_and_an_account_that_may_be_acted_on() {
    let server = Server::start();
    let admin = an_admin(&server, "root@example.org").await;
    let ada = a_holder(&server, "ada@example.org");
    for what in ["lock", "unlock", "sessions/revoke"] {
        let path = format!("{USERS}/{}/{what}", ada.user);
        for (body, expected) in [
            (json!({}), "reason_required"),
            (json!({"reason": null}), "reason_required"),
            (json!({"reason": " \n"}), "reason_required"),
            (json!({"reason": "x".repeat(501)}), "invalid_input"),
            (json!({"reason": "a\u{0}b"}), "invalid_input"),
            (json!({"reason": 1}), "invalid_json"),
            (json!({"reason": "why", "password": "x"}), "invalid_json"),
        ] {
            assert_eq!(code(post(&server, &admin, &path, &body).await).await, expected, "{what} {body}");
        }
        let nobody = format!("{USERS}/{}/{what}", uuid::Uuid::now_v7());
        assert_eq!(code(post(&server, &admin, &nobody, &json!({"reason": WHY})).await).await, "not_found");
        assert_eq!(
            code(post(&server, &admin, &format!("{USERS}/1/{what}"), &json!({"reason": WHY})).await).await,
            "invalid_path"
        );
    }
    let own = format!("{USERS}/{}/lock", admin.user);
    assert_eq!(code(post(&server, &admin, &own, &json!({"reason": WHY})).await).await, "last_admin");
    an_admin(&server, "other@example.org").await;
    let refused = post(&server, &admin, &own, &json!({"reason": WHY})).await;
    assert_eq!((refused.status().as_u16(), code(refused).await.as_str()), (409, "own_account"));
    server.stop().await;
}

#[actix_web::test]
async fn caches_are_cleared_by_name_and_limits_and_revocations_stay() {
    let server = Server::start_with(Setup::default());
    let admin = an_admin(&server, "root@example.org").await;
    let lease = server.behind.lease.acquire(Duration::minutes(1)).await.unwrap().unwrap();
    server.behind.bus.publish(&a_tick(lease.epoch, 1)).await.unwrap();
    let ada = a_holder(&server, "ada@example.org");
    post(&server, &admin, &format!("{USERS}/{}/sessions/revoke", ada.user), &json!({"reason": WHY})).await;
    let path = "/api/v2/admin/cache/clear";
    assert_eq!(code(post(&server, &admin, path, &json!({})).await).await, "reason_required");
    let unknown = post(&server, &admin, path, &json!({"reason": WHY, "cache": "limits"})).await;
    let unknown = expect(unknown, 400).await;
    assert_eq!(unknown["error"]["details"]["cache"], "is none; there are: all, ticker", "{unknown}");
    for (body, entries) in
        [(json!({"reason": WHY}), 2), (json!({"reason": WHY, "cache": "ticker"}), 0), (json!({"reason": WHY, "cache": "all"}), 0)]
    {
        let cleared = expect(post(&server, &admin, path, &body).await, 200).await;
        assert_eq!(cleared["cleared"], json!([{"cache": "ticker", "entries": entries, "scope": "this_node"}]));
    }
    assert_eq!(code(get(&server, &ada, "/api/v2/user/profile").await).await, "session_revoked", "what is over stays over");
    let acts = server.behind.store.audit().into_iter().filter(|entry| entry.action == "admin.cache_clear");
    let acts: Vec<_> = acts.collect();
    assert_eq!(acts.len(), 3);
    assert!(acts.iter().all(|act| act.details["reason"] == WHY && act.user == Some(admin.user.0)));
    assert_eq!(acts[0].details["ticker"], "2");
    server.stop().await;
}

#[actix_web::test]
async fn numbers_are_counted_and_shared_for_ten_seconds() {
    let server = Server::start();
    let admin = an_admin(&server, "root@example.org").await;
    let path = "/api/v2/admin/stats";
    let stats = expect(get(&server, &admin, path).await, 200).await;
    let accounts = &stats["accounts"];
    assert_eq!((&accounts["total"], &accounts["admins"], &accounts["with_second_factor"]), (&1.into(), &1.into(), &1.into()));
    assert_eq!((&stats["live_sessions"], &stats["mail"]["waiting"]), (&1.into(), &0.into()));
    holder(&server, User { is_active: false, ..a_user("locked@example.org") }, None);
    assert_eq!(expect(get(&server, &admin, path).await, 200).await, stats);
    server.behind.clock.advance(Duration::seconds(10));
    let stats = expect(get(&server, &admin, path).await, 200).await;
    assert_eq!((&stats["accounts"]["total"], &stats["accounts"]["locked"]), (&2.into(), &1.into()));
    let looks = server.behind.store.audit().into_iter().filter(|entry| entry.action == "admin.read_stats");
    assert_eq!(looks.count(), 3, "a look at what was counted before is a look");
    server.stop().await;
}

/// Every text in it.
fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(fields) => fields.iter().for_each(|(name, field)| {
            found.push(name.clone());
            texts(field, found);
        }),
        _ => {}
    }
}

#[actix_web::test]
async fn administrators_neither_see_nor_set_a_password() {
    let server = Server::start();
    let admin = an_admin(&server, "root@example.org").await;
    let body = json!({"email": "ada@example.org", "password": "Correct-horse-9-battery"}).to_string();
    let sign_up = server.request(Method::POST, "/api/v2/auth/signup").header(header::CONTENT_TYPE, "application/json").body(body);
    let signed_up = expect(sign_up.send().await.unwrap(), 201).await;
    let id = signed_up["user"]["id"].as_str().unwrap().to_owned();
    let secrets: Vec<String> = ["access_token", "refresh_token"]
        .iter()
        .map(|name| signed_up["tokens"][name].as_str().unwrap().to_owned())
        .chain(server.behind.store.accounts().into_iter().map(|account| account.password.hash))
        .collect();
    let mut found = Vec::new();
    for (endpoint, method) in admin_endpoints().filter(|(_, method)| *method != Method::HEAD) {
        let path = endpoint.path.replace("{id}", &id);
        let answer = match method {
            Method::GET => get(&server, &admin, &path).await,
            _ => post(&server, &admin, &path, &json!({"reason": WHY})).await,
        };
        texts(&expect(answer, 200).await, &mut found);
    }
    assert!(found.iter().any(|text| text == "ada@example.org"), "it was shown");
    for text in &found {
        let hash_like = text.contains("$2") || text.contains("$argon") || text.contains("Correct-horse");
        assert!(!hash_like && !secrets.contains(text), "{text}");
        assert!(!["password", "hash", "token", "secret", "pepper"].iter().any(|word| text.contains(word)), "{text}");
    }

    let document: Value = serde_json::from_str(openapi_json()).unwrap();
    for (endpoint, method) in admin_endpoints().filter(|(_, method)| *method != Method::HEAD) {
        let operation = &document["paths"][endpoint.path][method.as_str().to_lowercase()];
        let mut seen = Vec::new();
        fields(operation, &document, &mut seen);
        assert!(seen.len() > 3, "{}", endpoint.path);
        assert!(!seen.iter().any(|name| name.contains("password") || name.contains("hash")), "{}: {seen:?}", endpoint.path);
    }
    server.stop().await;
}

/// Names of all fields and parameters of an operation, through the schemas it refers to.
fn fields(value: &Value, document: &Value, seen: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| fields(item, document, seen)),
        Value::Object(object) => {
            if let Some(reference) = object.get("$ref").and_then(Value::as_str) {
                fields(document.pointer(reference.trim_start_matches('#')).unwrap(), document, seen);
            }
            if let Some(name) = object.get("name").and_then(Value::as_str) {
                seen.push(name.to_owned());
            }
            if let Some(Value::Object(properties)) = object.get("properties") {
                seen.extend(properties.keys().cloned());
            }
            object.values().for_each(|field| fields(field, document, seen));
        }
        _ => {}
    }
}

#[actix_web::test]
async fn a_store_that_is_away_lets_nobody_in_and_nothing_be_done_unseen() {
    let server = Server::start();
    let admin = an_admin(&server, "root@example.org").await;
    for calls in 0..4 {
        server.behind.store.fail_after(calls);
        let answer = get(&server, &admin, USERS).await;
        assert_eq!(
            (answer.status().as_u16(), code(answer).await.as_str()),
            (503, "dependency_unavailable"),
            "after {calls} calls"
        );
        server.behind.store.recover();
    }
    assert!(server.behind.store.audit().is_empty());
    assert_eq!(json(get(&server, &admin, USERS).await).await["data"].as_array().unwrap().len(), 1);
    server.stop().await;
}
