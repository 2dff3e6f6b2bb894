//! A bulletin as it is kept: JSON with a version, decimals as strings, times to the nanosecond. Fields it does not know are passed
//! over, so that a newer node may add some while older ones still run.

use std::sync::Arc;

use coinlink_domain::market::{
    AnyBulletin, Article, Bulletin, BulletinKind, FearGreed, MarketTotals, News, NewsSource, Percent, Price, Source, Symbol,
    Trending, TrendingAsset,
};
use coinlink_ports::shared::BusError;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use time::{OffsetDateTime, UtcOffset, serde::rfc3339};

const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Payload<T> {
    v: u32,
    #[serde(with = "rfc3339")]
    fetched_at: OffsetDateTime,
    content: T,
}

#[derive(Serialize, Deserialize)]
struct NewsContent {
    source: String,
    articles: Vec<ArticleContent>,
}

#[derive(Serialize, Deserialize)]
struct ArticleContent {
    title: Arc<str>,
    url: Arc<str>,
    publisher: Arc<str>,
    summary: Option<Arc<str>>,
    #[serde(with = "rfc3339::option")]
    published_at: Option<OffsetDateTime>,
}

#[derive(Serialize, Deserialize)]
struct MoodContent {
    value: u8,
    label: Arc<str>,
    #[serde(with = "rfc3339")]
    as_of: OffsetDateTime,
    #[serde(with = "rfc3339::option")]
    next_at: Option<OffsetDateTime>,
}

#[derive(Serialize, Deserialize)]
struct TotalsContent {
    market_cap: String,
    volume_24h: String,
    bitcoin_dominance: String,
    active_assets: u32,
    #[serde(with = "rfc3339")]
    as_of: OffsetDateTime,
    source: String,
}

#[derive(Serialize, Deserialize)]
struct TrendingContent {
    source: String,
    assets: Vec<AssetContent>,
}

#[derive(Serialize, Deserialize)]
struct AssetContent {
    id: Arc<str>,
    symbol: String,
    name: Arc<str>,
    price: Option<String>,
    change_24h: Option<String>,
    rank: Option<u32>,
}

pub(crate) fn encode(bulletin: &AnyBulletin) -> Result<Vec<u8>, BusError> {
    let json = match bulletin {
        AnyBulletin::News(bulletin) => written(bulletin, NewsContent::from(&bulletin.content)),
        AnyBulletin::FearGreed(bulletin) => written(bulletin, MoodContent::from(&bulletin.content)),
        AnyBulletin::Totals(bulletin) => written(bulletin, TotalsContent::from(&bulletin.content)),
        AnyBulletin::Trending(bulletin) => written(bulletin, TrendingContent::from(&bulletin.content)),
    };
    json.map_err(|error| BusError(format!("a bulletin that cannot be written: {error}")))
}

fn written<T>(bulletin: &Bulletin<T>, content: impl Serialize) -> serde_json::Result<Vec<u8>> {
    serde_json::to_vec(&Payload { v: VERSION, fetched_at: utc(bulletin.fetched_at), content })
}

pub(crate) fn decode(kind: BulletinKind, payload: &[u8]) -> Result<AnyBulletin, BusError> {
    let read = match kind {
        BulletinKind::News => read(payload, NewsContent::try_into).map(AnyBulletin::News),
        BulletinKind::FearGreed => read(payload, MoodContent::try_into).map(AnyBulletin::FearGreed),
        BulletinKind::Totals => read(payload, TotalsContent::try_into).map(AnyBulletin::Totals),
        BulletinKind::Trending => read(payload, TrendingContent::try_into).map(AnyBulletin::Trending),
    };
    read.map_err(|what| BusError(format!("a bulletin that cannot be read: {what}")))
}

#[derive(Deserialize)]
struct Versioned {
    v: u32,
}

fn read<C: DeserializeOwned, T>(payload: &[u8], content: impl Fn(C) -> Result<T, String>) -> Result<Bulletin<T>, String> {
    let Versioned { v } = serde_json::from_slice(payload).map_err(|error| error.to_string())?;
    if v != VERSION {
        return Err(format!("version {v}"));
    }
    let payload: Payload<C> = serde_json::from_slice(payload).map_err(|error| error.to_string())?;
    Ok(Bulletin { content: content(payload.content)?, fetched_at: payload.fetched_at })
}

