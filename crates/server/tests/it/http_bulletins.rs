//! News, the market's figures and what people search for.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use crate::http_support::{NOW, Server, code, header, json};
use coinlink::http::openapi_json;
use coinlink_domain::market::{MarketTotals, Percent};
use coinlink_testkit::market::{fetched, some_news, some_totals, some_trending};
use serde_json::{Value, json};
use time::Duration;

#[actix_web::test]
async fn before_headlines_came_primers_stand_in_and_say_who_is_missing() {
    let server = Server::start();
    let response = server.get("/api/bitcoin/news?limit=100").await;
    assert_eq!((response.status().as_u16(), header(&response, "cache-control")), (200, Some("public, max-age=300")));
    let body = json(response).await;
    let articles = body["articles"].as_array().unwrap();
    assert!(articles.len() >= 12 && body["count"] == articles.len());
    assert_eq!(
        (&body["source"], &body["unavailable"], &body["fetched_at"]),
        (&json!("curated"), &json!("newsapi"), &Value::Null)
    );
    for article in articles {
        assert_eq!((&article["source"], &article["published_at"]), (&json!("curated"), &Value::Null));
        assert!(article["url"].as_str().unwrap().starts_with("https://") && article["summary"].is_string());
    }
    assert_eq!(body["timestamp"], "2026-01-01T00:00:00.000000Z");
    server.stop().await;
}

#[actix_web::test]
async fn headlines_are_told_as_they_were_fetched() {
    let server = Server::start();
    server.bulletins.take_news(fetched(some_news(20), NOW - Duration::minutes(3)));
    let body = json(server.get("/api/bitcoin/news").await).await;
    assert_eq!((&body["count"], &body["source"], &body["stale"]), (&json!(10), &json!("newsapi"), &json!(false)));
    assert_eq!((&body["age_ms"], &body["fetched_at"]), (&json!(180_000), &json!("2025-12-31T23:57:00.000000Z")));
    assert_eq!(body["unavailable"], Value::Null);
    assert_eq!(
        body["articles"][0],
        json!({"title": "Headline 0", "url": "https://news.example/0", "source": "Example Times", "published_at": "2026-06-19T00:00:00.000000Z", "summary": null})
    );
    assert_eq!(body["articles"][1]["summary"], "What it is about.");
    server.stop().await;
}

#[actix_web::test]
async fn headlines_that_are_old_stay_with_their_age() {
    let server = Server::start();
    server.bulletins.take_news(fetched(some_news(2), NOW - Duration::hours(2)));
    let body = json(server.get("/api/bitcoin/news?limit=1").await).await;
    assert_eq!((&body["count"], &body["stale"], &body["unavailable"]), (&json!(1), &json!(true), &json!("newsapi")));
    assert_eq!((&body["source"], &body["age_ms"]), (&json!("newsapi"), &json!(7_200_000)));
    server.stop().await;
}

#[actix_web::test]
async fn what_was_never_known_is_said_to_be_so_and_when_to_come_back() {
    let server = Server::start();
    for path in ["/api/v2/market/stats", "/api/v2/market/trending"] {
        let response = server.get(path).await;
        assert_eq!((response.status().as_u16(), header(&response, "retry-after")), (503, Some("15")), "{path}");
        assert_eq!(code(response).await, "not_known_yet");
    }
    server.stop().await;
}

#[actix_web::test]
async fn figures_have_every_digit_and_their_age() {
    let server = Server::start();
    let totals = MarketTotals { bitcoin_dominance: Percent::new("56.1234567890123".parse().unwrap()), ..some_totals() };
    server.bulletins.take_totals(fetched(totals, NOW - Duration::hours(1)));
    let response = server.get("/api/v2/market/stats").await;
    assert_eq!(header(&response, "cache-control"), Some("public, max-age=60"));
    let text = response.text().await.unwrap();
    assert_eq!(
        text,
        concat!(
            r#"{"total_market_cap":2345678901234.123456789,"total_volume_24h":98765432101.23,"bitcoin_dominance":56.1234567890123,"#,
            r#""active_cryptocurrencies":17423,"last_updated":"2026-06-19T00:00:00.000000Z","source":"coingecko","timestamp":"2026-01-01T00:00:00.000000Z","#,
            r#""fetched_at":"2025-12-31T23:00:00.000000Z","age_ms":3600000,"stale":true}"#
        )
    );
    server.stop().await;
}

