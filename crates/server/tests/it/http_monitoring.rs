//! `/api/monitoring`: who may look, what is shown before and after the first sample, and who looks after an alert.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use crate::http_support::{NOW, Server, answers::misfit, code, gated::Holder};
use async_trait::async_trait;
use coinlink::http::openapi_json;
use coinlink_application::operations::monitoring::{SampleMonitor, SampleParts};
use coinlink_credentials::CheckedApiKeys;
use coinlink_domain::{
    identity::{ApiKey, ApiScope, ApiScopes, Role, SecondFactor, Session, SessionPolicy, User},
    operations::monitoring::{Alert, METRICS, Severity, Value},
    shared::{audit::AuditStatus, sealed::Sealed},
};
use coinlink_embedded::SystemEntropy;
use coinlink_ports::{
    identity::{ApiKeyCodec as _, IdentityStore as _},
    operations::{Measurements, MonitorAlerts as _},
};
use coinlink_testkit::{
    identity::{a_session, a_user, an_account_of, an_api_key},
    operations::a_monitor_alert,
};
use reqwest::{Method, Response, header};
use serde_json::{Value as Json, json};
use time::{Duration, OffsetDateTime};

const UNIFIED: &str = "/api/monitoring/unified";
const ALERTS: &str = "/api/monitoring/alerts";

/// An account of this role with a second factor, which was shown at `factor_at`.
async fn holder(server: &Server, email: &str, role: Role, factor_at: Option<OffsetDateTime>) -> Holder {
    let user = User { role, ..a_user(email) };
    let session = Session { created_at: NOW, rotated_at: NOW, second_factor_at: factor_at, ..a_session(user.id) };
    server.behind.store.put_account(&an_account_of(user));
    server.behind.store.put_session(&session);
    let secret = Sealed { key_id: "1".into(), bytes: vec![1] };
    let mut tx = server.behind.store.begin().await.unwrap();
    tx.second_factors().set_up(&SecondFactor::new(session.user, secret, NOW)).await.unwrap();
    tx.second_factors().confirm(session.user, 1, NOW).await.unwrap();
    tx.commit().await.unwrap();
    Holder { user: session.user, session: session.id, generation: 1 }
}

async fn an_admin(server: &Server) -> Holder {
    holder(server, "root@example.org", Role::Admin, Some(NOW)).await
}

/// A key of this account with this scope.
fn a_key(server: &Server, of: &Holder, scope: ApiScope) -> String {
    let key = an_api_key(of.user);
    let (text, digest) = CheckedApiKeys.mint(key.id, &[7; 32]);
    server.behind.store.put_api_key(&ApiKey { digest, scopes: ApiScopes::try_new([scope]).unwrap(), ..key });
    text.0
}

async fn get(server: &Server, who: &Holder, path: &str) -> Response {
    server.get_with(path, "authorization", &who.bearer()).await
}

async fn acknowledge(server: &Server, who: &Holder, alert: &str, body: &str) -> Response {
    let request = server.request(Method::POST, &format!("{ALERTS}/{alert}/acknowledge")).header("authorization", who.bearer());
    request.header(header::CONTENT_TYPE, "application/json").body(body.to_owned()).send().await.unwrap()
}

async fn expect(response: Response, status: u16) -> Json {
    let got = response.status();
    let text = response.text().await.unwrap();
    assert_eq!(got, status, "{text}");
    serde_json::from_str(&text).unwrap()
}

async fn keep(server: &Server, alerts: &[Alert]) {
    for alert in alerts {
        assert!(server.behind.monitor.alerts.keep(alert).await.unwrap());
    }
}

/// Every metric there is, at 1.
struct Ones;

#[async_trait]
impl Measurements for Ones {
    async fn measure(&self) -> Vec<(&'static str, Value)> {
        METRICS.iter().map(|metric| (metric.id, Value::try_new(1.0).unwrap())).collect()
    }
}

