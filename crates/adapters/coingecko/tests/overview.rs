//! CoinGecko's recorded shapes of the whole market, served by a real local server.

use std::{sync::Arc, time::Duration};

use coinlink_coingecko::{CoinGeckoOverview, CoinGeckoSettings, Plan};
use coinlink_domain::{
    market::{MarketTotals, Source, Trending, TrendingAsset},
    shared::upstream_failure::{FailureClass, UpstreamFailure},
};
use coinlink_ports::market::OverviewProvider;
use coinlink_testkit::{
    shared::StoppedClock,
    upstream_stub::{Mode, Provider, StubUpstream},
};
use proptest::prelude::*;
use time::{OffsetDateTime, macros::datetime};

const NOW: OffsetDateTime = datetime!(2026-06-19 10:15:00 UTC);
const ONCE: FailureClass = FailureClass::Transient { retryable: false };
const QUOTA: FailureClass = FailureClass::Quota { retry_after: None };
const GLOBAL: &str = include_str!("fixtures/global.json");
const TRENDING: &str = include_str!("fixtures/trending.json");

fn provider(stub: &StubUpstream, plan: Plan) -> CoinGeckoOverview {
    let timeout = Duration::from_secs(1);
    let settings = CoinGeckoSettings { plan, base_url: Some(stub.coingecko_url()), timeout, ..CoinGeckoSettings::default() };
    CoinGeckoOverview::new(&settings, Arc::new(StoppedClock::at(NOW))).expect("valid settings")
}

async fn totals(mode: Mode) -> Result<MarketTotals, UpstreamFailure> {
    let stub = StubUpstream::start().await;
    stub.set_mode(Provider::Overview, mode);
    provider(&stub, Plan::Keyless).totals().await
}

async fn trending(mode: Mode) -> Result<Trending, UpstreamFailure> {
    let stub = StubUpstream::start().await;
    stub.set_mode(Provider::Overview, mode);
    provider(&stub, Plan::Keyless).trending().await
}

#[tokio::test]
async fn the_recorded_figures_are_read_to_the_last_digit() {
    let totals = totals(Mode::status(200, GLOBAL)).await.unwrap();
    assert_eq!(totals.market_cap.to_string(), "2345678901234.567891");
    assert_eq!(totals.volume_24h.to_string(), "98765432101.23");
    assert_eq!(totals.bitcoin_dominance.value().to_string(), "56.1234567890123");
    assert_eq!((totals.active_assets, totals.source), (17_423, Source::CoinGecko));
    assert_eq!(totals.as_of, datetime!(2026-06-19 10:12:21 UTC));
}

#[tokio::test]
async fn a_figure_that_is_missing_is_a_failure_and_never_made_up() {
    for (from, to) in [
        ("\"usd\":2345678901234.567891", "\"usd\":null"),
        ("\"usd\":2345678901234.567891", "\"usd\":0"),
        ("\"usd\":9.876543210123e10", "\"usd\":-1"),
        ("\"btc\":56.1234567890123", "\"ltc\":1"),
        ("\"btc\":56.1234567890123", "\"btc\":100.1"),
        ("17423", "null"),
        ("17423", "0"),
        ("\"total_market_cap\":{", "\"total_market_cap_of\":{"),
    ] {
        assert!(GLOBAL.contains(from), "{from}");
        assert_eq!(totals(Mode::status(200, &GLOBAL.replace(from, to))).await.unwrap_err().class, ONCE, "{from} {to}");
    }
}

#[tokio::test]
async fn figures_without_a_moment_or_with_one_to_come_are_of_their_receipt() {
    for at in ["null", "\"soon\"", "99999999999", "7"] {
        assert_eq!(totals(Mode::status(200, &GLOBAL.replace("1781863941", at))).await.unwrap().as_of, NOW, "{at}");
    }
}

#[tokio::test]
async fn the_recorded_searches_keep_their_order_and_what_is_not_said_stays_unsaid() {
    let trending = trending(Mode::status(200, TRENDING)).await.unwrap();
    let told = |asset: &TrendingAsset| {
        let price = asset.price.map(|price| price.usd().to_string());
        let change = asset.change_24h.map(|change| change.value().to_string());
        (asset.id.to_string(), asset.symbol.to_string(), asset.name.to_string(), price, change, asset.rank)
    };
    let text = |text: &str| text.to_owned();
    assert_eq!(
        trending.assets.iter().map(told).collect::<Vec<_>>(),
        [
            (text("pepe"), text("PEPE"), text("Pepe"), Some(text("0.00000781234567890123")), Some(text("2.087654321")), Some(26)),
            (text("newcoin"), text("NEWC"), text("New coin"), Some(text("1234.56789")), None, None),
            (text("unpriced"), text("UNP"), text("UNP"), None, None, None),
            (text("older"), text("OLD"), text("Older"), None, None, Some(900)),
        ]
    );
}

#[tokio::test]
async fn every_failure_has_its_class() {
    let told = |status, body: &str| Mode::status(status, body);
    for (mode, expected) in [
        (told(429, include_str!("fixtures/error_429.json")), QUOTA),
        (told(200, include_str!("fixtures/error_429.json")), QUOTA),
        (told(400, include_str!("fixtures/error_10011.json")), FailureClass::Config),
        (told(401, include_str!("fixtures/error_10002.json")), FailureClass::Config),
        (told(403, include_str!("fixtures/error_10005.json")), FailureClass::Config),
        (told(503, "{}"), FailureClass::Transient { retryable: true }),
        (told(200, "{}"), ONCE),
        (told(200, r#"{"coins":[],"data":{}}"#), ONCE),
        (told(200, r#"{"coins":{},"data":[]}"#), ONCE),
    ]
    .into_iter()
    .chain(Mode::BROKEN.map(|mode| (mode, ONCE)))
    {
        let what = format!("{mode:?}");
        assert_eq!(totals(mode.clone()).await.unwrap_err().class, expected, "{what}");
        assert_eq!(trending(mode).await.unwrap_err().class, expected, "{what}");
    }
}

#[tokio::test]
async fn each_is_one_call_with_the_plans_own_header() {
    let stub = StubUpstream::start().await;
    let overview = provider(&stub, Plan::Demo("demo-key".into()));
    assert_eq!(overview.totals().await.unwrap().active_assets, 17_423);
    assert_eq!(overview.trending().await.unwrap().assets.len(), 15);
    assert_eq!((stub.calls(Provider::Overview), stub.calls(Provider::CoinGecko)), (2, 0));
    let requests = stub.requests();
    let paths: Vec<_> = requests.iter().map(|request| request.path.as_str()).collect();
    assert_eq!(paths, ["/coingecko/api/v3/global", "/coingecko/api/v3/search/trending"]);
    assert!(requests.iter().all(|request| request.header("x-cg-demo-api-key") == Some("demo-key") && request.query.is_empty()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn no_answer_panics(value in r#"[\[\]{}",:$0-9a-zA-Z.+-]{0,30}"#, cut in 0..TRENDING.len()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let figures = format!(r#"{{"data":{{"total_market_cap":{{"usd":{value}}},"updated_at":{value}}}}}"#);
            let _ = totals(Mode::status(200, &figures)).await;
            let _ = totals(Mode::status(200, GLOBAL.get(..cut).unwrap_or_default())).await;
            let _ = trending(Mode::status(200, TRENDING.get(..cut).unwrap_or_default())).await;
        });
    }
}
