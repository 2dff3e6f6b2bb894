//! What the routes of notifications take and answer.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use crate::http_support::{NOW, Server};
use coinlink_domain::{
    notifications::{Notification, NotificationKind},
    shared::user_id::UserId,
};
use coinlink_ports::notifications::NotificationsStore as _;
use coinlink_testkit::notifications::a_notification;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use time::Duration;
use uuid::Uuid;

const AT: &str = "/api/v2/notifications";

struct Person {
    token: String,
    user: UserId,
}

async fn person(server: &Server) -> Person {
    let body = json!({"email": format!("{}@example.org", Uuid::now_v7().simple()), "password": "Correct-horse-9-battery"});
    let request = server.request(Method::POST, "/api/v2/auth/signup").header("content-type", "application/json");
    let body: Value = serde_json::from_str(&request.body(body.to_string()).send().await.unwrap().text().await.unwrap()).unwrap();
    let user = Uuid::parse_str(body["user"]["id"].as_str().unwrap()).unwrap();
    Person { token: body["tokens"]["access_token"].as_str().unwrap().to_owned(), user: UserId(user) }
}

async fn ask(server: &Server, who: &Person, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
    let mut request = server.request(method, &format!("{AT}{path}")).header("authorization", format!("Bearer {}", who.token));
    if let Some(body) = body {
        request = request.header("content-type", "application/json").body(body.to_string());
    }
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    (status, serde_json::from_str(&response.text().await.unwrap()).unwrap_or(Value::Null))
}

async fn get(server: &Server, who: &Person, path: &str) -> (u16, Value) {
    ask(server, who, Method::GET, path, None).await
}

async fn leave(server: &Server, notification: Notification) -> Notification {
    let mut tx = server.behind.notifications.begin().await.unwrap();
    tx.inbox().add(&notification).await.unwrap();
    tx.commit().await.unwrap();
    notification
}

fn refused(answer: &(u16, Value)) -> (u16, &str) {
    (answer.0, answer.1["error"]["code"].as_str().unwrap_or_default())
}

#[actix_web::test]
async fn an_inbox_shows_ones_own_notifications_newest_first() {
    let server = Server::start();
    let (who, other) = (person(&server).await, person(&server).await);
    let news = Notification { kind: NotificationKind::NewsUpdate, facts: Vec::new(), ..a_notification(who.user, 2) };
    let (first, second) = (leave(&server, a_notification(who.user, 1)).await, leave(&server, news).await);
    leave(&server, a_notification(other.user, 1)).await;
    leave(&server, Notification { expires_at: Some(NOW - Duration::SECOND), ..a_notification(who.user, 3) }).await;
    for path in ["", "/"] {
        let (status, shown) = get(&server, &who, path).await;
        assert_eq!((status, &shown[0]["id"], shown.as_array().unwrap().len()), (200, &second.id.to_string().into(), 2));
        let expected = json!({
            "id": first.id.to_string(), "type": "price_alert", "title": first.title, "message": first.message, "priority": "high",
            "is_read": false, "created_at": "2026-11-21T12:00:01.000001Z", "expires_at": null, "action_url": "/alerts",
            "metadata": {"price": "65000.10", "symbol": "BTC"},
        });
        assert_eq!(shown[1], expected);
    }
    assert_eq!(get(&server, &who, "?type_filter=news_update").await.1.as_array().unwrap().len(), 1);
    assert_eq!(get(&server, &who, "?limit=1&offset=1").await.1[0]["id"], first.id.to_string());
    assert_eq!(get(&server, &who, "/unread-count").await.1, json!({"unread_count": 2}));
    for query in ["?type_filter=x", "?unread_only=1", "?limit=0", "?limit=101", "?offset=-1", "?offset=1001", "?before=1"] {
        assert_eq!(refused(&get(&server, &who, query).await), (400, "invalid_query"), "{query}");
    }
}

