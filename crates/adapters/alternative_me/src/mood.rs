use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use coinlink_domain::{
    market::FearGreed,
    shared::upstream_failure::{FailureClass, UpstreamFailure},
};
use coinlink_ports::{market::MoodProvider, shared::Clock};
use coinlink_upstream::{InvalidSettings, ProviderError, Upstream, UpstreamSettings, rows};
use serde_json::value::RawValue;

use crate::index::{Answer, Row};

/// How alternative.me is asked.
#[derive(Debug, Clone)]
pub struct AlternativeMeSettings {
    pub base_url: String,
    pub timeout: Duration,
}

impl Default for AlternativeMeSettings {
    fn default() -> Self {
        Self { base_url: "https://api.alternative.me".to_owned(), timeout: UpstreamSettings::TIMEOUT }
    }
}

/// Today's index.
pub struct AlternativeMe {
    upstream: Upstream,
}

impl AlternativeMe {
    pub fn new(settings: AlternativeMeSettings, clock: Arc<dyn Clock>) -> Result<Self, InvalidSettings> {
        let mut upstream = UpstreamSettings::new("alternative_me", settings.base_url, read_error);
        upstream.timeout = settings.timeout;
        Ok(Self { upstream: Upstream::new(upstream, clock)? })
    }
}

/// `{"metadata":{"error":"…"}}`.
fn read_error(body: &[u8]) -> Option<ProviderError> {
    let answer: Answer<'_> = serde_json::from_slice(body).ok()?;
    let error = answer.error()?;
    Some(ProviderError { class: None, message: error.trim_matches('"').to_owned() })
}

#[async_trait]
impl MoodProvider for AlternativeMe {
    async fn fetch(&self) -> Result<FearGreed, UpstreamFailure> {
        // `date_format` would turn the timestamp into a text of some country: it is never sent.
        let body = self.upstream.get(&["fng", ""], &[("limit", "1"), ("format", "json")]).await?;
        if let Some(told) = read_error(body.bytes()) {
            return Err(self.upstream.failure(FailureClass::Transient { retryable: false }, &told.message));
        }
        let answer: Answer<'_> = body.json()?;
        let rows: Vec<Row> =
            rows(answer.data.map_or("null", RawValue::get).as_bytes()).map_err(|_| body.unusable("the days are no list"))?;
        let received = self.upstream.now();
        // The newest comes first.
        let newest = rows.into_iter().next().and_then(|row| row.into_index(received));
        newest.ok_or_else(|| body.unusable("no usable index in the answer"))
    }
}
