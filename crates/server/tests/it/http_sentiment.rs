//! The market's mood, the mood of texts, and prices in the older clients' shape.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use crate::http_support::{NOW, Server, header, json};
use coinlink_domain::market::{
    Article, Bulletin, FearGreed, News, NewsSource, Percent, Price, Quote, Source, Symbol, Tick, TickId, TickItem,
};
use coinlink_ports::market::TickAudience as _;
use reqwest::Method;
use rust_decimal::Decimal;
use serde_json::{Value, json as value};
use time::Duration;

fn figure(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn line(symbol: &str, price: &str, change: Option<&str>) -> TickItem {
    let quote = Quote::bare(Symbol::try_new(symbol).unwrap(), Price::try_new(figure(price)).unwrap(), Source::CoinGecko, NOW);
    TickItem { quote: Quote { change_24h: change.map(|change| Percent::new(figure(change))), ..quote }, stale: false }
}

fn show(server: &Server, items: Vec<TickItem>, stale: bool) {
    server.broadcaster.deliver(Arc::new(Tick {
        id: TickId { epoch: 7, seq: 1 + u64::from(stale) },
        timestamp: NOW,
        source: Some(Source::CoinGecko),
        as_of: Some(NOW),
        stale,
        held: None,
        items: items.into(),
    }));
}

fn whole() -> TickItem {
    let bare = line("BTC", "97012.123456789012", Some("1.25"));
    let quote = Quote {
        high_24h: Price::try_new(figure("98000.5")).ok(),
        low_24h: Price::try_new(figure("95000.25")).ok(),
        volume_24h: Some(figure("31000000000.75")),
        market_cap: Some(figure("1920000000000")),
        ..bare.quote
    };
    TickItem { quote, stale: false }
}

fn news(server: &Server, titles: &[&str]) {
    let articles = titles.iter().map(|title| Article {
        title: (*title).into(),
        url: "https://example.com/a".into(),
        publisher: "Example".into(),
        summary: None,
        published_at: Some(NOW - Duration::HOUR),
    });
    let content = News { source: NewsSource::NewsApi, articles: articles.collect() };
    server.bulletins.take_news(Bulletin { content, fetched_at: NOW });
}

fn index(server: &Server, value: u8) {
    let content = FearGreed { value, label: "Extreme Greed".into(), as_of: NOW - Duration::hours(6), next_at: None };
    server.bulletins.take_fear_greed(Bulletin { content, fetched_at: NOW });
}

async fn body(server: &Server, path: &str) -> Value {
    let response = server.get(path).await;
    assert_eq!(response.status(), 200, "{path}");
    json(response).await
}

#[actix_web::test]
async fn the_mood_shows_each_input_with_its_weight_and_age() {
    let server = Server::start();
    show(&server, vec![whole()], false);
    news(&server, &["Bitcoin soars", "What to know this week"]);
    index(&server, 80);
    let sentiment = body(&server, "/api/bitcoin/sentiment").await;
    // 0.4 x 0.4286 + 0.35 x 0.6 + 0.25 x 0.125
    assert_eq!(
        sentiment,
        value!({"data": {
            "score": 0.4127, "label": "positive", "confidence": 1, "method": "weighted_mean", "version": "lexicon-1", "source": "coinlink",
            "inputs": [
                {"name": "headlines", "weight": 0.4, "score": 0.4286, "label": "positive", "value": 1, "source": "newsapi",
                 "as_of": "2025-12-31T23:00:00.000000Z", "age_seconds": 3600, "stale": false},
                {"name": "fear_greed", "weight": 0.35, "score": 0.6, "label": "Extreme Greed", "value": 80, "source": "alternative.me",
                 "as_of": "2025-12-31T18:00:00.000000Z", "age_seconds": 21600, "stale": false},
                {"name": "momentum", "weight": 0.25, "score": 0.125, "label": "neutral", "value": 1.25, "source": "coingecko",
                 "as_of": "2026-01-01T00:00:00.000000Z", "age_seconds": 0, "stale": false},
            ],
            "missing": [],
        }, "timestamp": "2026-01-01T00:00:00.000000Z"})
    );
    server.stop().await;
}

#[actix_web::test]
async fn the_mood_names_what_is_missing_and_is_unknown_where_everything_is() {
    let server = Server::start();
    let nothing = server.get("/api/bitcoin/sentiment").await;
    assert_eq!((nothing.status().as_u16(), header(&nothing, "retry-after").is_some()), (503, true));
    assert_eq!(json(nothing).await["error"]["code"], "not_known_yet");
    show(&server, vec![line("BTC", "97012", Some("-12"))], true);
    let data = body(&server, "/api/bitcoin/sentiment").await["data"].take();
    assert_eq!((&data["score"], &data["label"]), (&value!(-1), &value!("very_negative")));
    assert_eq!(data["missing"], value!(["headlines", "fear_greed"]));
    assert_eq!((&data["inputs"][0]["weight"], &data["inputs"][0]["stale"]), (&value!(1), &value!(true)));
    assert_eq!(data["confidence"], value!(0.125), "half of a quarter is known");
    server.stop().await;
}

#[actix_web::test]
async fn the_summary_says_what_the_source_says_and_null_for_the_rest() {
    let server = Server::start();
    assert_eq!(crate::http_support::code(server.get("/api/bitcoin/market-summary").await).await, "price_unavailable");
    show(&server, vec![line("BTC", "97012", None)], true);
    let bare = body(&server, "/api/bitcoin/market-summary").await["data"].take();
    for unknown in ["change_24h", "high_24h", "low_24h", "volume_24h", "market_cap"] {
        assert!(bare.as_object().unwrap().contains_key(unknown) && bare[unknown].is_null(), "{unknown}");
    }
    assert_eq!((&bare["price"], &bare["stale"]), (&value!(97012), &value!(true)));
    server.stop().await;

    let server = Server::start();
    show(&server, vec![whole()], false);
    let text = server.get("/api/bitcoin/market-summary").await.text().await.unwrap();
    assert_eq!(
        text,
        r#"{"data":{"price":97012.123456789012,"change_24h":1.25,"high_24h":98000.5,"low_24h":95000.25,"volume_24h":31000000000.75,"market_cap":1920000000000,"stale":false,"source":"coingecko","as_of":"2026-01-01T00:00:00.000000Z"},"timestamp":"2026-01-01T00:00:00.000000Z"}"#
    );
    server.stop().await;
}

#[actix_web::test]
async fn in_the_older_shape_the_change_is_dollars_and_the_percent_has_a_name_of_its_own() {
    let server = Server::start();
    assert_eq!(crate::http_support::code(server.get("/api/v2/market/bitcoin/price").await).await, "price_unavailable");
    show(&server, vec![line("BTC", "110.5", Some("10.5")), line("ETH", "3000", None)], false);
    let text = server.get("/api/v2/market/bitcoin/price").await.text().await.unwrap();
    assert_eq!(
        text,
        r#"{"symbol":"BTC","price":110.5,"change_24h":10.5,"change_percent_24h":10.5,"volume_24h":null,"market_cap":null,"last_updated":"2026-01-01T00:00:00.000000Z","source":"coingecko","stale":false}"#
    );
    let percent = body(&server, "/api/bitcoin/price").await;
    assert_eq!(percent["data"]["change_24h"], value!(10.5));
    show(&server, vec![line("BTC", "75", Some("50"))], true);
    let dollars = body(&server, "/api/v2/market/bitcoin/price").await;
    assert_eq!((&dollars["change_24h"], &dollars["change_percent_24h"]), (&value!(25), &value!(50)));
    server.stop().await;
}

#[actix_web::test]
async fn prices_of_symbols_come_all_or_the_unknown_ones_are_named() {
    let server = Server::start();
    let path = "/api/v2/market/crypto/ticker";
    assert_eq!(crate::http_support::code(server.get(path).await).await, "price_unavailable");
    show(&server, ["BTC", "ETH", "XRP", "SOL"].map(|symbol| line(symbol, "2", Some("1"))).to_vec(), false);
    let symbols = async |query: &str| {
        let prices = body(&server, &format!("{path}{query}")).await;
        prices.as_array().unwrap().iter().map(|price| price["symbol"].as_str().unwrap().to_owned()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(symbols("").await, "BTC ETH SOL");
    assert_eq!(symbols("?limit=3").await, "BTC ETH XRP");
    assert_eq!(symbols("?symbols=xrp,BTC,XRP").await, "XRP BTC");
    assert_eq!(symbols("?symbols=XRP,BTC&limit=1").await, "XRP");
    let unknown = server.get(&format!("{path}?symbols=NOPE,BTC,WHAT")).await;
    assert_eq!(unknown.status(), 404);
    let error = json(unknown).await["error"].take();
    assert_eq!((&error["code"], &error["details"]["symbols"]), (&value!("unknown_symbol"), &value!("NOPE,WHAT")));
    for bad in ["?symbols=", "?symbols=BTC%20", "?symbols=BTC,,ETH", "?limit=0", "?limit=101", "?limit=x", "?other=1"] {
        assert_eq!(crate::http_support::code(server.get(&format!("{path}{bad}")).await).await, "invalid_query", "{bad}");
    }
    server.stop().await;
}

#[actix_web::test]
async fn what_did_not_change_is_not_sent_again() {
    for (path, max_age) in [
        ("/api/bitcoin/sentiment", 60),
        ("/api/bitcoin/market-summary", 30),
        ("/api/v2/market/bitcoin/price", 10),
        ("/api/v2/market/crypto/ticker", 10),
        ("/api/v2/market/bitcoin/price/", 10),
    ] {
        let server = Server::start();
        show(&server, vec![whole()], false);
        let first = server.get(path).await;
        assert_eq!(header(&first, "cache-control"), Some(format!("public, max-age={max_age}").as_str()), "{path}");
        let etag = header(&first, "etag").unwrap().to_owned();
        assert_eq!(server.get_with(path, "if-none-match", &etag).await.status(), 304, "{path}");
        show(&server, vec![whole()], true);
        assert_eq!(server.get_with(path, "if-none-match", &etag).await.status(), 200, "{path}: it is stale now");
        server.stop().await;
    }
}

#[actix_web::test]
async fn a_text_is_read_by_the_baseline_and_what_is_no_text_is_refused() {
    let server = Server::start();
    let ask = async |body: Value| {
        let request = server.request(Method::POST, "/api/bitcoin/analyze").header("content-type", "application/json");
        request.body(body.to_string()).send().await.unwrap()
    };
    let response = ask(value!({"text": "Bitcoin rallies to an all-time high"})).await;
    assert_eq!(header(&response, "cache-control"), Some("no-store"));
    assert_eq!(
        json(response).await,
        value!({"sentiment": "very_positive", "score": 0.6364, "confidence": 0.6667, "keywords": ["rallies", "all time high"],
                "model": "baseline", "version": "lexicon-1"})
    );
    let negated = json(ask(value!({"text": "Bitcoin fails to rally"})).await).await;
    assert_eq!((&negated["sentiment"], &negated["model"]), (&value!("negative"), &value!("baseline")));
    let nothing = json(ask(value!({"text": "x"})).await).await;
    assert_eq!(
        (&nothing["sentiment"], &nothing["confidence"], &nothing["keywords"]),
        (&value!("neutral"), &value!(0), &value!([]))
    );
    for empty in ["", " \n\t", "\u{0}\u{7f}"] {
        let error = json(ask(value!({"text": empty})).await).await["error"].take();
        assert_eq!((&error["code"], &error["details"]["text"]), (&value!("invalid_input"), &value!("is empty")), "{empty:?}");
    }
    for malformed in [value!({}), value!({"text": 1}), value!({"text": "a", "more": 1}), value!(["a"])] {
        assert_eq!(crate::http_support::code(ask(malformed).await).await, "invalid_json");
    }
    server.stop().await;
}

#[actix_web::test]
async fn the_markets_health_follows_the_prices_and_names_its_routes() {
    let server = Server::start();
    let path = "/api/v2/market/health";
    assert_eq!(body(&server, path).await["status"], "degraded");
    show(&server, vec![whole()], false);
    let healthy = body(&server, path).await;
    assert_eq!((&healthy["status"], &healthy["service"]), (&value!("healthy"), &value!("market")));
    let endpoints = healthy["endpoints"].as_array().unwrap();
    assert!(endpoints.contains(&value!("/api/v2/market/bitcoin/price")) && endpoints.contains(&value!(path)), "{endpoints:?}");
    show(&server, vec![whole()], true);
    assert_eq!(body(&server, path).await["status"], "degraded");
    server.stop().await;
}
