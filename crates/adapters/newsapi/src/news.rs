use std::{cmp::Reverse, collections::HashSet, sync::Arc, time::Duration};

use async_trait::async_trait;
use coinlink_domain::{
    market::{News, NewsSource},
    shared::upstream_failure::UpstreamFailure,
};
use coinlink_ports::{market::NewsProvider, shared::Clock};
use coinlink_upstream::{ApiKey, HeaderName, InvalidSettings, Upstream, UpstreamSettings, rows};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{article::Row, errors};

/// What is looked for, in titles and descriptions.
const QUERY: &str = "bitcoin OR crypto OR cryptocurrency OR ethereum";
/// The most that NewsAPI gives in one page; some rows are of no use.
const PAGE_SIZE: &str = "100";

/// How NewsAPI is asked.
#[derive(Debug, Clone)]
pub struct NewsApiSettings {
    pub key: SecretString,
    pub base_url: String,
    pub timeout: Duration,
}

impl NewsApiSettings {
    pub const BASE_URL: &str = "https://newsapi.org";

    /// The public host, with this key.
    pub fn new(key: SecretString) -> Self {
        Self { key, base_url: Self::BASE_URL.to_owned(), timeout: UpstreamSettings::TIMEOUT }
    }
}

/// The newest headlines: one call for up to a hundred of them.
pub struct NewsApi {
    upstream: Upstream,
}

impl NewsApi {
    pub fn new(settings: NewsApiSettings, clock: Arc<dyn Clock>) -> Result<Self, InvalidSettings> {
        let mut upstream = UpstreamSettings::new("newsapi", settings.base_url, errors::read);
        upstream.key = Some(ApiKey { header: HeaderName::from_static("x-api-key"), value: settings.key });
        upstream.timeout = settings.timeout;
        Ok(Self { upstream: Upstream::new(upstream, clock)? })
    }
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    articles: &'a RawValue,
}

#[async_trait]
impl NewsProvider for NewsApi {
    async fn fetch(&self) -> Result<News, UpstreamFailure> {
        let query = [
            ("q", QUERY),
            ("searchIn", "title,description"),
            ("language", "en"),
            ("sortBy", "publishedAt"),
            ("pageSize", PAGE_SIZE),
        ];
        let body = self.upstream.get(&["v2", "everything"], &query).await?;
        if let Some(told) = errors::read(body.bytes()) {
            return Err(self.upstream.refused(&told));
        }
        let answer: Answer<'_> = body.json()?;
        let rows: Vec<Row> = rows(answer.articles.get().as_bytes()).map_err(|_| body.unusable("the articles are no list"))?;
        let received = self.upstream.now();
        let mut seen = HashSet::new();
        let articles = rows.into_iter().filter_map(|row| row.into_article(received));
        let mut articles: Vec<_> = articles.filter(|article| seen.insert(Arc::clone(&article.url))).collect();
        articles.sort_by_key(|article| Reverse(article.published_at));
        if articles.is_empty() {
            return Err(body.unusable("no usable article in the answer"));
        }
        Ok(News { source: NewsSource::NewsApi, articles: articles.into() })
    }
}
