//! CoinGecko's recorded shapes, served by a real local server.

use std::{sync::Arc, time::Duration};

use coinlink_coingecko::{CoinGeckoPrices, CoinGeckoSettings, Plan};
use coinlink_domain::{
    market::{Quote, QuoteBatch, Source},
    shared::upstream_failure::{FailureClass, UpstreamFailure},
};
use coinlink_ports::market::PriceProvider;
use coinlink_testkit::{
    shared::StoppedClock,
    upstream_stub::{Mode, Provider, StubUpstream},
};
use proptest::prelude::*;
use time::{OffsetDateTime, macros::datetime};

const NOW: OffsetDateTime = datetime!(2026-06-19 10:15:00 UTC);
const ONCE: FailureClass = FailureClass::Transient { retryable: false };
const QUOTA: FailureClass = FailureClass::Quota { retry_after: None };
const MARKETS: &str = include_str!("fixtures/markets.json");

fn provider(stub: &StubUpstream, plan: Plan) -> CoinGeckoPrices {
    let timeout = Duration::from_secs(1);
    let settings = CoinGeckoSettings { plan, base_url: Some(stub.coingecko_url()), timeout, ..CoinGeckoSettings::default() };
    CoinGeckoPrices::new(&settings, Arc::new(StoppedClock::at(NOW))).expect("valid settings")
}

async fn fetch(mode: Mode) -> Result<QuoteBatch, UpstreamFailure> {
    let stub = StubUpstream::start().await;
    stub.set_mode(Provider::CoinGecko, mode);
    provider(&stub, Plan::Keyless).fetch(&[]).await
}

async fn recorded() -> QuoteBatch {
    fetch(Mode::status(200, MARKETS)).await.expect("prices")
}

fn of<'a>(batch: &'a QuoteBatch, symbol: &str) -> &'a Quote {
    batch.quotes.iter().find(|quote| quote.symbol.as_str() == symbol).expect("a quote")
}

#[tokio::test]
async fn a_recorded_row_becomes_a_quote_to_the_last_digit() {
    let batch = recorded().await;
    let btc = of(&batch, "BTC");
    assert_eq!(btc.price.usd().to_string(), "64123.4512345678");
    assert_eq!(btc.change_24h.unwrap().value().to_string(), "-1.99847");
    assert_eq!(btc.high_24h.unwrap().usd().to_string(), "65999.99");
    assert_eq!(btc.low_24h.unwrap().usd().to_string(), "63000.01");
    assert_eq!(btc.volume_24h.unwrap().to_string(), "24135089331.4219");
    assert_eq!(btc.market_cap.unwrap().to_string(), "1264120938811");
    assert_eq!((btc.rank.unwrap().get(), btc.name.as_deref()), (1, Some("Bitcoin")));
    assert_eq!((btc.source, btc.as_of), (Source::CoinGecko, datetime!(2026-06-19 10:14:41.123 UTC)));
    assert_eq!(of(&batch, "SHIB").price.usd().to_string(), "0.000005938674704566297");
    assert_eq!(of(&batch, "SHIB").change_24h.unwrap().value().to_string(), "9.43");
    assert_eq!(of(&batch, "DUST").price.usd().to_string(), "0.00000000007821066970851871");
}

#[tokio::test]
async fn what_coingecko_does_not_say_stays_unsaid() {
    let batch = recorded().await;
    let eth = of(&batch, "ETH");
    assert_eq!((eth.change_24h, eth.high_24h, eth.low_24h), (None, None, None));
    assert_eq!(of(&batch, "UNR").rank, None);
    assert_eq!(of(&batch, "DUST").market_cap, None);
    assert_eq!((of(&batch, "SOL").rank, of(&batch, "SOL").name.as_deref()), (None, None));
}

#[tokio::test]
async fn rows_without_a_usable_price_or_symbol_are_dropped_and_only_they() {
    let symbols: Vec<_> = recorded().await.quotes.iter().map(|quote| quote.symbol.to_string()).collect();
    assert_eq!(symbols, ["BTC", "ETH", "USDT", "SHIB", "DUST", "UNR", "SOL"]);
}

#[tokio::test]
async fn of_two_assets_with_one_symbol_the_better_ranked_is_meant_wherever_it_stands() {
    let rows =
        r#"[{"symbol":"btc","current_price":1,"market_cap_rank":900},{"symbol":"BTC","current_price":2,"market_cap_rank":1}]"#;
    let batch = fetch(Mode::status(200, rows)).await.unwrap();
    assert_eq!(batch.quotes.len(), 1);
    assert_eq!(batch.quotes[0].price.usd(), 2.into());
}

#[tokio::test]
async fn a_row_without_a_moment_or_with_one_to_come_is_dated_by_its_receipt() {
    let batch = recorded().await;
    assert_eq!(of(&batch, "DUST").as_of, NOW);
    assert_eq!(of(&batch, "SOL").as_of, NOW);
}