async fn take_a_sample(server: &Server) {
    let mut sample = SampleMonitor::new(SampleParts {
        measurements: Arc::new(Ones),
        accounts: Arc::new(server.behind.store.clone()),
        policy: SessionPolicy::default(),
        alerts: Arc::clone(&server.behind.monitor.alerts) as _,
        samples: Arc::clone(&server.behind.monitor.samples),
        clock: Arc::clone(&server.behind.clock) as _,
        entropy: Arc::new(SystemEntropy),
        period: Duration::MINUTE,
    });
    sample.execute().await.unwrap();
}

#[actix_web::test]
async fn before_the_first_sample_the_view_is_empty_and_not_zero() {
    let server = Server::start();
    let admin = an_admin(&server).await;
    let view = expect(get(&server, &admin, UNIFIED).await, 200).await;
    assert_eq!(view["layout"], "operations", "without being asked for");
    let unknown = json!({"health_score": null, "status": "unknown", "metrics_tracked": 0, "departments_monitored": 0});
    assert_eq!(view["system_status"], unknown);
    for panel in view["panels"].as_array().unwrap() {
        let data = &panel["data"];
        match panel["type"].as_str().unwrap() {
            "metric_grid" => assert_eq!((&data["metrics"], &data["sampled_at"]), (&json!([]), &Json::Null)),
            "status_grid" => assert_eq!(data["departments"], json!([])),
            "gauge" => assert_eq!((&data["health_score"], &data["status"]), (&Json::Null, &json!("unknown"))),
            other => assert_eq!((other, &data["alerts"]), ("alert_list", &json!([]))),
        }
    }
    server.stop().await;
}

#[actix_web::test]
async fn every_layout_has_the_shape_of_the_contract() {
    let server = Server::start();
    let admin = an_admin(&server).await;
    take_a_sample(&server).await;
    let document: Json = serde_json::from_str(openapi_json()).unwrap();
    for layout in ["executive", "operations", "technical", "growth"] {
        let view = expect(get(&server, &admin, &format!("{UNIFIED}?layout={layout}")).await, 200).await;
        let schema = &document["paths"][UNIFIED]["get"]["responses"]["200"]["content"]["application/json"]["schema"];
        assert_eq!(misfit(&view, schema, &document), None, "{layout}");
        let keys: Vec<_> = view.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(keys, ["alerts", "layout", "panels", "system_status", "timestamp"]);
        assert_eq!(view["layout"], layout);
        let mut shown = 0;
        for panel in view["panels"].as_array().unwrap() {
            let keys: Vec<_> = panel.as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!(keys, ["data", "panel_id", "position", "title", "type"]);
            assert!(["x", "y", "width", "height"].iter().all(|key| panel["position"][key].is_u64()));
            for metric in panel["data"]["metrics"].as_array().into_iter().flatten() {
                shown += 1;
                assert_eq!(metric["aggregates"]["60"]["count"], 1, "{metric}");
                assert!(metric["value"].is_f64() && metric["timestamp"] == "2026-01-01T00:00:00.000000Z");
            }
        }
        assert!(shown > 5, "{layout}: {shown}");
        let counts = &view["alerts"];
        assert!(counts["total"].is_u64() && counts["unacknowledged"].is_u64());
        assert_eq!(counts["by_severity"].as_object().unwrap().len(), 4);
        assert_eq!(view["system_status"]["metrics_tracked"], METRICS.len());
        assert_eq!(view["system_status"]["departments_monitored"], 5);
    }
    for bad in ["layout=", "layout=Growth", "layout=agents", "colour=red", "layout=growth&layout=growth"] {
        let response = get(&server, &admin, &format!("{UNIFIED}?{bad}")).await;
        assert_eq!((response.status().as_u16(), code(response).await.as_str()), (400, "invalid_query"), "{bad}");
    }
    server.stop().await;
}

