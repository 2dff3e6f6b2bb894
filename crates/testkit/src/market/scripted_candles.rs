use std::sync::Mutex;

use async_trait::async_trait;
use coinlink_domain::{
    market::{
        Source, Symbol,
        candles::{Candle, Interval, Span},
    },
    shared::upstream_failure::{FailureClass, UpstreamFailure},
};
use coinlink_ports::market::{CandleProvider, HistoryWindow};
use time::{Duration, OffsetDateTime};

use crate::shared::lock;

/// A provider of past prices that has a still candle of every time but of some, and fails as it is told to.
pub struct ScriptedCandles {
    source: Source,
    window: HistoryWindow,
    price: coinlink_domain::market::Price,
    unlisted: Vec<Symbol>,
    without: Vec<Span>,
    failures: Mutex<Vec<FailureClass>>,
    calls: Mutex<Vec<(Symbol, Interval, Span)>>,
}

impl ScriptedCandles {
    /// One whose history has no end; `longest` is that of a call, in candles.
    pub fn new(source: Source, longest: i32, price: coinlink_domain::market::Price) -> Self {
        let window = HistoryWindow { longest: Duration::SECOND * longest, reach: None };
        Self {
            source,
            window,
            price,
            unlisted: Vec::new(),
            without: Vec::new(),
            failures: Mutex::default(),
            calls: Mutex::default(),
        }
    }

    /// Does not list this asset.
    #[must_use]
    pub fn not_listing(mut self, symbol: Symbol) -> Self {
        self.unlisted.push(symbol);
        self
    }

    /// Has nothing of this time.
    #[must_use]
    pub fn without(mut self, span: Span) -> Self {
        self.without.push(span);
        self
    }

    /// Fails the next call.
    pub fn fail(&self, class: FailureClass) {
        lock(&self.failures).push(class);
    }

    /// What it was asked.
    pub fn calls(&self) -> Vec<(Symbol, Interval, Span)> {
        lock(&self.calls).clone()
    }

    fn has(&self, open_at: OffsetDateTime) -> bool {
        !self.without.iter().any(|span| span.from <= open_at && open_at < span.to)
    }
}

#[async_trait]
impl CandleProvider for ScriptedCandles {
    fn source(&self) -> Source {
        self.source
    }

    fn window(&self, interval: Interval) -> Option<HistoryWindow> {
        let candles = i32::try_from(self.window.longest.whole_seconds()).unwrap_or(i32::MAX);
        Some(HistoryWindow { longest: interval.length() * candles, ..self.window })
    }

    async fn candles(&self, symbol: &Symbol, interval: Interval, span: Span) -> Result<Vec<Candle>, UpstreamFailure> {
        lock(&self.calls).push((symbol.clone(), interval, span));
        if let Some(class) = lock(&self.failures).pop() {
            return Err(UpstreamFailure::new(class, "as it was told to"));
        }
        if self.unlisted.contains(symbol) {
            return Err(UpstreamFailure::new(FailureClass::Data, "not listed"));
        }
        let (mut open_at, mut candles) = (span.from, Vec::new());
        while open_at < span.to {
            if self.has(open_at) {
                candles.push(Candle { closed: true, ..Candle::first(open_at, self.price) });
            }
            open_at += interval.length();
        }
        Ok(candles)
    }
}
