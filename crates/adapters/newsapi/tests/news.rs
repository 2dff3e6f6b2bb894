//! NewsAPI's recorded shapes, served by a real local server.

use std::{sync::Arc, time::Duration};

use coinlink_domain::{
    market::{News, NewsSource},
    shared::upstream_failure::{FailureClass, UpstreamFailure},
};
use coinlink_newsapi::{NewsApi, NewsApiSettings};
use coinlink_ports::market::NewsProvider;
use coinlink_testkit::{
    shared::StoppedClock,
    upstream_stub::{Mode, Provider, StubUpstream},
};
use proptest::prelude::*;
use time::{OffsetDateTime, macros::datetime};

const NOW: OffsetDateTime = datetime!(2026-06-19 10:15:00 UTC);
const ONCE: FailureClass = FailureClass::Transient { retryable: false };
const QUOTA: FailureClass = FailureClass::Quota { retry_after: None };
const EVERYTHING: &str = include_str!("fixtures/everything.json");

fn provider(stub: &StubUpstream, key: &str) -> NewsApi {
    let timeout = Duration::from_secs(1);
    let settings = NewsApiSettings { base_url: stub.newsapi_url(), timeout, ..NewsApiSettings::new(key.into()) };
    NewsApi::new(settings, Arc::new(StoppedClock::at(NOW))).expect("valid settings")
}

async fn fetch(mode: Mode) -> Result<News, UpstreamFailure> {
    let stub = StubUpstream::start().await;
    stub.set_mode(Provider::NewsApi, mode);
    provider(&stub, "a-key-of-ours").fetch().await
}

#[tokio::test]
async fn recorded_articles_become_plain_text_newest_first() {
    let news = fetch(Mode::status(200, EVERYTHING)).await.expect("news");
    assert_eq!(news.source, NewsSource::NewsApi);
    let titles: Vec<_> = news.articles.iter().map(|article| &*article.title).collect();
    assert_eq!(
        titles,
        [
            "From tomorrow",
            "Exchange pauses withdrawals",
            "Bitcoin rallies past $64,000 as ETF inflows surge",
            "No outlet is named"
        ]
    );
    let rally = &news.articles[2];
    assert_eq!(rally.summary.as_deref(), Some("Funds bought more than was mined. It was the best week since March."));
    assert_eq!((&*rally.publisher, &*rally.url), ("The Verge", "https://www.theverge.com/2026/6/18/bitcoin"));
    assert_eq!(rally.published_at, Some(datetime!(2026-06-18 9:58 UTC)));
}

#[tokio::test]
async fn what_was_removed_cannot_be_read_or_is_there_twice_is_dropped() {
    let news = fetch(Mode::status(200, EVERYTHING)).await.expect("news");
    assert_eq!(news.articles.len(), 4);
    assert!(news.articles.iter().all(|article| !article.title.contains("[Removed]") && article.url.starts_with("http")));
}

#[tokio::test]
async fn what_is_not_said_stays_unsaid_and_nothing_is_of_tomorrow() {
    let news = fetch(Mode::status(200, EVERYTHING)).await.expect("news");
    assert_eq!(news.articles[0].published_at, Some(NOW));
    assert_eq!(news.articles[1].summary, None);
    let unnamed = &news.articles[3];
    assert_eq!((&*unnamed.publisher, unnamed.published_at, &unnamed.summary), ("unnamed.example.net", None, &None));
}

#[tokio::test]
async fn every_failure_has_its_class() {
    let told = |status, body: &str| Mode::status(status, body);
    for (mode, expected) in [
        (told(401, include_str!("fixtures/error_apiKeyInvalid.json")), FailureClass::Config),
        (told(401, include_str!("fixtures/error_apiKeyMissing.json")), FailureClass::Config),
        (told(401, include_str!("fixtures/error_apiKeyDisabled.json")), FailureClass::Config),
        (told(403, include_str!("fixtures/error_corsNotAllowed.json")), FailureClass::Config),
        (told(426, include_str!("fixtures/error_upgradeRequired.json")), FailureClass::Config),
        (told(429, include_str!("fixtures/error_apiKeyExhausted.json")), QUOTA),
        (told(429, include_str!("fixtures/error_rateLimited.json")), QUOTA),
        (told(200, include_str!("fixtures/error_rateLimited.json")), QUOTA),
        (told(400, include_str!("fixtures/error_parameterInvalid.json")), FailureClass::Data),
        (told(400, include_str!("fixtures/error_parametersMissing.json")), FailureClass::Data),
        (told(400, include_str!("fixtures/error_sourcesTooMany.json")), FailureClass::Data),
        (told(400, include_str!("fixtures/error_sourceDoesNotExist.json")), FailureClass::Data),
        (told(426, include_str!("fixtures/error_maximumResultsReached.json")), FailureClass::Data),
        (told(500, include_str!("fixtures/error_unexpectedError.json")), ONCE),
        (told(503, "{}"), FailureClass::Transient { retryable: true }),
        (told(200, "{}"), ONCE),
        (told(200, r#"{"status":"ok","totalResults":0,"articles":[]}"#), ONCE),
        (told(200, r#"{"status":"ok","articles":{"title":"x"}}"#), ONCE),
        (told(200, r#"{"status":"ok","articles":[null,7,{"title":"x"}]}"#), ONCE),
    ]
    .into_iter()
    .chain(Mode::BROKEN.map(|mode| (mode, ONCE)))
    {
        let what = format!("{mode:?}");
        assert_eq!(fetch(mode).await.unwrap_err().class, expected, "{what}");
    }
    let limited = Mode::status_with(429, include_str!("fixtures/error_rateLimited.json"), "Retry-After", "41");
    assert_eq!(fetch(limited).await.unwrap_err().class, FailureClass::Quota { retry_after: Some(time::Duration::seconds(41)) });
}

#[tokio::test]
async fn one_call_asks_for_a_page_in_english_with_the_key_in_a_header_alone() {
    let stub = StubUpstream::start().await;
    let news = provider(&stub, "a-key-of-ours").fetch().await.unwrap();
    assert_eq!((stub.calls(Provider::NewsApi), news.articles.len()), (1, 99));
    let request = &stub.requests()[0];
    let asked = ["language", "sortBy", "pageSize"].map(|name| request.query(name).unwrap());
    assert_eq!(asked, ["en", "publishedAt", "100"]);
    assert!(request.query("q").unwrap().contains("bitcoin+OR+crypto"));
    assert_eq!(request.header("x-api-key"), Some("a-key-of-ours"));
    assert!(!format!("{:?}{:?}", request.path, request.query).contains("a-key-of-ours"));
}

#[tokio::test]
async fn a_key_that_newsapi_echoes_is_not_passed_on() {
    for status in [401, 200] {
        let body = r#"{"status":"error","code":"apiKeyInvalid","message":"a-KEY-of-ours is no key"}"#;
        let failure = fetch(Mode::status(status, body)).await.unwrap_err();
        assert!(
            failure.detail.contains("*** is no key") && !failure.detail.to_lowercase().contains("a-key-of-ours"),
            "{failure}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn no_answer_panics(value in r#"[\[\]{}",:0-9a-zA-Z<>&.+-]{0,30}"#, cut in 0..EVERYTHING.len()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let row = format!(r#"{{"status":"ok","articles":[{{"title":"{value}","url":"https://{value}","publishedAt":{value},"source":{value}}}]}}"#);
            let _ = fetch(Mode::status(200, &row)).await;
            let _ = fetch(Mode::status(200, EVERYTHING.get(..cut).unwrap_or_default())).await;
        });
    }
}
