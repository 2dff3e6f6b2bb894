use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use coinlink_domain::{
    market::{Quote, QuoteBatch, Source, Symbol},
    shared::upstream_failure::{FailureClass, UpstreamFailure},
};
use coinlink_ports::{market::PriceProvider, shared::Clock};
use coinlink_upstream::{InvalidSettings, Upstream, UpstreamSettings, graver};
use futures_util::{StreamExt, stream};
use tokio::time::{Instant, timeout_at};

use super::{pacing::Pacing, stats::Stats};
use crate::product::{product_id, read_error};

/// Requests at the same time.
const CONCURRENT: usize = 4;
/// How long a product that was not found is not asked for again.
const FORGET_UNLISTED: Duration = Duration::from_hours(1);

/// How Coinbase Exchange is asked.
#[derive(Debug, Clone)]
pub struct CoinbaseSettings {
    pub base_url: String,
    /// For one request, and for one whole fetch: what has come by then is the answer.
    pub timeout: Duration,
    /// The most symbols of one fetch: at ten requests a second, forty fit between two ticks of 5 s.
    pub limit: usize,
}

impl Default for CoinbaseSettings {
    fn default() -> Self {
        Self { base_url: "https://api.exchange.coinbase.com".to_owned(), timeout: UpstreamSettings::TIMEOUT, limit: 40 }
    }
}

/// Coinbase Exchange's last trades and 24-hour figures.
pub struct CoinbasePrices {
    upstream: Upstream,
    pacing: Pacing,
    timeout: Duration,
    limit: usize,
    unlisted: Mutex<HashMap<Symbol, Instant>>,
}

impl CoinbasePrices {
    pub fn new(settings: &CoinbaseSettings, clock: Arc<dyn Clock>) -> Result<Self, InvalidSettings> {
        let mut upstream = UpstreamSettings::new("coinbase", &settings.base_url, read_error);
        upstream.timeout = settings.timeout;
        upstream.permits = CONCURRENT;
        Ok(Self {
            upstream: Upstream::new(upstream, clock)?,
            pacing: Pacing::new(),
            timeout: settings.timeout,
            limit: settings.limit,
            unlisted: Mutex::default(),
        })
    }

    fn listed(&self, symbols: &[Symbol]) -> Vec<Symbol> {
        let mut unlisted = self.unlisted.lock().unwrap_or_else(PoisonError::into_inner);
        unlisted.retain(|_, since| since.elapsed() < FORGET_UNLISTED);
        symbols.iter().filter(|symbol| !unlisted.contains_key(symbol)).take(self.limit).cloned().collect()
    }

    /// `None` where the product is there and has no usable price.
    async fn ask(&self, symbol: Symbol) -> Result<Option<Quote>, UpstreamFailure> {
        self.pacing.turn().await;
        let body = self.upstream.get(&["products", &product_id(&symbol), "stats"], &[]).await?;
        Ok(body.json::<Stats>()?.into_quote(symbol, self.upstream.now()))
    }
}

#[async_trait]
impl PriceProvider for CoinbasePrices {
    fn source(&self) -> Source {
        Source::Coinbase
    }

    async fn fetch(&self, symbols: &[Symbol]) -> Result<QuoteBatch, UpstreamFailure> {
        let deadline = Instant::now() + self.timeout;
        let wanted = self.listed(symbols);
        let asks = wanted.iter().cloned().enumerate();
        let asks = stream::iter(asks).map(|(place, symbol)| async move { (place, self.ask(symbol).await) });
        let mut answers = asks.buffer_unordered(CONCURRENT);
        let mut round = Round::default();
        while !round.is_over() {
            match timeout_at(deadline, answers.next()).await {
                Ok(Some((place, answer))) => round.take(place, answer),
                Ok(None) => break,
                Err(_) => {
                    let late = FailureClass::Transient { retryable: false };
                    round.failed(self.upstream.failure(late, &format!("no answer within {:?}", self.timeout)));
                    break;
                }
            }
        }
        if round.answered {
            let mut unlisted = self.unlisted.lock().unwrap_or_else(PoisonError::into_inner);
            unlisted.extend(round.not_found.iter().filter_map(|&place| Some((wanted.get(place)?.clone(), Instant::now()))));
        }
        if round.answered && round.quotes.is_empty() {
            round.failed(self.upstream.failure(FailureClass::Transient { retryable: false }, "no usable price in any answer"));
        }
        let failure = round.failure.take();
        QuoteBatch::collect(Source::Coinbase, round.into_quotes())
            .ok_or_else(|| failure.unwrap_or_else(|| self.upstream.failure(FailureClass::Data, "none of the symbols is listed")))
    }
}

/// What the products of one fetch answered.
#[derive(Default)]
struct Round {
    quotes: Vec<(usize, Quote)>,
    /// Believed only when another product was found: an address at which nothing is found is a wrong address.
    not_found: Vec<usize>,
    answered: bool,
    failure: Option<UpstreamFailure>,
}

impl Round {
    fn take(&mut self, place: usize, answer: Result<Option<Quote>, UpstreamFailure>) {
        match answer {
            Ok(quote) => {
                self.answered = true;
                self.quotes.extend(quote.map(|quote| (place, quote)));
            }
            Err(failure) => {
                if failure.class == FailureClass::Data {
                    self.not_found.push(place);
                }
                self.failed(failure);
            }
        }
    }

    fn failed(&mut self, failure: UpstreamFailure) {
        if self.failure.as_ref().is_none_or(|known| graver(known.class, failure.class) != known.class) {
            self.failure = Some(failure);
        }
    }

    /// Whoever is told to stop asking, stops.
    fn is_over(&self) -> bool {
        matches!(&self.failure, Some(UpstreamFailure { class: FailureClass::Quota { .. } | FailureClass::Config, .. }))
    }

    /// In the order they were asked for.
    fn into_quotes(mut self) -> impl Iterator<Item = Quote> {
        self.quotes.sort_by_key(|(place, _)| *place);
        self.quotes.into_iter().map(|(_, quote)| quote)
    }
}
