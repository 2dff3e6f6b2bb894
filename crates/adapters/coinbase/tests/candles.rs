//! Coinbase's past prices in their recorded shape, served by a real local server.

use std::{sync::Arc, time::Duration as StdDuration};

use coinlink_coinbase::{CoinbaseCandles, CoinbaseSettings};
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

const NOW: OffsetDateTime = datetime!(2026-06-19 10:05:30 UTC);
const FROM: OffsetDateTime = datetime!(2026-06-19 10:00 UTC);
/// Newest first; the minute of 10:03 saw no trade; 10:05 is not over. Six columns, the last row as the documentation has it, with five.
const CANDLES: &str = "[[1781863500,64100.01,64130,64123.45,64120,0.75],[1781863440,64090.5,64124,64095.1,64123.45,2.00345],\
    [1781863320,64080,64099.99,64085,64095.1,3.1],[1781863260,64070,64090,64075,64085,0.5],[1781863200,64060,64080,64065,64075]]";

fn span() -> Span {
    Span { from: FROM, to: FROM + Duration::minutes(6) }
}

async fn fetch(mode: Mode, symbol: &str, span: Span) -> (Result<Vec<Candle>, UpstreamFailure>, StubUpstream) {
    let stub = StubUpstream::start().await;
    stub.set_mode(Provider::Coinbase, mode);
    let settings =
        CoinbaseSettings { base_url: stub.coinbase_url(), timeout: StdDuration::from_secs(1), ..CoinbaseSettings::default() };
    let provider = CoinbaseCandles::new(&settings, Arc::new(StoppedClock::at(NOW))).expect("valid settings");
    assert_eq!(provider.source(), Source::Coinbase);
    (provider.candles(&Symbol::try_new(symbol).expect("a symbol"), Interval::Minute, span).await, stub)
}

#[tokio::test]
async fn rows_that_are_newest_first_and_begin_with_the_low_become_candles() {
    let (candles, stub) = fetch(Mode::status(200, CANDLES), "BTC", span()).await;
    let candles = candles.unwrap();
    let opened: Vec<_> = candles.iter().map(|candle| (candle.open_at - FROM).whole_minutes()).collect();
    assert_eq!(opened, [0, 1, 2, 4, 5], "a minute without a trade stays a gap");
    let Candle { open, high, low, close, volume, .. } = candles[3];
    assert_eq!([open, high, low, close].map(|price| price.usd().to_string()), ["64095.1", "64124", "64090.5", "64123.45"]);
    assert_eq!(volume.unwrap().to_string(), "2.00345");
    assert_eq!((candles[0].volume, candles[0].closed, candles[4].closed), (None, true, false));
    let request = &stub.requests()[0];
    assert_eq!(request.path, "/coinbase/products/BTC-USD/candles");
    assert_eq!(request.query("granularity"), Some("60"));
    // Only both together count.
    assert!(request.query("start").is_some() && request.query("end").is_some());
}

#[tokio::test]
async fn three_hundred_rows_are_asked_for_at_most_and_given() {
    let provider = CoinbaseCandles::new(&CoinbaseSettings::default(), Arc::new(StoppedClock::at(NOW))).expect("valid settings");
    for interval in Interval::ALL {
        assert_eq!(provider.window(interval).unwrap().longest, interval.length() * 300);
    }
    let (candles, _) = fetch(Mode::Ok, "BTC", Span { from: FROM - Duration::minutes(300), to: FROM }).await;
    assert_eq!(candles.unwrap().len(), 300);
}

#[tokio::test]
async fn what_is_not_listed_is_told_from_what_fails() {
    for (mode, symbol, class) in [
        (Mode::Ok, "NOPE", FailureClass::Data),
        (Mode::status(429, r#"{"message":"Public rate limit exceeded"}"#), "BTC", FailureClass::Quota { retry_after: None }),
        (Mode::Garbage, "BTC", FailureClass::Transient { retryable: false }),
        (Mode::Html200, "BTC", FailureClass::Transient { retryable: false }),
        (Mode::Hang, "BTC", FailureClass::Transient { retryable: false }),
    ] {
        assert_eq!(fetch(mode, symbol, span()).await.0.unwrap_err().class, class, "{symbol}");
    }
}
