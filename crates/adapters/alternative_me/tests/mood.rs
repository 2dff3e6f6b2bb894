//! Alternative.me's recorded shapes, served by a real local server.

use std::{sync::Arc, time::Duration};

use coinlink_alternative_me::{AlternativeMe, AlternativeMeSettings};
use coinlink_domain::{
    market::FearGreed,
    shared::upstream_failure::{FailureClass, UpstreamFailure},
};
use coinlink_ports::market::MoodProvider;
use coinlink_testkit::{
    shared::StoppedClock,
    upstream_stub::{Mode, Provider, StubUpstream},
};
use proptest::prelude::*;
use time::{OffsetDateTime, macros::datetime};

const NOW: OffsetDateTime = datetime!(2026-06-19 10:15:15 UTC);
const ONCE: FailureClass = FailureClass::Transient { retryable: false };
const FNG: &str = include_str!("fixtures/fng.json");

fn provider(stub: &StubUpstream) -> AlternativeMe {
    let settings = AlternativeMeSettings { base_url: stub.alternative_me_url(), timeout: Duration::from_secs(1) };
    AlternativeMe::new(settings, Arc::new(StoppedClock::at(NOW))).expect("valid settings")
}

async fn fetch(mode: Mode) -> Result<FearGreed, UpstreamFailure> {
    let stub = StubUpstream::start().await;
    stub.set_mode(Provider::AlternativeMe, mode);
    provider(&stub).fetch().await
}

fn day(value: &str, label: &str, more: &str) -> Mode {
    let row = format!(r#"{{"value":{value},"value_classification":{label},"timestamp":"1781827200"{more}}}"#);
    Mode::status(200, &format!(r#"{{"data":[{row}]}}"#))
}

#[tokio::test]
async fn the_recorded_strings_become_an_index_that_knows_its_next_day() {
    for fixture in [FNG, include_str!("fixtures/fng_two_days.json")] {
        let mood = fetch(Mode::status(200, fixture)).await.unwrap();
        assert_eq!((mood.value, &*mood.label), (39, "Fear"));
        assert_eq!(mood.as_of, datetime!(2026-06-19 0:00 UTC));
        assert_eq!(mood.next_at, Some(datetime!(2026-06-20 0:00 UTC)));
    }
}

#[tokio::test]
async fn the_label_is_passed_through_as_plain_text() {
    let mood = fetch(day("\"100\"", "\"<b>Extreme</b> Greed\"", "")).await.unwrap();
    assert_eq!((mood.value, &*mood.label, mood.next_at), (100, "Extreme Greed", None));
}

#[tokio::test]
async fn an_update_that_is_days_away_or_was_due_is_not_believed() {
    for left in ["172801", "-1", "soon", ""] {
        let more = format!(r#","time_until_update":"{left}""#);
        assert_eq!(fetch(day("\"5\"", "\"Fear\"", &more)).await.unwrap().next_at, None, "{left}");
    }
}

#[tokio::test]
async fn a_figure_that_is_no_index_is_a_failure() {
    for (value, label) in [
        ("\"101\"", "\"Greed\""),
        ("\"-1\"", "\"Fear\""),
        ("\"39.5\"", "\"Fear\""),
        ("null", "\"Fear\""),
        ("\"39\"", "\" \""),
        ("\"39\"", "null"),
    ] {
        assert_eq!(fetch(day(value, label, "")).await.unwrap_err().class, ONCE, "{value} {label}");
    }
    let dated = r#"{"data":[{"value":"39","value_classification":"Fear","timestamp":"06-19-2026"}]}"#;
    assert_eq!(fetch(Mode::status(200, dated)).await.unwrap_err().class, ONCE);
}

#[tokio::test]
async fn every_failure_has_its_class() {
    let error = include_str!("fixtures/fng_error.json");
    for (mode, expected) in [
        (Mode::status(200, error), ONCE),
        (Mode::status(429, "{}"), FailureClass::Quota { retry_after: None }),
        (Mode::status(404, r#"{"message":"Not Found"}"#), FailureClass::Data),
        (Mode::status(503, ""), FailureClass::Transient { retryable: true }),
        (Mode::status(200, "{}"), ONCE),
        (Mode::status(200, r#"{"data":[]}"#), ONCE),
        (Mode::status(200, r#"{"data":null}"#), ONCE),
    ]
    .into_iter()
    .chain(Mode::BROKEN.map(|mode| (mode, ONCE)))
    {
        let what = format!("{mode:?}");
        assert_eq!(fetch(mode).await.unwrap_err().class, expected, "{what}");
    }
    assert_eq!(fetch(Mode::status(200, error)).await.unwrap_err().detail, "alternative_me: Invalid limit parameter");
}

#[tokio::test]
async fn one_day_is_asked_for_and_never_in_a_countrys_dates() {
    let stub = StubUpstream::start().await;
    provider(&stub).fetch().await.unwrap();
    assert_eq!(stub.calls(Provider::AlternativeMe), 1);
    let request = &stub.requests()[0];
    assert_eq!((request.query("limit"), request.query("format"), request.query("date_format")), (Some("1"), Some("json"), None));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn no_answer_panics(value in r#"[\[\]{}",:0-9a-zA-Z.+-]{0,30}"#, cut in 0..FNG.len()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let _ = fetch(day(&value, &value, "")).await;
            let _ = fetch(Mode::status(200, FNG.get(..cut).unwrap_or_default())).await;
        });
    }
}
