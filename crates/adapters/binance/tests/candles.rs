//! Binance's past prices in their recorded shape, served by a real local server.

use std::{sync::Arc, time::Duration as StdDuration};

use coinlink_binance::{BinanceCandles, BinanceSettings};
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
use time::{Duration, OffsetDateTime, macros::datetime};

const NOW: OffsetDateTime = datetime!(2026-06-19 10:01:30 UTC);
const FROM: OffsetDateTime = datetime!(2026-06-19 10:00 UTC);
/// Oldest first, in milliseconds, twelve columns.
const KLINES: &str = r#"[[1781863200000,"64065.01000000","64080.00000000","64060.00000000","64075.10000000","12.34500000",1781863259999,"790000.1",321,"6.1","390000.2","0"],
    [1781863260000,"64075.10000000","64090.00000000","64070.00000000","64085.00000000","1.00000000",1781863319999,"64080.0",12,"0.5","32040.0","0"]]"#;

async fn fetch(mode: Mode, symbol: &str) -> (Result<Vec<Candle>, UpstreamFailure>, StubUpstream) {
    let stub = StubUpstream::start().await;
    stub.set_mode(Provider::Binance, mode);
    let settings = BinanceSettings { base_url: stub.binance_url(), timeout: StdDuration::from_secs(1) };
    let provider = BinanceCandles::new(&settings, Arc::new(StoppedClock::at(NOW))).expect("valid settings");
    let span = Span { from: FROM, to: FROM + Duration::minutes(5) };
    (provider.candles(&Symbol::try_new(symbol).expect("a symbol"), Interval::Minute, span).await, stub)
}

#[tokio::test]
async fn rows_become_candles_that_say_they_are_in_usdt() {
    let (candles, stub) = fetch(Mode::status(200, KLINES), "BTC").await;
    let candles = candles.unwrap();
    let Candle { open_at, open, high, low, close, volume, closed } = candles[0];
    assert_eq!((open_at, closed, candles[1].closed), (FROM, true, false));
    assert_eq!([open, high, low, close].map(|price| price.usd().to_string()), ["64065.01", "64080", "64060", "64075.1"]);
    assert_eq!(volume.unwrap().to_string(), "12.345");
    assert_eq!(Source::BinanceUsdt.name(), "binance_usdt");
    let request = &stub.requests()[0];
    assert_eq!((request.path.as_str(), request.query("symbol")), ("/binance/api/v3/klines", Some("BTCUSDT")));
    assert_eq!(request.query("endTime"), Some("1781863499999"), "the next row would open at the end");
}

#[tokio::test]
async fn a_ban_is_told_from_an_unknown_market() {
    let banned = Mode::status_with(418, r#"{"code":-1003,"msg":"Way too much request weight used"}"#, "retry-after", "120");
    for (mode, symbol, class) in [
        (banned, "BTC", FailureClass::Quota { retry_after: Some(Duration::minutes(2)) }),
        (Mode::Ok, "NOPE", FailureClass::Data),
        (Mode::Html403, "BTC", FailureClass::Transient { retryable: false }),
        (Mode::Garbage, "BTC", FailureClass::Transient { retryable: false }),
    ] {
        assert_eq!(fetch(mode, symbol).await.0.unwrap_err().class, class, "{symbol}");
    }
}