#[actix_web::test]
async fn searches_are_a_plain_list_and_what_is_not_said_is_null() {
    let server = Server::start();
    server.bulletins.take_trending(fetched(some_trending(20), NOW - Duration::minutes(1)));
    let text = server.get("/api/v2/market/trending?limit=2").await.text().await.unwrap();
    let line = |id: u32, price: &str, change: &str, rank: &str| {
        format!(
            r#"{{"id":"asset-{id}","symbol":"A{id}","name":"Asset {id}","price":{price},"change_24h":{change},"rank":{rank},"source":"coingecko","fetched_at":"2025-12-31T23:59:00.000000Z","age_ms":60000,"stale":false}}"#
        )
    };
    let first = line(0, "null", "null", "null");
    assert_eq!(text, format!("[{first},{}]", line(1, "0.00000000007821066970851871", "-1.234567", "1")));
    assert_eq!(json(server.get("/api/v2/market/trending").await).await.as_array().unwrap().len(), 10);
    server.stop().await;
}

#[actix_web::test]
async fn a_limit_is_a_number_in_its_range_and_nothing_else_is_asked() {
    let server = Server::start();
    server.bulletins.take_trending(fetched(some_trending(60), NOW));
    for path in [
        "/api/bitcoin/news?limit=0",
        "/api/bitcoin/news?limit=101",
        "/api/bitcoin/news?limit=ten",
        "/api/bitcoin/news?limit=",
        "/api/bitcoin/news?page=1",
        "/api/v2/market/trending?limit=51",
        "/api/v2/market/trending?limit=-1",
        "/api/v2/market/trending?sort=up",
    ] {
        let response = server.get(path).await;
        assert_eq!((response.status().as_u16(), code(response).await.as_str()), (400, "invalid_query"), "{path}");
    }
    assert_eq!(json(server.get("/api/v2/market/trending?limit=50").await).await.as_array().unwrap().len(), 50);
    assert_eq!(server.get("/api/bitcoin/news?limit=100").await.status(), 200);
    server.stop().await;
}

#[actix_web::test]
async fn what_a_client_has_already_is_not_sent_again() {
    let server = Server::start();
    server.bulletins.take_news(fetched(some_news(3), NOW));
    server.bulletins.take_totals(fetched(some_totals(), NOW));
    server.bulletins.take_trending(fetched(some_trending(3), NOW));
    for path in ["/api/bitcoin/news", "/api/v2/market/stats", "/api/v2/market/trending"] {
        let first = server.get(path).await;
        let etag = header(&first, "etag").unwrap().to_owned();
        let again = server.get_with(path, "if-none-match", &etag).await;
        assert_eq!((again.status().as_u16(), header(&again, "etag")), (304, Some(etag.as_str())), "{path}");
        assert!(again.text().await.unwrap().is_empty());
        let slashed = server.get(&format!("{path}/")).await;
        assert_eq!((slashed.status().as_u16(), header(&slashed, "etag")), (200, Some(etag.as_str())), "{path}/");
    }
    server.bulletins.take_news(fetched(some_news(4), NOW + Duration::SECOND));
    let before = server.get("/api/v2/market/stats").await;
    let news = server.get_with("/api/bitcoin/news", "if-none-match", header(&before, "etag").unwrap()).await;
    assert_eq!(news.status(), 200);
    server.stop().await;
}

/// Every field of an object is documented, and every one that is required is there.
fn conforms(value: &Value, schema: &Value, document: &Value) {
    if let Some(reference) = schema["$ref"].as_str() {
        return conforms(value, document.pointer(reference.trim_start_matches('#')).unwrap(), document);
    }
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, field)| conforms(field, &schema["properties"][name], document));
            for required in schema["required"].as_array().into_iter().flatten() {
                assert!(fields.contains_key(required.as_str().unwrap()), "{required} is missing");
            }
        }
        Value::Array(items) => items.iter().for_each(|item| conforms(item, &schema["items"], document)),
        _ => assert!(!schema.is_null(), "{value} is not documented"),
    }
}

#[actix_web::test]
async fn bodies_are_as_the_document_says() {
    let (server, document): (_, Value) = (Server::start(), serde_json::from_str(openapi_json()).unwrap());
    server.bulletins.take_news(fetched(some_news(3), NOW));
    server.bulletins.take_totals(fetched(some_totals(), NOW));
    server.bulletins.take_trending(fetched(some_trending(3), NOW));
    for path in ["/api/bitcoin/news", "/api/v2/market/stats", "/api/v2/market/trending"] {
        let schema = &document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"];
        conforms(&json(server.get(path).await).await, schema, &document);
    }
    server.stop().await;
}
