use std::{sync::Arc, time::Duration as StdDuration};

use async_trait::async_trait;
use coinlink_domain::{
    market::{
        Source, Symbol,
        candles::{Candle, CandleRow, Interval, Span, Stamp, normalise},
    },
    shared::upstream_failure::UpstreamFailure,
};
use coinlink_ports::{
    market::{CandleProvider, HistoryWindow},
    shared::Clock,
};
use coinlink_upstream::{ExactDecimal, InvalidSettings, Upstream, UpstreamSettings, candle_row};
use time::OffsetDateTime;

use crate::errors;

/// The most rows of one call.
const MOST: i32 = 1_000;

/// How Binance is asked.
#[derive(Debug, Clone)]
pub struct BinanceSettings {
    pub base_url: String,
    pub timeout: StdDuration,
}

impl Default for BinanceSettings {
    fn default() -> Self {
        Self { base_url: "https://api.binance.com".to_owned(), timeout: UpstreamSettings::TIMEOUT }
    }
}

/// Binance's candles, in USDT.
pub struct BinanceCandles {
    upstream: Upstream,
}

impl BinanceCandles {
    pub fn new(settings: &BinanceSettings, clock: Arc<dyn Clock>) -> Result<Self, InvalidSettings> {
        let mut upstream = UpstreamSettings::new("binance", &settings.base_url, errors::read);
        upstream.timeout = settings.timeout;
        upstream.permits = 1;
        Ok(Self { upstream: Upstream::new(upstream, clock)? })
    }
}

#[async_trait]
impl CandleProvider for BinanceCandles {
    fn source(&self) -> Source {
        Source::BinanceUsdt
    }

    fn window(&self, interval: Interval) -> Option<HistoryWindow> {
        Some(HistoryWindow { longest: interval.length() * MOST, reach: None })
    }

    async fn candles(&self, symbol: &Symbol, interval: Interval, span: Span) -> Result<Vec<Candle>, UpstreamFailure> {
        let market = format!("{symbol}USDT");
        let (from, to) = (millis(span.from), millis(span.to) - 1);
        let query = [
            ("symbol", market.as_str()),
            ("interval", interval.name()),
            ("startTime", &from.to_string()),
            // The row that opens at this moment is in the answer too.
            ("endTime", &to.to_string()),
            ("limit", &MOST.to_string()),
        ];
        let body = self.upstream.get(&["api", "v3", "klines"], &query).await?;
        let rows: Vec<Row> = body.rows()?;
        Ok(normalise(rows.iter().filter_map(candle), Stamp::Open, interval.length(), interval, span, self.upstream.now()))
    }
}

const fn millis(at: OffsetDateTime) -> i64 {
    at.unix_timestamp() * 1_000
}

/// `[opened at, open, high, low, close, volume, closes at, …]`; times in milliseconds. Further columns are not looked at.
type Row = Vec<ExactDecimal>;

fn candle(row: &Row) -> Option<CandleRow> {
    let [time, open, high, low, close, volume, ..] = row[..] else { return None };
    candle_row(time.millis(), [open, high, low, close], volume.amount())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_row_panics(bytes: Vec<u8>, text in r#"\[[-0-9.e",\[\]]{0,60}\]"#) {
            for bytes in [bytes, text.into_bytes()] {
                for row in coinlink_upstream::rows::<Row>(&bytes).unwrap_or_default() {
                    let _ = candle(&row);
                }
            }
        }
    }
}
