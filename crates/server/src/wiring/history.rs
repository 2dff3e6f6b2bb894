//! Who is asked for past prices.

use std::{sync::Arc, time::Duration as StdDuration};

use coinlink_application::market::{FillHistory, FillHistoryParts, HistoryDepth};
use coinlink_binance::{BinanceCandles, BinanceSettings};
use coinlink_coinbase::{CoinbaseCandles, CoinbaseSettings};
use coinlink_coingecko::CoinGeckoCandles;
use coinlink_domain::market::{Source, candles::Interval};
use coinlink_kraken::{KrakenCandles, KrakenSettings};
use coinlink_ports::market::{CandleProvider, CandleStore};
use coinlink_postgres::SqlHistoryGaps;
use time::Duration;
use tokio::task::JoinSet;

use super::{ContextParts, coingecko};
use crate::{
    cli::Feed,
    jobs::{Led, fill_history},
    serve::StartError,
    telemetry::Metrics,
};

/// What front ends show: a day by the minute, a week by five, a quarter by the hour, and years by the day.
fn depth() -> HistoryDepth {
    HistoryDepth(vec![
        (Interval::Minute, Duration::DAY),
        (Interval::FiveMinutes, Duration::WEEK),
        (Interval::Hour, Duration::days(90)),
        (Interval::Day, Duration::days(5 * 365)),
    ])
}

/// Filling, where it is switched on.
pub(super) struct HistoryJob {
    fill: FillHistory,
    pace: StdDuration,
    metrics: Metrics,
}

impl HistoryJob {
    pub(super) fn spawn(self, jobs: &mut JoinSet<()>, led: &Led) {
        jobs.spawn(fill_history(self.fill, led.leading(), self.pace, self.metrics));
    }
}

/// `None` where it is switched off, and in a made-up world.
pub(super) fn history(parts: &ContextParts<'_>, store: &Arc<dyn CandleStore>) -> Result<Option<HistoryJob>, StartError> {
    let ContextParts { settings, shared, database, around, metrics, broadcaster, .. } = *parts;
    if !settings.history.fill || parts.feed == Feed::Simulated {
        return Ok(None);
    }
    let providers = settings.history.providers.iter().map(|&source| provider(source, parts)).collect::<Result<_, _>>()?;
    let fill = FillHistory::new(FillHistoryParts {
        providers,
        metering: vec![(Source::CoinGecko, settings.coingecko.quota())],
        ledger: Arc::clone(&shared.ledger),
        store: Arc::clone(store),
        gaps: Arc::new(SqlHistoryGaps::new(database.clone())),
        prices: Arc::new(broadcaster.clone()),
        clock: Arc::clone(&around.clock),
        depth: depth(),
    });
    let pace = StdDuration::from_millis(settings.history.pace_ms);
    Ok(Some(HistoryJob { fill, pace, metrics: metrics.clone() }))
}

fn provider(source: Source, parts: &ContextParts<'_>) -> Result<Arc<dyn CandleProvider>, StartError> {
    let ContextParts { settings, around, .. } = *parts;
    let clock = Arc::clone(&around.clock);
    Ok(match source {
        Source::Coinbase => {
            let coinbase = CoinbaseSettings { base_url: settings.coinbase.base_url.clone(), ..CoinbaseSettings::default() };
            Arc::new(CoinbaseCandles::new(&coinbase, clock)?)
        }
        Source::Kraken => {
            let kraken = KrakenSettings { base_url: settings.kraken.base_url.clone(), ..KrakenSettings::default() };
            Arc::new(KrakenCandles::new(&kraken, clock)?)
        }
        Source::CoinGecko => Arc::new(CoinGeckoCandles::new(&coingecko(settings), clock)?),
        Source::BinanceUsdt => {
            let binance = BinanceSettings { base_url: settings.binance.base_url.clone(), ..BinanceSettings::default() };
            Arc::new(BinanceCandles::new(&binance, clock)?)
        }
        Source::CoinbaseLive | Source::Simulated => return Err(StartError::NotPolled(source.name())),
    })
}
