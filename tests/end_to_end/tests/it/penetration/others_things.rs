//! What belongs to somebody else is not there, on every route whose path names a thing.

use std::collections::BTreeSet;

use coinlink_end_to_end_tests::{Api, Held, Node, PASSWORD, UNLIMITED, somebody};
use reqwest::Method;
use sea_orm::{ConnectionTrait as _, Database};
use serde_json::{Value, json};

/// What Ada has: the path with its id, how to ask for it, and where she sees that it is still there.
struct Thing {
    template: &'static str,
    method: Method,
    path: String,
    body: Option<Value>,
    seen_at: &'static str,
    id: String,
}

async fn made(api: &Api, held: &Held, path: &str, body: &Value) -> String {
    let answer = api.post_as(&held.access, path, body).await;
    assert!(answer.status < 300, "{path}: {}", answer.text);
    let id = ["/id", "/data/id", "/key/id", "/api_key/id", "/webhook/id", "/rule/id", "/alert/id"];
    let found = id.iter().find_map(|place| answer.json.pointer(place).and_then(Value::as_str));
    found.unwrap_or_else(|| panic!("no id in {}", answer.text)).to_owned()
}

async fn things(api: &Api, held: &Held) -> Vec<Thing> {
    let sessions = api.get_as(&held.access, "/api/v2/user/sessions").await.expect(200);
    let list =
        sessions.json.as_array().or_else(|| sessions.json["data"].as_array()).or_else(|| sessions.json["sessions"].as_array());
    let session = list.unwrap()[0]["id"].as_str().unwrap().to_owned();
    let rule = json!({"symbol": "BTC", "condition": "percent_move", "target_value": 5, "window_seconds": 3600});
    let alert = made(api, held, "/api/v2/notifications/alerts", &rule).await;
    let hook = made(api, held, "/api/v2/notifications/webhooks", &json!({"url": "https://hooks.example.com/coinlink"})).await;
    let key =
        made(api, held, "/api/v2/user/api-keys", &json!({"name": "mine", "password": PASSWORD, "scopes": ["market:read"]})).await;
    let thing = |template: &'static str, method: Method, seen_at: &'static str, id: &String| Thing {
        template,
        method,
        path: template.replace("{id}", id),
        body: None,
        seen_at,
        id: id.clone(),
    };
    let alerts = "/api/v2/notifications/alerts";
    let hooks = "/api/v2/notifications/webhooks";
    let change = thing("/api/v2/notifications/alerts/{id}", Method::PUT, alerts, &alert);
    vec![
        thing("/api/v2/user/sessions/{id}", Method::DELETE, "/api/v2/user/sessions", &session),
        Thing { body: Some(json!({"is_active": false})), ..change },
        thing("/api/v2/notifications/alerts/{id}", Method::DELETE, alerts, &alert),
        thing("/api/v2/user/alerts/{id}", Method::DELETE, alerts, &alert),
        thing("/api/v2/notifications/webhooks/{id}", Method::DELETE, hooks, &hook),
        thing("/api/v2/notifications/webhooks/{id}/test", Method::POST, hooks, &hook),
        thing("/api/v2/user/api-keys/{id}", Method::DELETE, "/api/v2/user/api-keys", &key),
    ]
}

/// Routes whose things are made in other ways: their own tests try them with somebody else's ids.
const ELSEWHERE: [&str; 3] = [
    // reading_from_two_places_at_once_is_reading_once, nobody_else_is_told_anything_and_an_outage_is_told_as_one
    "/api/v2/notifications/{id}",
    "/api/v2/notifications/{id}/read",
    // linking_takes_a_session_a_password_and_an_address_that_is_free
    "/api/v2/auth/wallets/{id}",
];

/// Nobody's things: an administrator's role opens them, and nothing else does (`no_route_answers_without_the_role_and_a_fresh_second_factor`).
const ADMINISTRATORS: [&str; 2] = ["/api/v2/admin", "/api/monitoring"];

#[tokio::test]
async fn what_is_somebody_elses_is_not_there_and_stays_as_it_is() {
    let node = Node::dev_with(&["--feed", "simulated"], &UNLIMITED).await;
    let api = Api::at(node.url(""));
    let (ada, eve) = (api.sign_up(&somebody()).await, api.sign_up(&somebody()).await);
    let file = node.process.directory().join("data/coinlink.db");
    let sql = Database::connect(format!("sqlite:{}", file.display())).await.unwrap();
    sql.execute_unprepared("UPDATE users SET is_verified = 1").await.unwrap();
    let things = things(&api, &ada).await;

    let document = node.json("/openapi.json").await;
    let named: BTreeSet<&str> = document["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    let with_id =
        named.into_iter().filter(|path| path.contains("{id}") && !ADMINISTRATORS.iter().any(|below| path.starts_with(below)));
    let tried: BTreeSet<&str> = things.iter().map(|thing| thing.template).chain(ELSEWHERE).collect();
    assert_eq!(with_id.collect::<BTreeSet<_>>(), tried, "say how a new route's things are tried");

    let nobodys = "018f3e9a-5b7c-7def-8123-456789abcdef";
    for thing in &things {
        let ask = async |path: &str, token: &str| {
            let request = match &thing.body {
                Some(body) => api.with_json(thing.method.clone(), path, body),
                None => api.request(thing.method.clone(), path),
            };
            api.send(request.bearer_auth(token)).await
        };
        let what = format!("{} {}", thing.method, thing.template);
        let theirs = ask(&thing.path, &eve.access).await;
        let nothing = ask(&thing.template.replace("{id}", nobodys), &eve.access).await;
        assert_eq!((theirs.status, theirs.code()), (404, nothing.code()), "{what}: {}", theirs.text);
        assert_eq!(nothing.status, 404, "{what}: {}", nothing.text);
        let seen = api.get_as(&ada.access, thing.seen_at).await.expect(200);
        assert!(seen.text.contains(&thing.id), "{what} took it: {}", seen.text);
        let shown = api.get_as(&eve.access, thing.seen_at).await.expect(200);
        assert!(!shown.text.contains(&thing.id), "{what} shows it: {}", shown.text);
        for odd in ["0", "-1", "null", "*", "018f3e9a-5b7c-7def-8123-456789abcdeg", "%2e%2e", "1%20OR%201=1"] {
            let odd = ask(&thing.template.replace("{id}", odd), &eve.access).await;
            assert!(matches!(odd.status, 400 | 404 | 405), "{what}: {} {}", odd.status, odd.text);
        }
        let nobody = api.send(api.request(thing.method.clone(), &thing.path)).await;
        assert_eq!(nobody.status, 401, "{what}: {}", nobody.text);
    }
    let admin = api.send(api.request(Method::GET, "/api/v2/admin/users").bearer_auth(&eve.access)).await;
    assert_eq!(admin.status, 403);
}
