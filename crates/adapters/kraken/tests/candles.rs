//! Kraken's past prices in their recorded shape, served by a real local server.

use std::{sync::Arc, time::Duration as StdDuration};

use coinlink_domain::{
    market::{
        Source, Symbol,
        candles::{Candle, Interval, Span},
    },
    shared::upstream_failure::{FailureClass, UpstreamFailure},
};
use coinlink_kraken::{KrakenCandles, KrakenSettings};
use coinlink_ports::market::CandleProvider;
use coinlink_testkit::{
    shared::StoppedClock,
    upstream_stub::{Mode, Provider, StubUpstream},
};
use time::{Duration, OffsetDateTime, macros::datetime};

const NOW: OffsetDateTime = datetime!(2026-06-19 10:05:30 UTC);
const FROM: OffsetDateTime = datetime!(2026-06-19 10:00 UTC);
/// Oldest first, the last row still open, `last` beside the table.
const OHLC: &str = r#"{"error":[],"result":{"XXBTZUSD":[
    [1781863200,"64065.0","64080.0","64060.0","64075.0","64070.1","1.50000000",12],
    [1781863260,"64075.0","64090.0","64070.0","64085.0","64080.1","0.00000000",0],
    [1781863500,"64120.0","64130.0","64100.1","64123.4","64110.0","0.75000000",5]],"last":1781863440}}"#;

fn span() -> Span {
    Span { from: FROM, to: FROM + Duration::minutes(6) }
}

async fn fetch(mode: Mode, symbol: &str) -> (Result<Vec<Candle>, UpstreamFailure>, StubUpstream) {
    let stub = StubUpstream::start().await;
    stub.set_mode(Provider::Kraken, mode);
    let settings = KrakenSettings { base_url: stub.kraken_url(), timeout: StdDuration::from_secs(1) };
    let provider = KrakenCandles::new(&settings, Arc::new(StoppedClock::at(NOW))).expect("valid settings");
    assert_eq!(provider.source(), Source::Kraken);
    (provider.candles(&Symbol::try_new(symbol).expect("a symbol"), Interval::Minute, span()).await, stub)
}

#[tokio::test]
async fn the_last_row_is_not_over_yet() {
    let (candles, stub) = fetch(Mode::status(200, OHLC), "BTC").await;
    let candles = candles.unwrap();
    assert_eq!(candles.iter().map(|candle| candle.closed).collect::<Vec<_>>(), [true, true, false]);
    let Candle { open, high, low, close, volume, .. } = candles[2];
    assert_eq!([open, high, low, close].map(|price| price.usd().to_string()), ["64120", "64130", "64100.1", "64123.4"]);
    assert_eq!(volume.unwrap().to_string(), "0.75");
    let request = &stub.requests()[0];
    let asked = [request.query("pair"), request.query("interval"), request.query("since")];
    assert_eq!(asked, [Some("XBTUSD"), Some("1"), Some("1781863199")], "rows are those after `since`");
}

#[tokio::test]
async fn an_error_is_one_even_with_status_200_and_beside_a_result() {
    let beside = OHLC.replace(r#""error":[]"#, r#""error":["EAPI:Rate limit exceeded"]"#);
    for (mode, symbol, class) in [
        (Mode::status(200, &beside), "BTC", FailureClass::Quota { retry_after: None }),
        (Mode::Ok, "NOPE", FailureClass::Data),
        (Mode::status(200, r#"{"error":[],"result":{"last":1}}"#), "BTC", FailureClass::Data),
        (Mode::status(200, r#"{"error":["EService:Busy"]}"#), "BTC", FailureClass::Transient { retryable: true }),
        (Mode::TruncatedJson, "BTC", FailureClass::Transient { retryable: false }),
        (Mode::Hang, "BTC", FailureClass::Transient { retryable: false }),
    ] {
        assert_eq!(fetch(mode, symbol).await.0.unwrap_err().class, class, "{symbol}");
    }
}

#[test]
fn only_the_last_720_rows_are_ever_there() {
    let provider = KrakenCandles::new(&KrakenSettings::default(), Arc::new(StoppedClock::at(NOW))).expect("valid settings");
    let window = provider.window(Interval::Minute).unwrap();
    assert_eq!((window.longest, window.reach), (Duration::minutes(719), Some(Duration::minutes(719))));
}