#[actix_web::test]
async fn the_score_counts_the_open_alerts_of_all_nodes() {
    let server = Server::start();
    let admin = an_admin(&server).await;
    let critical = Alert { severity: Severity::Critical, ..a_monitor_alert(1, "b:8000", "error_rate") };
    let of_old = Alert { severity: Severity::Error, ..a_monitor_alert(2, "c:8000", "no_more") };
    keep(&server, &[critical, of_old]).await;
    take_a_sample(&server).await;
    let view = expect(get(&server, &admin, UNIFIED).await, 200).await;
    let status = &view["system_status"];
    // Of the ones, `error_rate`, `limiter_alone` and `breakers_open` are a warning each, and a certificate of one day is critical.
    assert_eq!((&status["health_score"], &status["status"]), (&json!(35), &json!("critical")));
    assert_eq!(view["alerts"]["by_severity"], json!({"info": 0, "warning": 3, "error": 1, "critical": 2}));
    assert_eq!((&view["alerts"]["total"], &view["alerts"]["unacknowledged"]), (&json!(6), &json!(6)));
    server.stop().await;
}

#[actix_web::test]
async fn looking_takes_the_role_and_no_fresh_second_factor_and_acting_takes_both() {
    let server = Server::start();
    let stale = holder(&server, "stale@example.org", Role::Admin, None).await;
    let user = holder(&server, "user@example.org", Role::User, Some(NOW)).await;
    keep(&server, &[a_monitor_alert(1, "b:8000", "cpu")]).await;
    let id = a_monitor_alert(1, "b:8000", "cpu").id.to_string();
    let why = r#"{"reason":"ticket 4711"}"#;
    for path in [UNIFIED, ALERTS] {
        assert_eq!(code(server.get(path).await).await, "authentication_required");
        assert_eq!(code(get(&server, &user, path).await).await, "forbidden");
        expect(get(&server, &stale, path).await, 200).await;
        let key = |of: &Holder, scope| a_key(&server, of, scope);
        let with = async |key: &str| server.get_with(path, "x-api-key", key).await;
        expect(with(&key(&stale, ApiScope::MonitoringRead)).await, 200).await;
        assert_eq!(code(with(&key(&stale, ApiScope::MarketRead)).await).await, "scope_missing");
        assert_eq!(code(with(&key(&user, ApiScope::MonitoringRead)).await).await, "forbidden", "its owner is no administrator");
    }
    assert_eq!(code(acknowledge(&server, &user, &id, why).await).await, "forbidden");
    assert_eq!(code(acknowledge(&server, &stale, &id, why).await).await, "second_factor_required");
    assert_eq!(
        code(acknowledge(&server, &stale, &id, "{").await).await,
        "second_factor_required",
        "a body is not looked at before"
    );
    let denied = server.behind.store.audit();
    assert_eq!(denied.len(), 7, "each refusal of somebody, and no look");
    assert!(denied.iter().all(|entry| entry.action == "admin.access" && entry.status == AuditStatus::Denied));
    server.stop().await;
}