#[tokio::test]
async fn every_failure_has_its_class() {
    let fixture = |status, body: &str| Mode::status(status, body);
    for (mode, expected) in [
        (fixture(429, include_str!("fixtures/error_429.json")), QUOTA),
        (fixture(200, include_str!("fixtures/error_429.json")), QUOTA),
        (fixture(400, include_str!("fixtures/error_10011.json")), FailureClass::Config),
        (fixture(400, include_str!("fixtures/error_10010.json")), FailureClass::Config),
        (fixture(401, include_str!("fixtures/error_10002.json")), FailureClass::Config),
        (fixture(403, include_str!("fixtures/error_10005.json")), FailureClass::Config),
        (fixture(404, include_str!("fixtures/error_not_found.json")), FailureClass::Data),
        (fixture(503, "{}"), FailureClass::Transient { retryable: true }),
        (fixture(200, "[]"), ONCE),
        (fixture(200, r#"[{"symbol":"btc","current_price":null}]"#), ONCE),
        (fixture(200, "{}"), ONCE),
    ]
    .into_iter()
    .chain(Mode::BROKEN.map(|mode| (mode, ONCE)))
    {
        let told = format!("{mode:?}");
        assert_eq!(fetch(mode).await.unwrap_err().class, expected, "{told}");
    }
    let limited = Mode::status_with(429, include_str!("fixtures/error_429.json"), "Retry-After", "41");
    assert_eq!(fetch(limited).await.unwrap_err().class, FailureClass::Quota { retry_after: Some(time::Duration::seconds(41)) });
}

#[tokio::test]
async fn one_call_asks_for_the_list_and_some_to_spare_with_the_plans_own_header() {
    for (plan, header) in [
        (Plan::Keyless, None),
        (Plan::Demo("demo-key".into()), Some(("x-cg-demo-api-key", "demo-key"))),
        (Plan::Pro("pro-key".into()), Some(("x-cg-pro-api-key", "pro-key"))),
    ] {
        let stub = StubUpstream::start().await;
        provider(&stub, plan).fetch(&[]).await.unwrap();
        assert_eq!(stub.calls(Provider::CoinGecko), 1);
        let request = &stub.requests()[0];
        let asked = ["vs_currency", "order", "per_page", "page", "precision"].map(|name| request.query(name).unwrap());
        assert_eq!(asked, ["usd", "market_cap_desc", "100", "1", "full"]);
        for name in ["x-cg-demo-api-key", "x-cg-pro-api-key"] {
            assert_eq!(request.header(name), header.filter(|(sent, _)| *sent == name).map(|(_, key)| key));
        }
    }
}

#[tokio::test]
async fn a_moment_that_stands_still_is_passed_on_as_it_is() {
    let stub = StubUpstream::start().await;
    let stopped = NOW - time::Duration::minutes(10);
    stub.freeze_last_updated(Some(stopped));
    stub.set_price("BTC", "64000.000000000000000001");
    let batch = provider(&stub, Plan::Keyless).fetch(&[]).await.unwrap();
    assert_eq!((batch.as_of, batch.quotes.len()), (stopped, 53));
    assert_eq!(of(&batch, "BTC").price.usd().to_string(), "64000.000000000000000001");
}

#[test]
fn each_plan_has_its_host() {
    assert_eq!(Plan::Keyless.default_base_url(), "https://api.coingecko.com/api/v3");
    assert_eq!(Plan::Demo("k".into()).default_base_url(), "https://api.coingecko.com/api/v3");
    assert_eq!(Plan::Pro("k".into()).default_base_url(), "https://pro-api.coingecko.com/api/v3");
}

#[tokio::test]
async fn a_key_that_coingecko_echoes_is_not_passed_on() {
    let stub = StubUpstream::start().await;
    let body = r#"{"status":{"error_code":10002,"error_message":"CG-abcdef123 is no key"}}"#;
    stub.set_mode(Provider::CoinGecko, Mode::status(401, body));
    let failure = provider(&stub, Plan::Demo("CG-abcdef123".into())).fetch(&[]).await.unwrap_err();
    assert_eq!(failure.detail, "coingecko: status 401 code 10002 *** is no key");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_list_panics(value in r#"[\[\]{}",:0-9a-zA-Z.+-]{0,30}"#, cut in 0..MARKETS.len()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let row = format!(r#"[{{"symbol":"btc","current_price":{value},"last_updated":"{value}","market_cap_rank":{value}}}]"#);
            let _ = fetch(Mode::status(200, &row)).await;
            let _ = fetch(Mode::status(200, MARKETS.get(..cut).unwrap_or_default())).await;
        });
    }
}
