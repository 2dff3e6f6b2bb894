//! `GET /api/bitcoin/news`: headlines, or primers where there are none.

use actix_web::web::{Data, Query};
use coinlink_application::market::{ReadNews, ShownNews};
use coinlink_domain::market::{Article, NewsSource};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    http::{ApiError, Conditional, conditional::Unchanged, lists::read_number},
    wire::{millis, rfc3339},
};

const LIMIT: usize = 10;
const MOST: usize = 100;
/// They are fetched every fifteen minutes.
const CACHE: &str = "public, max-age=300";

/// How many headlines.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct NewsQuery {
    /// At most so many.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = 10)]
    limit: Option<String>,
}

/// Headlines.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct NewsBody {
    /// The newest first; primers in the order in which they are best read.
    #[schema(max_items = 100)]
    articles: Vec<ArticleBody>,
    /// How many these are.
    #[schema(maximum = 100)]
    count: usize,
    /// `newsapi`, or `curated` for primers that come with the program.
    #[schema(pattern = "^(newsapi|curated)$")]
    source: &'static str,
    /// When this was made, to the minute.
    #[schema(format = DateTime)]
    timestamp: String,
    /// When the headlines were fetched; null for primers.
    #[schema(format = DateTime)]
    fetched_at: Option<String>,
    /// Milliseconds between `fetched_at` and `timestamp`.
    age_ms: Option<i64>,
    /// They are older than half an hour: fetching them fails.
    stale: bool,
    /// Who should tell news and cannot: `newsapi`. Null where all is well, and where no key is set.
    unavailable: Option<&'static str>,
}

/// One of them.
#[derive(Serialize, ToSchema)]
struct ArticleBody {
    /// Plain text.
    title: String,
    /// An address of the web.
    #[schema(pattern = "^https?://")]
    url: String,
    /// Who published it, or `curated` for primers.
    source: String,
    /// Null where it does not age, or nobody says.
    #[schema(format = DateTime)]
    published_at: Option<String>,
    /// Plain text; null where there is none.
    summary: Option<String>,
}

impl ArticleBody {
    fn new(article: &Article, source: NewsSource) -> Self {
        let publisher = match source {
            NewsSource::NewsApi => article.publisher.as_ref(),
            NewsSource::Curated => source.name(),
        };
        Self {
            title: article.title.as_ref().to_owned(),
            url: article.url.as_ref().to_owned(),
            source: publisher.to_owned(),
            published_at: article.published_at.map(rfc3339),
            summary: article.summary.as_deref().map(str::to_owned),
        }
    }
}

impl NewsBody {
    fn new(shown: &ShownNews, limit: usize) -> Self {
        let news = match shown {
            ShownNews::Fetched(shown) => &shown.bulletin.content,
            ShownNews::Primers { news, .. } => news,
        };
        let articles: Vec<_> = news.articles.iter().take(limit).map(|article| ArticleBody::new(article, news.source)).collect();
        let (count, source) = (articles.len(), news.source.name());
        let newsapi = NewsSource::NewsApi.name();
        match shown {
            ShownNews::Fetched(shown) => Self {
                articles,
                count,
                source,
                timestamp: rfc3339(shown.at),
                fetched_at: Some(rfc3339(shown.bulletin.fetched_at)),
                age_ms: Some(millis(shown.age)),
                stale: shown.stale,
                unavailable: shown.stale.then_some(newsapi),
            },
            ShownNews::Primers { at, unavailable, .. } => Self {
                articles,
                count,
                source,
                timestamp: rfc3339(*at),
                fetched_at: None,
                age_ms: None,
                stale: false,
                unavailable: unavailable.then_some(newsapi),
            },
        }
    }
}

/// Headlines about bitcoin and other assets like it.
///
/// Fetched for all nodes every fifteen minutes. Without a key, and until the first came, these are primers that last, marked
/// `curated`. Texts are plain: show them as text.
#[utoipa::path(
    get,
    path = "/api/bitcoin/news",
    tag = "market",
    operation_id = "bitcoin_news",
    params(NewsQuery),
    responses(
        (status = 200, description = "The newest that are known", body = NewsBody),
        Unchanged,
        (status = 400, description = "`invalid_query`: `limit` is not 1 to 100")
    )
)]
pub(in crate::http) async fn news(read: Data<ReadNews>, query: Query<NewsQuery>) -> Result<Conditional, ApiError> {
    let limit = read_number("limit", query.limit.as_deref(), LIMIT, 1..=MOST)?;
    Ok(Conditional::shared("news", &NewsBody::new(&read.execute(), limit), CACHE))
}