fn utc(at: OffsetDateTime) -> OffsetDateTime {
    at.to_offset(UtcOffset::UTC)
}

fn decimal(text: &str) -> Result<Decimal, String> {
    Decimal::from_str_exact(text).map_err(|error| error.to_string())
}

fn source(name: &str) -> Result<Source, String> {
    Source::from_name(name).ok_or_else(|| "an unknown source".into())
}

impl From<&News> for NewsContent {
    fn from(news: &News) -> Self {
        let article = |article: &Article| ArticleContent {
            title: Arc::clone(&article.title),
            url: Arc::clone(&article.url),
            publisher: Arc::clone(&article.publisher),
            summary: article.summary.clone(),
            published_at: article.published_at.map(utc),
        };
        Self { source: news.source.name().to_owned(), articles: news.articles.iter().map(article).collect() }
    }
}

impl TryFrom<NewsContent> for News {
    type Error = String;

    fn try_from(content: NewsContent) -> Result<Self, String> {
        if content.source != NewsSource::NewsApi.name() {
            return Err("an unknown source".into());
        }
        let article = |article: ArticleContent| {
            let ArticleContent { title, url, publisher, summary, published_at } = article;
            // Only what can be followed safely is handed on.
            let web = url.starts_with("https://") || url.starts_with("http://");
            web.then_some(Article { title, url, publisher, summary, published_at }).ok_or("an address that is none of the web")
        };
        Ok(Self { source: NewsSource::NewsApi, articles: content.articles.into_iter().map(article).collect::<Result<_, _>>()? })
    }
}

impl From<&FearGreed> for MoodContent {
    fn from(mood: &FearGreed) -> Self {
        Self { value: mood.value, label: Arc::clone(&mood.label), as_of: utc(mood.as_of), next_at: mood.next_at.map(utc) }
    }
}

impl TryFrom<MoodContent> for FearGreed {
    type Error = String;

    fn try_from(content: MoodContent) -> Result<Self, String> {
        let MoodContent { value, label, as_of, next_at } = content;
        if value > 100 { Err("a mood beyond 100".into()) } else { Ok(Self { value, label, as_of, next_at }) }
    }
}

impl From<&MarketTotals> for TotalsContent {
    fn from(totals: &MarketTotals) -> Self {
        Self {
            market_cap: totals.market_cap.to_string(),
            volume_24h: totals.volume_24h.to_string(),
            bitcoin_dominance: totals.bitcoin_dominance.value().to_string(),
            active_assets: totals.active_assets,
            as_of: utc(totals.as_of),
            source: totals.source.name().to_owned(),
        }
    }
}

impl TryFrom<TotalsContent> for MarketTotals {
    type Error = String;

    fn try_from(content: TotalsContent) -> Result<Self, String> {
        Ok(Self {
            market_cap: decimal(&content.market_cap)?,
            volume_24h: decimal(&content.volume_24h)?,
            bitcoin_dominance: Percent::new(decimal(&content.bitcoin_dominance)?),
            active_assets: content.active_assets,
            as_of: content.as_of,
            source: source(&content.source)?,
        })
    }
}

impl From<&Trending> for TrendingContent {
    fn from(trending: &Trending) -> Self {
        let asset = |asset: &TrendingAsset| AssetContent {
            id: Arc::clone(&asset.id),
            symbol: asset.symbol.as_str().to_owned(),
            name: Arc::clone(&asset.name),
            price: asset.price.map(|price| price.usd().to_string()),
            change_24h: asset.change_24h.map(|change| change.value().to_string()),
            rank: asset.rank,
        };
        Self { source: trending.source.name().to_owned(), assets: trending.assets.iter().map(asset).collect() }
    }
}

impl TryFrom<TrendingContent> for Trending {
    type Error = String;

