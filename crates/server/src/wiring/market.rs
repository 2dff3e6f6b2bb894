//! The market beside the ticker.

use std::sync::Arc;

use coinlink_application::market::{CandleRetention, MarketAdapters, MarketUseCases, PruneCandles, RecordCandles, RecordPolicy};
use coinlink_ports::market::CandleStore;
use coinlink_postgres::{Database, SqlCandles};
use time::Duration;
use tokio::task::{JoinHandle, JoinSet};

use super::{
    ContextParts,
    bulletins::{BulletinJobs, asks_for_news, bulletins, periods},
    history::{HistoryJob, history},
};
use crate::{
    cli::Feed,
    config::Settings,
    jobs::{Led, prune_candles, record_candles},
    serve::StartError,
    telemetry::Metrics,
};

/// The market beside the ticker, put together.
pub struct Market {
    pub use_cases: MarketUseCases,
    pub jobs: MarketJobs,
}

/// What runs beside requests.
pub struct MarketJobs {
    record: RecordCandles,
    prune: PruneCandles,
    bulletins: BulletinJobs,
    history: Option<HistoryJob>,
    metrics: Metrics,
}

impl MarketJobs {
    /// Starts each of them; some work only while this node leads. What is answered has something to finish when the node ends.
    pub fn spawn(self, jobs: &mut JoinSet<()>, led: &mut Led) -> JoinHandle<()> {
        jobs.spawn(prune_candles(self.prune, led.leading(), self.metrics.clone()));
        self.bulletins.spawn(jobs, led);
        if let Some(history) = self.history {
            history.spawn(jobs, led);
        }
        tokio::spawn(record_candles(self.record, led.ticks("candles"), led.leading(), self.metrics))
    }
}

fn retention(settings: &Settings) -> CandleRetention {
    let days = |days: u32| Duration::days(i64::from(days));
    let history = &settings.history;
    CandleRetention {
        minutes: days(history.minutes_days),
        five_minutes: days(history.five_minutes_days),
        hours: days(history.hours_days),
    }
}

/// Price history: that of the real market, or that of the made-up one.
pub(super) fn candles(parts: &ContextParts<'_>) -> Arc<dyn CandleStore> {
    candles_in(parts, parts.database.clone())
}

fn candles_in(parts: &ContextParts<'_>, database: Database) -> Arc<dyn CandleStore> {
    let of = if parts.feed == Feed::Simulated { SqlCandles::made_up } else { SqlCandles::new };
    Arc::new(of(database))
}

/// All of it.
pub fn market(parts: &ContextParts<'_>) -> Result<Market, StartError> {
    let ContextParts { settings, metrics, broadcaster, around, .. } = *parts;
    let clock = || Arc::clone(&around.clock);
    let candles = candles(parts);
    let filled = Arc::clone(&candles);
    let in_jobs = candles_in(parts, parts.database.for_jobs());
    let adapters = MarketAdapters {
        prices: Arc::new(broadcaster.clone()),
        candles,
        periods: periods(settings),
        asks_for_news: asks_for_news(parts),
        clock: clock(),
    };
    let use_cases = MarketUseCases::new(adapters);
    let jobs = MarketJobs {
        record: RecordCandles::new(Arc::clone(&in_jobs), clock(), RecordPolicy::default()),
        prune: PruneCandles::new(in_jobs, clock(), retention(settings)),
        bulletins: bulletins(parts, &use_cases.bulletins)?,
        history: history(parts, &filled)?,
        metrics: metrics.clone(),
    };
    Ok(Market { use_cases, jobs })
}