#[actix_web::test]
async fn reading_from_two_places_at_once_is_reading_once() {
    let server = Server::start();
    let (who, other) = (person(&server).await, person(&server).await);
    let one = leave(&server, a_notification(who.user, 1)).await;
    let path = format!("/{}/read", one.id);
    let answers = join_all((0..4).map(|_| ask(&server, &who, Method::PUT, &path, None))).await;
    assert!(answers.iter().all(|(status, body)| *status == 200 && body["message"].is_string()), "{answers:?}");
    assert_eq!(get(&server, &who, "?unread_only=true").await.1, json!([]));
    assert_eq!(get(&server, &who, "/unread-count").await.1["unread_count"], 0);
    assert_eq!(refused(&ask(&server, &other, Method::PUT, &path, None).await), (404, "notification_not_found"));
    let gone = format!("/{}", one.id);
    assert_eq!(refused(&ask(&server, &other, Method::DELETE, &gone, None).await), (404, "notification_not_found"));
    assert_eq!(ask(&server, &who, Method::DELETE, &gone, None).await.0, 200);
    assert_eq!(refused(&ask(&server, &who, Method::DELETE, &gone, None).await), (404, "notification_not_found"));
    assert_eq!(refused(&ask(&server, &who, Method::PUT, "/x/read", None).await), (400, "invalid_path"));
}

#[actix_web::test]
async fn all_are_read_at_once_and_only_ones_own() {
    let server = Server::start();
    let (who, other) = (person(&server).await, person(&server).await);
    for n in 1..=3 {
        leave(&server, Notification { created_at: NOW, ..a_notification(who.user, n) }).await;
    }
    leave(&server, a_notification(other.user, 1)).await;
    let (status, body) = ask(&server, &who, Method::PUT, "/read-all", None).await;
    assert_eq!((status, &body["message"]), (200, &"Notifications marked as read: 3.".into()));
    assert_eq!(ask(&server, &who, Method::PUT, "/read-all", None).await.1["message"], "Notifications marked as read: 0.");
    assert_eq!(get(&server, &other, "/unread-count").await.1["unread_count"], 1);
}

#[actix_web::test]
async fn settings_hold_what_was_set_and_refuse_what_makes_no_sense() {
    let server = Server::start();
    let who = person(&server).await;
    let defaults = json!({
        "email_enabled": true, "push_enabled": true, "sms_enabled": false, "price_alerts": true, "news_updates": true,
        "system_alerts": true, "trade_updates": true, "security_alerts": true, "quiet_hours_start": null, "quiet_hours_end": null,
        "timezone": "UTC",
    });
    assert_eq!(get(&server, &who, "/settings").await, (200, defaults.clone()));
    let set = json!({"email_enabled": false, "quiet_hours_start": "22:00", "quiet_hours_end": "08:00", "timezone": "+05:30"});
    let (status, kept) = ask(&server, &who, Method::PUT, "/settings", Some(set)).await;
    assert_eq!((status, &kept["quiet_hours_end"], &kept["timezone"]), (200, &"08:00".into(), &"+05:30".into()));
    assert_eq!(get(&server, &who, "/settings").await.1, kept);
    for (wrong, field) in [
        (json!({"sms_enabled": true}), "sms_enabled"),
        (json!({"quiet_hours_start": "22:00"}), "quiet_hours_end"),
        (json!({"quiet_hours_end": "22:00"}), "quiet_hours_start"),
        (json!({"quiet_hours_start": "8:00", "quiet_hours_end": "09:00"}), "quiet_hours_start"),
        (json!({"timezone": "Europe/Berlin"}), "timezone"),
    ] {
        let answer = ask(&server, &who, Method::PUT, "/settings", Some(wrong)).await;
        assert_eq!(refused(&answer), (400, "invalid_input"));
        assert!(answer.1["error"]["details"][field].is_string(), "{answer:?}");
    }
    let unknown = ask(&server, &who, Method::PUT, "/settings", Some(json!({"carrier_pigeons": true}))).await;
    assert_eq!(refused(&unknown), (400, "invalid_json"));
    assert_eq!(ask(&server, &who, Method::PUT, "/settings", Some(json!({}))).await, (200, defaults));
}

