//! Coinbase Exchange's past prices: `/products/{id}/candles`.

use std::sync::Arc;

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
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

use super::{CoinbaseSettings, pacing::Pacing};
use crate::product::{product_id, read_error};

/// The most rows of one call; a call that asks for more is refused.
const MOST: i32 = 300;

/// Coinbase Exchange's candles, in US dollars. Times without a trade are not in its answers.
pub struct CoinbaseCandles {
    upstream: Upstream,
    pacing: Pacing,
}

impl CoinbaseCandles {
    pub fn new(settings: &CoinbaseSettings, clock: Arc<dyn Clock>) -> Result<Self, InvalidSettings> {
        let mut upstream = UpstreamSettings::new("coinbase", &settings.base_url, read_error);
        upstream.timeout = settings.timeout;
        Ok(Self { upstream: Upstream::new(upstream, clock)?, pacing: Pacing::new() })
    }
}

#[async_trait]
impl CandleProvider for CoinbaseCandles {
    fn source(&self) -> Source {
        Source::Coinbase
    }

    fn window(&self, interval: Interval) -> Option<HistoryWindow> {
        Some(HistoryWindow { longest: interval.length() * MOST, reach: None })
    }

    async fn candles(&self, symbol: &Symbol, interval: Interval, span: Span) -> Result<Vec<Candle>, UpstreamFailure> {
        self.pacing.turn().await;
        let granularity = interval.length().whole_seconds().to_string();
        // The row that opens at `end` is in the answer too.
        let (start, end) = (moment(span.from), moment(span.to - Duration::SECOND));
        let query = [("granularity", granularity.as_str()), ("start", &start), ("end", &end)];
        let body = self.upstream.get(&["products", &product_id(symbol), "candles"], &query).await?;
        let rows: Vec<Row> = body.rows()?;
        Ok(normalise(rows.iter().filter_map(candle), Stamp::Open, interval.length(), interval, span, self.upstream.now()))
    }
}

/// Whole seconds: the calendar's ends aside, which no price is from, this cannot fail.
fn moment(at: OffsetDateTime) -> String {
    at.format(&Rfc3339).unwrap_or_default()
}

/// `[time, low, high, open, close, volume]`: low and high before open and close. Time is that of the opening, in seconds.
type Row = Vec<ExactDecimal>;

fn candle(row: &Row) -> Option<CandleRow> {
    let [time, low, high, open, close, ref rest @ ..] = row[..] else { return None };
    // The documentation names five columns, the answers have six.
    let volume = rest.first().and_then(|volume| volume.amount());
    candle_row(time.seconds(), [open, high, low, close], volume)
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
