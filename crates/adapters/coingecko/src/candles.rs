//! CoinGecko's past prices: `/coins/{id}/ohlc`.

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
use coinlink_upstream::{ExactDecimal, InvalidSettings, Upstream, candle_row};
use serde::Deserialize;
use time::Duration;
use tokio::sync::Mutex;

use crate::{CoinGeckoSettings, errors};

/// What one question brings: CoinGecko decides by the number of days how long its rows are.
struct Offer {
    days: &'static str,
    reach: Duration,
    row: Duration,
}

/// Rows of half an hour for a day, of four hours for thirty days; both divide an interval of ours.
const fn offer(interval: Interval) -> Option<Offer> {
    match interval {
        Interval::Hour => Some(Offer { days: "1", reach: Duration::hours(24), row: Duration::minutes(30) }),
        Interval::Day => Some(Offer { days: "30", reach: Duration::days(30), row: Duration::hours(4) }),
        Interval::Minute | Interval::FiveMinutes => None,
    }
}

/// CoinGecko's candles, in US dollars, without volumes. Each call counts against the plan's budget.
pub struct CoinGeckoCandles {
    upstream: Upstream,
    per_page: String,
    ids: Mutex<HashMap<Symbol, String>>,
}

impl CoinGeckoCandles {
    pub fn new(settings: &CoinGeckoSettings, clock: Arc<dyn Clock>) -> Result<Self, InvalidSettings> {
        let per_page = settings.per_page().to_string();
        Ok(Self { upstream: Upstream::new(settings.upstream(), clock)?, per_page, ids: Mutex::default() })
    }

    /// CoinGecko's name of an asset. Several assets share a symbol; the best ranked is meant. Asked for once, and again when an
    /// asset is new in the list.
    async fn id(&self, symbol: &Symbol) -> Result<String, UpstreamFailure> {
        // Held across the call: whoever comes second would ask for the same.
        let mut ids = self.ids.lock().await;
        if let Some(id) = ids.get(symbol) {
            return Ok(id.clone());
        }
        let query = [("vs_currency", "usd"), ("order", "market_cap_desc"), ("per_page", self.per_page.as_str()), ("page", "1")];
        let body = self.upstream.get(&["coins", "markets"], &query).await?;
        let named: Vec<Named> = body.rows().map_err(|unreadable| self.told(body.bytes(), unreadable))?;
        for Named { id, symbol } in named {
            // What goes into a path of ours is a name, and nothing that leads elsewhere.
            let is_name = !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
            if let (true, Ok(symbol)) = (is_name, Symbol::try_new(&symbol)) {
                ids.entry(symbol).or_insert(id);
            }
        }
        ids.get(symbol).cloned().ok_or_else(|| self.upstream.failure(FailureClass::Data, "the asset is not in the list"))
    }

    fn told(&self, body: &[u8], unreadable: UpstreamFailure) -> UpstreamFailure {
        errors::read(body).map_or(unreadable, |told| self.upstream.refused(&told))
    }
}

#[async_trait]
impl CandleProvider for CoinGeckoCandles {
    fn source(&self) -> Source {
        Source::CoinGecko
    }

    fn window(&self, interval: Interval) -> Option<HistoryWindow> {
        offer(interval).map(|offer| HistoryWindow { longest: offer.reach, reach: Some(offer.reach) })
    }

    async fn candles(&self, symbol: &Symbol, interval: Interval, span: Span) -> Result<Vec<Candle>, UpstreamFailure> {
        let Some(offer) = offer(interval) else {
            return Err(self.upstream.failure(FailureClass::Data, "no candles of this interval"));
        };
        let id = self.id(symbol).await?;
        let query = [("vs_currency", "usd"), ("days", offer.days), ("precision", "full")];
        let body = self.upstream.get(&["coins", &id, "ohlc"], &query).await?;
        let rows: Vec<Row> = body.rows().map_err(|unreadable| self.told(body.bytes(), unreadable))?;
        let candles = rows.iter().filter_map(candle);
        Ok(normalise(candles, Stamp::Close, offer.row, interval, span, self.upstream.now()))
    }
}

/// An asset as `/coins/markets` names it.
#[derive(Deserialize)]
struct Named {
    id: String,
    symbol: String,
}

/// `[time, open, high, low, close]`; time is that of the close, in milliseconds.
type Row = Vec<ExactDecimal>;

fn candle(row: &Row) -> Option<CandleRow> {
    let [time, open, high, low, close, ..] = row[..] else { return None };
    candle_row(time.millis(), [open, high, low, close], None)
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
                let _ = coinlink_upstream::rows::<Named>(&bytes);
            }
        }
    }
}
