//! Alert rules over HTTP: two views of one table, whose they are, and what is refused.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use crate::http_support::{Server, code, gated::Holder, header, json};
use reqwest::{Method, Response};
use serde_json::{Value, json as body};

const RULES: &str = "/api/v2/notifications/alerts";
const PRICES: &str = "/api/v2/user/alerts";

struct User(String);

impl User {
    fn new() -> Self {
        Self(Holder::new().bearer())
    }

    async fn send(&self, server: &Server, method: Method, path: &str, body: Option<&Value>) -> Response {
        let request = server.request(method, path).header("authorization", &self.0);
        let request = match body {
            Some(body) => request.header("content-type", "application/json").body(body.to_string()),
            None => request,
        };
        request.send().await.unwrap()
    }

    async fn get(&self, server: &Server, path: &str) -> Value {
        let response = self.send(server, Method::GET, path, None).await;
        assert_eq!((response.status().as_u16(), header(&response, "cache-control")), (200, Some("no-store")), "{path}");
        json(response).await
    }

    async fn post(&self, server: &Server, path: &str, body: &Value) -> Value {
        let response = self.send(server, Method::POST, path, Some(body)).await;
        assert_eq!(response.status().as_u16(), 201, "{body}");
        json(response).await
    }
}

async fn refused(response: Response) -> (u16, String, Value) {
    let status = response.status().as_u16();
    let body = json(response).await;
    (status, body["error"]["code"].as_str().unwrap_or_default().to_owned(), body["error"]["details"].clone())
}

#[actix_web::test]
async fn who_is_not_signed_in_has_no_alerts_and_is_told_so_in_the_shape_of_a_list() {
    let server = Server::start();
    for path in ["/api/alerts", "/api/alerts/"] {
        let empty = json(server.get(path).await).await;
        assert_eq!((&empty["alerts"], &empty["count"]), (&body!([]), &body!(0)));
        assert!(empty["timestamp"].is_string());
    }
    let empty = json(server.get("/api/alerts/history?limit=7").await).await;
    assert_eq!((&empty["history"], &empty["count"], &empty["limit"]), (&body!([]), &body!(0), &body!(7)));
    assert_eq!(code(server.get("/api/alerts/history?limit=0").await).await, "invalid_query");
    for path in [RULES, PRICES] {
        assert_eq!(server.get(path).await.status().as_u16(), 401, "{path}");
    }
    server.stop().await;
}

