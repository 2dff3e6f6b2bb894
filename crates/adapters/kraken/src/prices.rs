use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use coinlink_domain::{
    market::{QuoteBatch, Source, Symbol},
    shared::upstream_failure::{FailureClass, UpstreamFailure},
};
use coinlink_ports::{market::PriceProvider, shared::Clock};
use coinlink_upstream::{InvalidSettings, Upstream, UpstreamSettings};

use crate::{errors, ticker};

/// How Kraken is asked.
#[derive(Debug, Clone)]
pub struct KrakenSettings {
    pub base_url: String,
    pub timeout: Duration,
}

impl Default for KrakenSettings {
    fn default() -> Self {
        Self { base_url: "https://api.kraken.com/0/public".to_owned(), timeout: UpstreamSettings::TIMEOUT }
    }
}

/// Kraken's last trades. Every pair in one call: naming the wanted ones would fail the whole call for one unknown name.
pub struct KrakenPrices {
    upstream: Upstream,
}

impl KrakenPrices {
    pub fn new(settings: &KrakenSettings, clock: Arc<dyn Clock>) -> Result<Self, InvalidSettings> {
        let mut upstream = UpstreamSettings::new("kraken", &settings.base_url, errors::read);
        upstream.timeout = settings.timeout;
        Ok(Self { upstream: Upstream::new(upstream, clock)? })
    }
}

#[async_trait]
impl PriceProvider for KrakenPrices {
    fn source(&self) -> Source {
        Source::Kraken
    }

    async fn fetch(&self, symbols: &[Symbol]) -> Result<QuoteBatch, UpstreamFailure> {
        let body = self.upstream.get(&["Ticker"], &[]).await?;
        let received = self.upstream.now();
        let answer: ticker::Answer<'_> = body.json()?;
        // An error is a failure even beside a result.
        if let Some(told) = errors::told(answer.error.as_deref().unwrap_or_default(), Some(received)) {
            return Err(self.upstream.refused(&told));
        }
        let result = answer.result.ok_or_else(|| body.unusable("neither an error nor a result"))?;
        if result.is_empty() {
            return Err(body.unusable("no pair in the answer"));
        }
        QuoteBatch::collect(Source::Kraken, ticker::quotes(&result, symbols, received))
            .ok_or_else(|| self.upstream.failure(FailureClass::Data, "no usable price for any of the symbols"))
    }
}
