//! Frames beside the ticker: what one user is told, headlines, and the price of Bitcoin for clients of the first backend.

use coinlink_domain::{
    assistant::Prompt,
    market::{Article, NewsSource, Percent, Price, Source},
    notifications::alerts::FiredAlert,
};
use coinlink_ports::notifications::LiveEvent;
use rust_decimal::Decimal;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Said, Shown, exact, exact_option, json, rfc3339};
use crate::http::NotificationBody;

#[derive(Serialize)]
struct Told<'a, T> {
    #[serde(rename = "type")]
    kind: &'static str,
    data: T,
    timestamp: &'a str,
}

fn told(kind: Said, data: impl Serialize, timestamp: &str) -> Vec<u8> {
    json(&Told { kind: kind.name(), data, timestamp })
}

/// What the sockets of its user are sent of `event`, told at `now`: one frame, or two of an alert, for front ends show nothing but
/// the second.
pub fn live_frames(event: &LiveEvent, now: OffsetDateTime) -> Vec<Vec<u8>> {
    let now = rfc3339(now);
    match event {
        LiveEvent::Notice(notification) => vec![told(Said::Notification, NotificationBody::from(notification.clone()), &now)],
        LiveEvent::AlertFired(fired) => {
            let alert = Fired::of(fired);
            let bubble = json(&Bubble { kind: Said::AgentMessage.name(), content: &alert.message, timestamp: &now });
            vec![told(Said::PriceAlert, &alert, &now), bubble]
        }
    }
}

/// Top level, as the front end reads it.
#[derive(Serialize)]
struct Bubble<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    content: &'a str,
    timestamp: &'a str,
}

#[derive(Serialize)]
struct Fired<'a> {
    alert_id: Uuid,
    notification_id: Uuid,
    symbol: &'a str,
    condition: &'static str,
    /// US dollars; of a move there is none.
    #[serde(serialize_with = "exact_option")]
    target_price: Option<Decimal>,
    /// Of a move: per cent.
    #[serde(serialize_with = "exact_option")]
    target_percent: Option<Decimal>,
    #[serde(serialize_with = "exact")]
    current_price: Decimal,
    /// Whose price it is; null where nobody kept it.
    source: Option<&'static str>,
    direction: &'static str,
    message: String,
    triggered_at: String,
}

impl<'a> Fired<'a> {
    fn of(fired: &'a FiredAlert) -> Self {
        let FiredAlert { condition, symbol, price, .. } = fired;
        let of_price = condition.price().map(Price::usd);
        Self {
            alert_id: fired.rule.0,
            notification_id: fired.notification.0,
            symbol: symbol.as_str(),
            condition: condition.name(),
            target_price: of_price,
            target_percent: of_price.is_none().then(|| condition.target()),
            current_price: price.usd(),
            source: fired.source.map(Source::name),
            direction: fired.direction(),
            message: fired.message(),
            triggered_at: rfc3339(fired.at),
        }
    }
}

#[derive(Serialize)]
struct News<'a> {
    id: Uuid,
    headline: &'a str,
    summary: Option<&'a str>,
    url: &'a str,
    source: &'a str,
    category: &'static str,
    published_at: Option<String>,
    timestamp: &'a str,
    /// No source says.
    importance: Option<&'static str>,
}

#[derive(Serialize)]
struct PromptItem<'a> {
    kind: &'static str,
    subtype: &'static str,
    title: &'a str,
    content: &'a str,
    timestamp: String,
}

impl<'a> From<&'a Prompt> for PromptItem<'a> {
    fn from(prompt: &'a Prompt) -> Self {
        let Prompt { kind, subtype, title, content, at } = prompt;
        Self { kind: kind.name(), subtype, title, content, timestamp: rfc3339(*at) }
    }
}

/// The `prompt_feed` frame.
pub fn prompt_feed(prompts: &[Prompt], now: OffsetDateTime) -> Vec<u8> {
    let items: Vec<PromptItem<'_>> = prompts.iter().map(Into::into).collect();
    told(Said::PromptFeed, items, &rfc3339(now))
}

/// The same headline has the same id on every node.
fn id_of(article: &Article) -> Uuid {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&Sha256::digest(article.url.as_bytes())[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

/// The `market_news` frame of one headline.
pub fn market_news(article: &Article, source: NewsSource, now: OffsetDateTime) -> Vec<u8> {
    let now = rfc3339(now);
    let headline = News {
        id: id_of(article),
        headline: &article.title,
        summary: article.summary.as_deref(),
        url: &article.url,
        source: &article.publisher,
        category: match source {
            NewsSource::NewsApi => "news",
            NewsSource::Curated => "curated",
        },
        published_at: article.published_at.map(rfc3339),
        timestamp: &now,
        importance: None,
    };
    told(Said::MarketNews, headline, &now)
}

#[derive(Serialize)]
struct Bitcoin<'a> {
    #[serde(serialize_with = "exact")]
    price: Decimal,
    /// Per cent, as everywhere.
    #[serde(serialize_with = "exact_option")]
    change_24h: Option<Decimal>,
    #[serde(serialize_with = "exact_option")]
    change_percent_24h: Option<Decimal>,
    #[serde(serialize_with = "exact_option")]
    volume_24h: Option<Decimal>,
    #[serde(serialize_with = "exact_option")]
    market_cap: Option<Decimal>,
    timestamp: &'a str,
    source: &'static str,
    as_of: String,
    status: &'static str,
}

impl Shown<'_> {
    /// The `bitcoin_price` frame; `None` while no price of BTC was ever known.
    pub fn bitcoin_price(&self) -> Option<Vec<u8>> {
        let item = self.tick.item("BTC")?;
        let (quote, now) = (&item.quote, rfc3339(self.at));
        let change = quote.change_24h.map(Percent::value);
        let bitcoin = Bitcoin {
            price: quote.price.usd(),
            change_24h: change,
            change_percent_24h: change,
            volume_24h: quote.volume_24h,
            market_cap: quote.market_cap,
            timestamp: &now,
            source: quote.source.name(),
            as_of: rfc3339(quote.as_of),
            status: if item.stale || self.replay > 0 { "stale" } else { "live" },
        };
        Some(told(Said::BitcoinPrice, bitcoin, &now))
    }
}