#[actix_web::test]
async fn an_acknowledgement_needs_a_reason_counts_once_and_is_written_down() {
    let server = Server::start();
    let admin = an_admin(&server).await;
    let alert = a_monitor_alert(1, "b:8000", "cpu");
    keep(&server, std::slice::from_ref(&alert)).await;
    let id = alert.id.to_string();
    assert_eq!(code(acknowledge(&server, &admin, &id, "{}").await).await, "reason_required");
    assert_eq!(code(acknowledge(&server, &admin, &id, r#"{"reason":"x","more":1}"#).await).await, "invalid_json");
    assert_eq!(code(acknowledge(&server, &admin, "cpu", r#"{"reason":"x"}"#).await).await, "invalid_path");
    let why = r#"{"reason":"ticket 4711"}"#;
    let done = expect(acknowledge(&server, &admin, &id, why).await, 200).await;
    assert_eq!((&done["changed"], &done["alert"]["acknowledged"]), (&json!(true), &json!(true)));
    assert_eq!(done["alert"]["acknowledged_by"], admin.user.to_string());
    let again = expect(acknowledge(&server, &admin, &id, why).await, 200).await;
    assert_eq!(again["changed"], false);
    let view = expect(get(&server, &admin, UNIFIED).await, 200).await;
    assert_eq!((&view["alerts"]["total"], &view["alerts"]["unacknowledged"]), (&json!(1), &json!(0)));
    let nobodys = acknowledge(&server, &admin, "018f3e9a-5b7c-7def-8123-456789abcdef", why).await;
    assert_eq!((nobodys.status().as_u16(), code(nobodys).await.as_str()), (404, "not_found"));
    let with = server.behind.monitor.alerts.entries();
    let [entry] = &with[..] else { panic!("one entry with the act was expected") };
    assert_eq!(
        (&*entry.action, entry.resource_id.as_deref(), entry.user),
        ("admin.alert_acknowledge", Some(&*id), Some(admin.user.0))
    );
    assert_eq!(entry.details["reason"], "ticket 4711");
    let beside: Vec<_> = server.behind.store.audit().iter().map(|entry| (entry.action.clone(), entry.status)).collect();
    let action = |status| ("admin.alert_acknowledge".into(), status);
    assert_eq!(beside, [action(AuditStatus::Success), action(AuditStatus::Denied)], "what changed nothing, too");
    server.stop().await;
}

#[actix_web::test]
async fn alerts_come_in_pages_as_filters_want_them() {
    let server = Server::start();
    let admin = an_admin(&server).await;
    let mut all: Vec<_> = (1..=5).map(|n| a_monitor_alert(n, if n % 2 == 0 { "a:1" } else { "b:1" }, &format!("m{n}"))).collect();
    all[4].severity = Severity::Error;
    keep(&server, &all).await;
    server.behind.monitor.alerts.end_unseen(all[1].seen_at, all[4].seen_at).await.unwrap();
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = expect(get(&server, &admin, &format!("{ALERTS}?limit=2{cursor}")).await, 200).await;
        seen.extend(page["data"].as_array().unwrap().iter().map(|alert| alert["metric_id"].as_str().unwrap().to_owned()));
        let Some(next) = page["page"]["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen, ["m5", "m4", "m3", "m2", "m1"]);
    for (filter, expected) in [
        ("state=open", 4),
        ("state=resolved", 1),
        ("severity=error", 1),
        ("node=a%3A1", 2),
        ("metric=m3&state=open", 1),
        ("metric=m3&node=a%3A1", 0),
    ] {
        let page = expect(get(&server, &admin, &format!("{ALERTS}?{filter}")).await, 200).await;
        assert_eq!(page["data"].as_array().unwrap().len(), expected, "{filter}");
    }
    let page = expect(get(&server, &admin, &format!("{ALERTS}?state=resolved")).await, 200).await;
    assert_eq!(page["data"][0]["resolution"], "node_gone");
    for bad in ["state=any", "severity=emergency", "limit=0", "limit=101", "cursor=AAAA", "node=%00", "page=1"] {
        let response = get(&server, &admin, &format!("{ALERTS}?{bad}")).await;
        assert_eq!((response.status().as_u16(), code(response).await.as_str()), (400, "invalid_query"), "{bad}");
    }
    server.stop().await;
}

#[actix_web::test]
async fn while_the_store_is_away_it_says_so() {
    let server = Server::start();
    let admin = an_admin(&server).await;
    server.behind.monitor.alerts.be_away(true);
    for path in [UNIFIED, ALERTS] {
        let response = get(&server, &admin, path).await;
        assert_eq!((response.status().as_u16(), code(response).await.as_str()), (503, "dependency_unavailable"));
    }
    server.stop().await;
}
