//! CoinGecko's past prices, in the shape recorded from it, served by a real local server.

use std::{sync::Arc, time::Duration as StdDuration};

use coinlink_coingecko::{CoinGeckoCandles, CoinGeckoSettings};
use coinlink_domain::{
    market::{
        Source, Symbol,
        candles::{Candle, Interval, Span},
    },
    shared::upstream_failure::{FailureClass, UpstreamFailure},
};
use coinlink_ports::market::CandleProvider;
use coinlink_testkit::{
    shared::StoppedClock,
    upstream_stub::{Mode, Provider, StubUpstream},
};
use time::{Duration, OffsetDateTime};

async fn fetch(
    mode: Mode,
    symbol: &str,
    interval: Interval,
    back: Duration,
) -> (Result<Vec<Candle>, UpstreamFailure>, StubUpstream) {
    let stub = StubUpstream::start().await;
    stub.set_mode(Provider::CoinGecko, mode);
    let settings = CoinGeckoSettings {
        base_url: Some(stub.coingecko_url()),
        timeout: StdDuration::from_secs(1),
        ..CoinGeckoSettings::default()
    };
    let now = OffsetDateTime::now_utc();
    let provider = CoinGeckoCandles::new(&settings, Arc::new(StoppedClock::at(now))).expect("valid settings");
    assert_eq!(provider.source(), Source::CoinGecko);
    let span = Span { from: interval.open_of(now - back), to: interval.open_of(now) };
    let symbol = Symbol::try_new(symbol).expect("a symbol");
    let candles = provider.candles(&symbol, interval, span).await;
    let again = provider.candles(&symbol, interval, span).await;
    assert_eq!(candles.is_ok(), again.is_ok());
    (candles, stub)
}

#[tokio::test]
async fn half_hours_stamped_at_their_close_become_hours_without_volume() {
    let (candles, stub) = fetch(Mode::Ok, "BTC", Interval::Hour, Duration::hours(10)).await;
    let candles = candles.unwrap();
    assert_eq!(candles.len(), 10, "each made of its two halves");
    assert!(candles.iter().all(|candle| candle.volume.is_none() && candle.closed));
    assert_eq!(candles[0].open.usd().to_string(), "64123.45");
    assert_eq!(stub.calls_to("/coingecko/api/v3/coins/markets"), 1, "its name is asked for once");
    assert_eq!(stub.calls_to("/coingecko/api/v3/coins/btc-coin/ohlc"), 2);
}

#[tokio::test]
async fn four_hours_become_days_and_minutes_are_not_offered() {
    let (candles, _) = fetch(Mode::Ok, "ETH", Interval::Day, Duration::days(7)).await;
    assert_eq!(candles.unwrap().len(), 7);
    let minutes = fetch(Mode::Ok, "BTC", Interval::Minute, Duration::HOUR).await.0;
    assert_eq!(minutes.unwrap_err().class, FailureClass::Data);
}

#[tokio::test]
async fn what_fails_has_its_class() {
    let quota = r#"{"status":{"error_code":429,"error_message":"You've exceeded the Rate Limit."}}"#;
    for (mode, symbol, class) in [
        (Mode::status(429, quota), "BTC", FailureClass::Quota { retry_after: None }),
        (Mode::status(200, quota), "BTC", FailureClass::Quota { retry_after: None }),
        (Mode::Ok, "NOPE", FailureClass::Data),
        (Mode::Garbage, "BTC", FailureClass::Transient { retryable: false }),
    ] {
        assert_eq!(fetch(mode, symbol, Interval::Hour, Duration::hours(3)).await.0.unwrap_err().class, class, "{symbol}");
    }
}
