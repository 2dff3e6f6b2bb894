//! Kraken's past prices: `/OHLC`.

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use coinlink_domain::{
    market::{
        Source, Symbol,
        candles::{Candle, CandleRow, Interval, Span, Stamp, normalise},
    },
    shared::upstream_failure::{FailureClass, UpstreamFailure},
};
use coinlink_ports::{
    market::{CandleProvider, HistoryWindow},
    shared::Clock,
};
use coinlink_upstream::{ExactDecimal, InvalidSettings, Upstream, UpstreamSettings, candle_row, lenient, rows};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{KrakenSettings, errors, names};

/// The rows Kraken keeps, whatever is asked for: the last ones, of which the very last is still open.
const KEPT: i32 = 720;

/// Kraken's candles, in US dollars.
pub struct KrakenCandles {
    upstream: Upstream,
}

impl KrakenCandles {
    pub fn new(settings: &KrakenSettings, clock: Arc<dyn Clock>) -> Result<Self, InvalidSettings> {
        let mut upstream = UpstreamSettings::new("kraken", &settings.base_url, errors::read);
        upstream.timeout = settings.timeout;
        upstream.permits = 1;
        Ok(Self { upstream: Upstream::new(upstream, clock)? })
    }
}

#[async_trait]
impl CandleProvider for KrakenCandles {
    fn source(&self) -> Source {
        Source::Kraken
    }

    fn window(&self, interval: Interval) -> Option<HistoryWindow> {
        let kept = interval.length() * (KEPT - 1);
        Some(HistoryWindow { longest: kept, reach: Some(kept) })
    }

    async fn candles(&self, symbol: &Symbol, interval: Interval, span: Span) -> Result<Vec<Candle>, UpstreamFailure> {
        let pair = names::usd_pair(symbol.as_str());
        let minutes = interval.length().whole_minutes().to_string();
        // Rows after this moment: the first wanted one opens one second later.
        let since = (span.from.unix_timestamp() - 1).to_string();
        let query = [("pair", pair.as_str()), ("interval", &minutes), ("since", &since)];
        let body = self.upstream.get(&["OHLC"], &query).await?;
        let now = self.upstream.now();
        let answer: Answer<'_> = body.json()?;
        if let Some(told) = errors::told(answer.error.as_deref().unwrap_or_default(), Some(now)) {
            return Err(self.upstream.refused(&told));
        }
        let result = answer.result.ok_or_else(|| body.unusable("neither an error nor a result"))?;
        // The one pair that was asked for, under Kraken's own name, beside `last`.
        let mut pairs = result.iter().filter(|(name, _)| *name != "last");
        let (Some((_, table)), None) = (pairs.next(), pairs.next()) else {
            return Err(self.upstream.failure(FailureClass::Data, "another answer than the pair that was asked for"));
        };
        let rows: Vec<Row> = rows(table.get().as_bytes()).map_err(|_| body.unusable("no table of rows"))?;
        Ok(normalise(rows.iter().filter_map(candle), Stamp::Open, interval.length(), interval, span, now))
    }
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(default, deserialize_with = "lenient")]
    error: Option<Vec<String>>,
    #[serde(default, borrow)]
    result: Option<HashMap<String, &'a RawValue>>,
}

/// `[time, open, high, low, close, weighted average, volume, trades]`; time is that of the opening, in seconds.
type Row = Vec<ExactDecimal>;

fn candle(row: &Row) -> Option<CandleRow> {
    let [time, open, high, low, close, _, volume, ..] = row[..] else { return None };
    candle_row(time.seconds(), [open, high, low, close], volume.amount())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_answer_panics(bytes: Vec<u8>, text in r#"[\[\]{}",:0-9a-z.]{0,80}"#) {
            for body in [bytes, format!(r#"{{"error":[],"result":{{"XXBTZUSD":{text}}}}}"#).into_bytes()] {
                if let Ok(Answer { result: Some(result), .. }) = serde_json::from_slice::<Answer<'_>>(&body) {
                    for row in result.values().filter_map(|table| rows::<Row>(table.get().as_bytes()).ok()).flatten() {
                        let _ = candle(&row);
                    }
                }
            }
        }
    }
}
