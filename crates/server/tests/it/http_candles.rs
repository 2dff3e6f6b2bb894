//! Price history: candles of any asset, and the older shape of bitcoin's.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use crate::http_support::{NOW, Server, code, header, json};
use coinlink_domain::market::{
    Source,
    candles::{Candle, CandleOrigin, CandleRecord, Interval},
};
use coinlink_ports::market::CandleStore as _;
use coinlink_testkit::market::candles_contract::{a_candle, a_still_candle};
use serde_json::json;
use time::Duration;

const CANDLES: &str = "/api/v2/market/btc/candles";
const HISTORY: &str = "/api/v2/market/bitcoin/history";

/// An hour that a provider knew with its volume, a gap, an hour of ticks, and the one that runs.
async fn with_hours() -> Server {
    let server = Server::start();
    let hour = |n| NOW + Duration::hours(n);
    let known = a_candle(hour(-3), ["97012.123456789", "98000.5", "96999", "0.00000000007821066970851871"]);
    let candle = Candle { volume: Some("12.50".parse().unwrap()), ..known.candle };
    let known = CandleRecord { candle, origin: CandleOrigin::Provider(Source::Kraken), ..known };
    let candles = [known, a_candle(hour(-1), ["1", "3", "0.5", "2"]), a_candle(hour(0), ["2"; 4])];
    server.behind.candles.record(Interval::Hour, &candles).await.unwrap();
    server
}

#[actix_web::test]
async fn candles_are_told_with_every_digit_their_sources_and_what_is_missing() {
    let server = with_hours().await;
    let body = json(server.get(CANDLES).await).await;
    let expected = json!({
        "symbol": "BTC",
        "interval": "1h",
        "data": [
            {
                "open_time": "2025-12-31T21:00:00.000000Z", "open": "97012.123456789", "high": "98000.5", "low": "96999",
                "close": "0.00000000007821066970851871", "volume": "12.5", "closed": true
            },
            { "open_time": "2025-12-31T23:00:00.000000Z", "open": "1", "high": "3", "low": "0.5", "close": "2", "volume": null, "closed": true },
            { "open_time": "2026-01-01T00:00:00.000000Z", "open": "2", "high": "2", "low": "2", "close": "2", "volume": null, "closed": false }
        ],
        "sources": ["kraken", "ticks"],
        "gaps": [{ "from": "2025-12-31T22:00:00.000000Z", "to": "2025-12-31T23:00:00.000000Z" }],
        "has_more": false,
        "next_from": null,
        "next_to": null
    });
    assert_eq!(body, expected);
    for path in ["/api/v2/market/BTC/candles?interval=1h", "/api/v2/market/Btc/candles/"] {
        assert_eq!(json(server.get(path).await).await, expected, "{path}");
    }
    server.stop().await;
}

#[actix_web::test]
async fn lists_go_on_forwards_and_backwards() {
    let server = with_hours().await;
    let times = async |query: &str| {
        let body = json(server.get(&format!("{CANDLES}?{query}")).await).await;
        let hours: Vec<String> =
            body["data"].as_array().unwrap().iter().map(|c| c["open_time"].as_str().unwrap()[11..13].to_owned()).collect();
        (hours, body["has_more"].clone(), body["next_from"].clone(), body["next_to"].clone())
    };
    let newest = times("limit=2").await;
    assert_eq!(newest, (vec!["23".into(), "00".into()], true.into(), json!(null), "2025-12-31T23:00:00.000000Z".into()));
    assert_eq!(times("limit=2&to=2025-12-31T23:00:00Z").await.0, ["21"]);
    let oldest = times("limit=2&from=2025-12-31T00:00:00Z").await;
    assert_eq!(oldest, (vec!["21".into(), "23".into()], true.into(), "2026-01-01T00:00:00.000000Z".into(), json!(null)));
    assert_eq!(times("limit=2&from=2026-01-01T01:00:00%2B01:00").await.0, ["00"]);
    server.stop().await;
}

#[actix_web::test]
async fn an_asset_is_known_by_the_list_or_by_its_history() {
    let server = with_hours().await;
    server.tick(2);
    server.behind.candles.record(Interval::Day, &[a_still_candle("OLD", NOW, "1")]).await.unwrap();
    for (path, data) in [("/api/v2/market/S1/candles", 0), ("/api/v2/market/old/candles?interval=1d", 1)] {
        let response = server.get(path).await;
        assert_eq!(response.status(), 200, "{path}");
        assert_eq!(json(response).await["data"].as_array().unwrap().len(), data, "{path}");
    }
    for unknown in ["NONE", "%20", "%3Cscript%3E", "ABCDEFGHIJKLMNOPQRSTUV"] {
        let response = server.get(&format!("/api/v2/market/{unknown}/candles")).await;
        assert_eq!((response.status().as_u16(), code(response).await.as_str()), (404, "unknown_symbol"), "{unknown}");
    }
    server.stop().await;
}