#[actix_web::test]
async fn a_webhook_shows_its_secret_once_and_there_are_five_of_them() {
    let server = Server::start();
    let (who, other) = (person(&server).await, person(&server).await);
    let make = async |url: &str| ask(&server, &who, Method::POST, "/webhooks", Some(json!({ "url": url }))).await;
    let (status, made) = make("https://hooks.example.com/in").await;
    assert_eq!((status, &made["url"], &made["failures"]), (201, &"https://hooks.example.com/in".into(), &0.into()));
    assert!(made["secret"].as_str().unwrap().starts_with("whsec_"));
    let listed = get(&server, &who, "/webhooks").await.1;
    assert_eq!((&listed["webhooks"][0]["id"], &listed["webhooks"][0]["secret"]), (&made["id"], &Value::Null));
    assert_eq!(get(&server, &other, "/webhooks").await.1, json!({"webhooks": []}));
    for n in 2..=5 {
        assert_eq!(make(&format!("https://hooks{n}.example.com/")).await.0, 201);
    }
    assert_eq!(refused(&make("https://hooks6.example.com/").await), (409, "too_many_webhooks"));
    let path = format!("/webhooks/{}", made["id"].as_str().unwrap());
    let test = format!("{path}/test");
    assert_eq!(refused(&ask(&server, &other, Method::POST, &test, None).await), (404, "not_found"));
    // A new webhook is told of, on every way there was before it.
    let before = server.behind.notifications.deliveries().len();
    let (status, left) = ask(&server, &who, Method::POST, &test, None).await;
    assert_eq!(status, 202);
    assert_eq!(get(&server, &who, "").await.1[0]["id"], left["notification_id"]);
    assert_eq!(server.behind.notifications.deliveries().len(), before + 1);
    let again = ask(&server, &who, Method::POST, &test, None).await;
    assert_eq!(refused(&again), (429, "rate_limited"), "one waits");
    assert_eq!(server.behind.notifications.deliveries().len(), before + 1);
    assert_eq!(refused(&ask(&server, &other, Method::DELETE, &path, None).await), (404, "not_found"));
    assert_eq!(ask(&server, &who, Method::DELETE, &path, None).await.0, 200);
    assert_eq!(refused(&ask(&server, &who, Method::DELETE, &path, None).await), (404, "not_found"));
}

#[actix_web::test]
async fn webhooks_to_what_stands_beside_this_server_are_refused() {
    let server = Server::start();
    let who = person(&server).await;
    let urls = [
        "http://hooks.example.com/",
        "https://127.0.0.1/",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://2130706433/",
        "https://[::1]/",
        "https://localhost/",
        "https://u:p@hooks.example.com/",
        "https://hooks.example.com:22/",
        "https://hooks.example.com/#a",
        "x",
    ];
    for url in urls {
        let answer = ask(&server, &who, Method::POST, "/webhooks", Some(json!({ "url": url }))).await;
        assert_eq!(refused(&answer), (400, "webhook_refused"), "{url}");
        assert!(answer.1["error"]["details"]["url"].is_string());
    }
}

#[actix_web::test]
async fn nobody_else_is_told_anything_and_an_outage_is_told_as_one() {
    let server = Server::start();
    let who = person(&server).await;
    for path in ["", "/unread-count", "/settings", "/webhooks"] {
        assert_eq!(server.get(&format!("{AT}{path}")).await.status().as_u16(), 401, "{path}");
    }
    let health = async || crate::http_support::json(server.get(&format!("{AT}/health")).await).await;
    assert_eq!(health().await["status"], "healthy");
    server.behind.notifications.fail_after(0);
    assert_eq!(refused(&get(&server, &who, "").await), (503, "dependency_unavailable"));
    let down = health().await;
    assert_eq!((&down["status"], &down["service"]), (&"degraded".into(), &"notifications".into()));
    assert!(down["endpoints"].as_array().unwrap().contains(&"/api/v2/notifications/settings".into()));
}