    fn try_from(content: TrendingContent) -> Result<Self, String> {
        let price = |text: &str| Price::try_new(decimal(text)?).map_err(|error| error.to_string());
        let asset = |asset: AssetContent| {
            Ok::<_, String>(TrendingAsset {
                symbol: Symbol::try_new(&asset.symbol).map_err(|error| error.to_string())?,
                price: asset.price.as_deref().map(price).transpose()?,
                change_24h: asset.change_24h.as_deref().map(decimal).transpose()?.map(Percent::new),
                id: asset.id,
                name: asset.name,
                rank: asset.rank,
            })
        };
        Ok(Self { source: source(&content.source)?, assets: content.assets.into_iter().map(asset).collect::<Result<_, _>>()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use coinlink_testkit::market::{NOON, a_mood, fetched, some_news, some_totals, some_trending};
    use proptest::prelude::*;

    fn one_of_each() -> [AnyBulletin; 4] {
        [
            AnyBulletin::News(fetched(some_news(3), NOON)),
            AnyBulletin::FearGreed(fetched(a_mood(39), NOON)),
            AnyBulletin::Totals(fetched(some_totals(), NOON)),
            AnyBulletin::Trending(fetched(some_trending(3), NOON)),
        ]
    }

    fn altered(bulletin: &AnyBulletin, pointer: &str, value: serde_json::Value) -> Result<AnyBulletin, BusError> {
        let mut json: serde_json::Value = serde_json::from_slice(&encode(bulletin).unwrap()).unwrap();
        *json.pointer_mut(pointer).unwrap() = value;
        decode(bulletin.kind(), &serde_json::to_vec(&json).unwrap())
    }

    #[test]
    fn fields_of_a_newer_node_are_passed_over_and_other_versions_refused() {
        for bulletin in one_of_each() {
            let mut json: serde_json::Value = serde_json::from_slice(&encode(&bulletin).unwrap()).unwrap();
            json["content"]["weather"] = "fine".into();
            assert_eq!(decode(bulletin.kind(), &serde_json::to_vec(&json).unwrap()).unwrap(), bulletin);
            assert_eq!(altered(&bulletin, "/v", 2.into()).unwrap_err().0, "a bulletin that cannot be read: version 2");
        }
    }

    #[test]
    fn a_value_that_no_bulletin_can_hold_is_refused() {
        let [news, mood, totals, trending] = one_of_each();
        for (bulletin, pointer, value) in [
            (&news, "/content/articles/0/url", "javascript:alert(1)"),
            (&news, "/content/source", "curated"),
            (&mood, "/fetched_at", "yesterday"),
            (&totals, "/content/market_cap", "much"),
            (&totals, "/content/source", "binance"),
            (&trending, "/content/assets/1/price", "0"),
            (&trending, "/content/assets/1/symbol", "<b>"),
        ] {
            assert!(altered(bulletin, pointer, value.into()).is_err(), "{pointer} = {value}");
        }
        assert!(altered(&mood, "/content/value", 101.into()).is_err());
    }

    proptest! {
        #[test]
        fn any_figures_come_back_as_they_were(mantissa: i64, scale in 0_u32..=28, active: u32, value in 0_u8..=100, nanos in 0_i64..999_999_999) {
            let at = NOON + time::Duration::nanoseconds(nanos);
            let figure = Decimal::new(mantissa, scale);
            let totals = MarketTotals { market_cap: figure, bitcoin_dominance: Percent::new(figure), active_assets: active, ..some_totals() };
            for bulletin in [AnyBulletin::Totals(fetched(totals, at)), AnyBulletin::FearGreed(fetched(a_mood(value), at))] {
                prop_assert_eq!(decode(bulletin.kind(), &encode(&bulletin).unwrap()).unwrap(), bulletin);
            }
        }

        #[test]
        fn any_bytes_are_a_bulletin_or_an_error(bytes: Vec<u8>, at in any::<prop::sample::Index>(), with: u8, cut in any::<prop::sample::Index>()) {
            for bulletin in one_of_each() {
                let _ = decode(bulletin.kind(), &bytes);
                let mut damaged = encode(&bulletin).unwrap();
                let at = at.index(damaged.len());
                damaged[at] = with;
                damaged.truncate(cut.index(damaged.len()) + 1);
                let _ = decode(bulletin.kind(), &damaged);
            }
        }
    }
}