#[actix_web::test]
async fn what_cannot_be_read_is_told_by_name() {
    let server = with_hours().await;
    for (query, field) in [
        ("interval=2m", "interval"),
        ("interval=", "interval"),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=ten", "limit"),
        ("from=yesterday", "from"),
        ("to=1969-12-31T23:59:59Z", "to"),
        ("from=2026-01-01T00:00:00Z&to=2026-01-01T00:00:00Z", "to"),
    ] {
        let response = server.get(&format!("{CANDLES}?{query}")).await;
        assert_eq!(response.status(), 400, "{query}");
        let body = json(response).await;
        assert_eq!(body["error"]["code"], "invalid_query", "{query}");
        assert!(body["error"]["details"][field].is_string(), "{query}: {body}");
    }
    for (query, field) in [("period=2h", "period"), ("period=", "period"), ("interval=1w", "interval")] {
        let response = server.get(&format!("{HISTORY}?{query}")).await;
        assert_eq!(response.status(), 400, "{query}");
        assert!(json(response).await["error"]["details"][field].is_string(), "{query}");
    }
    for path in [format!("{CANDLES}?page=1"), format!("{HISTORY}?limit=1")] {
        assert_eq!(code(server.get(&path).await).await, "invalid_query", "{path}");
    }
    server.stop().await;
}

#[actix_web::test]
async fn the_older_shape_is_numbers_with_every_digit_and_no_volume_that_nobody_said() {
    let server = with_hours().await;
    let text = server.get(HISTORY).await.text().await.unwrap();
    assert_eq!(
        text,
        "[{\"timestamp\":\"2025-12-31T21:00:00.000000Z\",\"price\":0.00000000007821066970851871,\"volume\":12.5,\"source\":\"kraken\"},\
         {\"timestamp\":\"2025-12-31T23:00:00.000000Z\",\"price\":2,\"source\":\"ticks\"},\
         {\"timestamp\":\"2026-01-01T00:00:00.000000Z\",\"price\":2,\"source\":\"ticks\"}]"
    );
    let last_hour = json(server.get(&format!("{HISTORY}?period=1h&interval=1h")).await).await;
    assert_eq!(last_hour.as_array().unwrap().len(), 2);
    assert_eq!(json(server.get(&format!("{HISTORY}/?period=1y&interval=1d")).await).await, json!([]));
    server.stop().await;
}

#[actix_web::test]
async fn of_a_long_period_the_newest_thousand_points_are_told() {
    let server = Server::start();
    let minutes: Vec<_> = (0..1_440).map(|n| a_candle(NOW - Duration::minutes(n), ["1"; 4])).collect();
    server.behind.candles.record(Interval::Minute, &minutes).await.unwrap();
    let points = json(server.get(&format!("{HISTORY}?interval=1m")).await).await;
    let points = points.as_array().unwrap();
    assert_eq!((points.len(), &points[999]["timestamp"]), (1_000, &"2026-01-01T00:00:00.000000Z".into()));
    let body = json(server.get(&format!("{CANDLES}?interval=1m&limit=1000")).await).await;
    assert_eq!((body["data"].as_array().unwrap().len(), &body["has_more"]), (1_000, &true.into()));
    server.stop().await;
}

#[actix_web::test]
async fn a_client_that_has_them_is_not_sent_them_again_until_the_running_one_moves() {
    let server = with_hours().await;
    for path in [CANDLES, HISTORY] {
        let first = server.get(path).await;
        assert_eq!(header(&first, "cache-control"), Some("public, max-age=5"));
        let etag = header(&first, "etag").unwrap().to_owned();
        assert_eq!(server.get_with(path, "if-none-match", &etag).await.status(), 304, "{path}");
        let moved = a_candle(NOW, ["2", "9", "2", if path == CANDLES { "8" } else { "9" }]);
        server.behind.candles.record(Interval::Hour, &[moved]).await.unwrap();
        assert_eq!(server.get_with(path, "if-none-match", &etag).await.status(), 200, "{path}");
    }
    server.stop().await;
}

#[actix_web::test]
async fn while_the_store_is_away_the_answer_says_so() {
    let server = with_hours().await;
    server.behind.candles.fail(true);
    for path in [CANDLES, HISTORY] {
        let response = server.get(path).await;
        assert!(header(&response, "retry-after").is_some());
        assert_eq!((response.status().as_u16(), code(response).await.as_str()), (503, "dependency_unavailable"), "{path}");
    }
    server.stop().await;
}

#[actix_web::test]
async fn of_a_day_in_which_collecting_began_it_is_told_since_when_it_is_known() {
    let server = Server::start();
    server.behind.candles.record(Interval::Day, &[a_still_candle("BTC", NOW, "2")]).await.unwrap();
    let minute = a_still_candle("BTC", NOW + Duration::minutes(7), "2");
    server.behind.candles.record(Interval::Minute, &[minute]).await.unwrap();
    let body = json(server.get("/api/v2/market/btc/candles?interval=1d").await).await;
    assert_eq!(body["data"][0]["known_from"], "2026-01-01T00:07:00.000000Z", "{body}");
    let minutes = json(server.get("/api/v2/market/btc/candles?interval=1m&from=2026-01-01T00:00:00Z").await).await;
    assert!(minutes["data"][0].get("known_from").is_none(), "{minutes}");
    server.stop().await;
}

#[actix_web::test]
async fn what_is_made_up_says_so_in_either_shape() {
    let server = Server::start();
    let made_up = CandleRecord { origin: CandleOrigin::of_ticks(Source::Simulated), ..a_still_candle("BTC", NOW, "2") };
    server.behind.candles.record(Interval::Hour, &[made_up]).await.unwrap();
    assert_eq!(json(server.get(CANDLES).await).await["sources"], json!(["simulated"]));
    assert_eq!(json(server.get(HISTORY).await).await[0]["source"], "simulated");
    server.stop().await;
}