#[actix_web::test]
async fn a_rule_is_seen_in_every_view_with_every_digit() {
    let server = Server::start();
    server.tick(3);
    let user = User::new();
    let price = user
        .post(&server, PRICES, &body!({"symbol": "btc", "target_price": "100000.000000000000000001", "condition": "above"}))
        .await;
    assert_eq!((&price["symbol"], &price["condition"], &price["is_active"]), (&body!("BTC"), &body!("above"), &body!(true)));
    let moved = body!({"symbol": "S1", "condition": "percent_move", "target_value": 2.5, "window_seconds": 3600});
    let moved = user.post(&server, RULES, &moved).await;
    assert_eq!(
        (&moved["target_value"], &moved["window_seconds"], &moved["trigger_count"]),
        (&body!(2.5), &body!(3600), &body!(0))
    );
    let response = user.send(&server, Method::GET, PRICES, None).await;
    let text = response.text().await.unwrap();
    assert!(text.contains(r#""target_price":100000.000000000000000001,"#), "{text}");
    assert_eq!(user.get(&server, PRICES).await.as_array().unwrap().len(), 1, "moves are no prices");
    let rules = user.get(&server, RULES).await;
    assert_eq!(rules.as_array().unwrap().len(), 2);
    assert!(rules[0]["last_triggered"].is_null());
    let own = user.get(&server, "/api/alerts").await;
    assert_eq!((&own["count"], own["alerts"].as_array().unwrap().len()), (&body!(2), 2));
    server.stop().await;
}

#[actix_web::test]
async fn a_rule_is_changed_and_switched_off_and_deleted_once() {
    let server = Server::start();
    server.tick(1);
    let user = User::new();
    let made = user.post(&server, RULES, &body!({"symbol": "BTC", "condition": "crosses_above", "target_value": 100_000})).await;
    let path = format!("{RULES}/{}", made["id"].as_str().unwrap());
    let put = |change: Value| {
        let (user, server, path) = (&user, &server, &path);
        async move { user.send(server, Method::PUT, path, Some(&change)).await }
    };
    let changed = json(put(body!({"target_value": 1.5e3, "condition": "below"})).await).await;
    assert_eq!((&changed["target_value"], &changed["condition"]), (&body!(1500), &body!("below")));
    assert_eq!(json(put(body!({"is_active": false})).await).await["is_active"], body!(false));
    assert_eq!(user.get(&server, "/api/alerts").await["count"], body!(0), "active ones only");
    assert_eq!(user.get(&server, RULES).await[0]["is_active"], body!(false));
    let (status, why, details) = refused(put(body!({"condition": "percent_move", "window_seconds": 60})).await).await;
    assert_eq!((status, why.as_str()), (400, "invalid_input"));
    assert!(details["target_value"].is_string(), "{details}");
    let moved = json(put(body!({"condition": "percent_move", "target_value": 5, "window_seconds": 60})).await).await;
    assert_eq!((&moved["window_seconds"], &moved["is_active"]), (&body!(60), &body!(false)));
    let delete = || user.send(&server, Method::DELETE, &path, None);
    assert_eq!(delete().await.status().as_u16(), 200);
    assert_eq!(code(delete().await).await, "alert_not_found");
    assert_eq!(code(put(body!({"is_active": true})).await).await, "alert_not_found");
    assert_eq!(user.get(&server, RULES).await, body!([]));
    server.stop().await;
}

#[actix_web::test]
async fn what_is_no_rule_is_refused_by_its_field() {
    let server = Server::start();
    let user = User::new();
    let valid = body!({"symbol": "BTC", "condition": "above", "target_value": 1});
    let unknown_yet = user.send(&server, Method::POST, RULES, Some(&valid)).await;
    assert_eq!(code(unknown_yet).await, "price_unavailable");
    server.tick(1);
    let with = |field: &str, value: Value| {
        let mut changed = valid.clone();
        changed[field] = value;
        changed
    };
    for (body, field) in [
        (with("target_value", body!(0)), "target_value"),
        (with("target_value", body!(-1)), "target_value"),
        (with("target_value", body!("1e400")), "target_value"),
        (with("target_value", body!("0.0000000000000000001")), "target_value"),
        (with("target_value", body!(true)), "target_value"),
        (with("target_value", body!("")), "target_value"),
        (with("condition", body!("equals")), "condition"),
        (with("window_seconds", body!(60)), "window_seconds"),
        (with("symbol", body!("<b>")), "symbol"),
    ] {
        let (status, why, details) = refused(user.send(&server, Method::POST, RULES, Some(&body)).await).await;
        assert_eq!((status, why.as_str()), (400, "invalid_input"), "{body}");
        assert!(details[field].is_string(), "{body}: {details}");
    }
    let unknown = user.send(&server, Method::POST, RULES, Some(&with("symbol", body!("NOPE")))).await;
    let (status, why, details) = refused(unknown).await;
    assert_eq!((status, why.as_str(), details), (404, "unknown_symbol", body!({"symbol": "is not in the current list"})));
    let unknown = body!({"symbol": "NOPE", "condition": "above", "target_price": 1});
    let told = json(user.send(&server, Method::POST, PRICES, Some(&unknown)).await).await["detail"].take();
    assert_eq!(told, "NOPE is not in the current list of assets, and no others have a price to wait for.");
    let more = user.send(&server, Method::POST, RULES, Some(&with("user_id", body!("x")))).await;
    assert_eq!(refused(more).await.1, "invalid_json");
    let crosses = body!({"symbol": "BTC", "condition": "crosses_above", "target_price": 1});
    let (status, _, details) = refused(user.send(&server, Method::POST, PRICES, Some(&crosses)).await).await;
    assert_eq!((status, &details["condition"]), (400, &body!("above or below")));
    server.stop().await;
}

#[actix_web::test]
async fn what_is_another_users_is_not_there() {
    let server = Server::start();
    server.tick(1);
    let (owner, other) = (User::new(), User::new());
    let made = owner.post(&server, PRICES, &body!({"symbol": "BTC", "target_price": 1, "condition": "below"})).await;
    let id = made["id"].as_str().unwrap();
    for (method, path, body) in [
        (Method::DELETE, format!("{PRICES}/{id}"), None),
        (Method::DELETE, format!("{RULES}/{id}"), None),
        (Method::PUT, format!("{RULES}/{id}"), Some(body!({"is_active": false}))),
    ] {
        let response = other.send(&server, method, &path, body.as_ref()).await;
        assert_eq!(refused(response).await.1, "alert_not_found", "{path}");
    }
    assert_eq!(other.get(&server, RULES).await, body!([]));
    assert_eq!(owner.get(&server, RULES).await[0]["is_active"], body!(true));
    server.stop().await;
}

#[actix_web::test]
async fn of_two_active_rules_that_wait_for_the_same_the_second_is_refused() {
    let server = Server::start();
    server.tick(1);
    let user = User::new();
    let new = |target: &str| body!({"symbol": "BTC", "condition": "above", "target_value": target});
    let first = user.post(&server, RULES, &new("1.5")).await;
    let again = user.send(&server, Method::POST, RULES, Some(&new("1.50"))).await;
    assert_eq!(refused(again).await.1, "alert_exists");
    let price = body!({"symbol": "btc", "condition": "above", "target_price": 1.5});
    assert_eq!(refused(user.send(&server, Method::POST, PRICES, Some(&price)).await).await.1, "alert_exists");
    let other = user.post(&server, RULES, &new("2")).await;
    let path = |rule: &Value| format!("{RULES}/{}", rule["id"].as_str().unwrap());
    let put = async |rule: &Value, change: Value| user.send(&server, Method::PUT, &path(rule), Some(&change)).await;
    assert_eq!(refused(put(&other, body!({"target_value": 1.5})).await).await.1, "alert_exists");
    assert_eq!(put(&first, body!({"is_active": false})).await.status().as_u16(), 200);
    assert_eq!(put(&other, body!({"target_value": 1.5})).await.status().as_u16(), 200, "one that is off is not in the way");
    assert_eq!(refused(put(&first, body!({"is_active": true})).await).await.1, "alert_exists");
    assert_eq!(put(&other, body!({"target_value": 1.5})).await.status().as_u16(), 200, "it is itself");
    server.stop().await;
}

#[actix_web::test]
async fn an_account_has_a_hundred_active_rules() {
    let server = Server::start();
    server.tick(1);
    let user = User::new();
    let new = body!({"symbol": "BTC", "condition": "above", "target_value": 1});
    let mut first = None;
    for n in 0..100 {
        let new = body!({"symbol": "BTC", "condition": "above", "target_value": 100 + n});
        let made = user.post(&server, RULES, &new).await;
        first.get_or_insert(made["id"].as_str().unwrap().to_owned());
    }
    let one_more = || user.send(&server, Method::POST, RULES, Some(&new));
    assert_eq!(refused(one_more().await).await.1, "too_many_alerts");
    let path = format!("{RULES}/{}", first.unwrap());
    let switch = |on: bool| {
        let (user, server, path) = (&user, &server, &path);
        async move { user.send(server, Method::PUT, path, Some(&body!({"is_active": on}))).await }
    };
    assert_eq!(switch(false).await.status().as_u16(), 200);
    assert_eq!(one_more().await.status().as_u16(), 201);
    assert_eq!(refused(switch(true).await).await.1, "too_many_alerts");
    server.stop().await;
}
