use async_trait::async_trait;
use coinlink_domain::{
    market::{
        Source, Symbol,
        candles::{Candle, Interval, Span},
    },
    shared::upstream_failure::UpstreamFailure,
};
use time::Duration;

/// What a provider's history may be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryWindow {
    /// The longest time one call may ask for; a multiple of the interval.
    pub longest: Duration,
    /// How far back from now its history goes; `None` where that is to the asset's first day.
    pub reach: Option<Duration>,
}

/// A provider of past prices.
#[async_trait]
pub trait CandleProvider: Send + Sync {
    /// Who it is.
    fn source(&self) -> Source;

    /// What may be asked for of this interval; `None` where it has none.
    fn window(&self, interval: Interval) -> Option<HistoryWindow>;

    /// Candles that open within `span`, oldest first, at most one a time; times without a trade are not in it. `span` is no longer
    /// than the window allows. Fails with the class `Data` where the provider does not list the asset. One call or a few, each
    /// bounded to 3 s; the implementation keeps the pace the provider asks for.
    async fn candles(&self, symbol: &Symbol, interval: Interval, span: Span) -> Result<Vec<Candle>, UpstreamFailure>;
}
