//! What the assistant brings up by itself: what is going on in the market, and what may be asked.

use std::{cmp::Reverse, sync::Arc};

use rust_decimal::Decimal;
use time::OffsetDateTime;

use super::figures::{percent, signed, usd, whole_usd};
use crate::market::{FearGreed, MarketTotals, News, NewsSource, Tick, TickItem, Trending};

/// How a prompt is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PromptKind {
    /// Red: worth a look now.
    Alert,
    /// Blue: what is so.
    Report,
    /// Amber: what may be asked.
    Insight,
}

impl PromptKind {
    /// As on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::Report => "report",
            Self::Insight => "insight",
        }
    }
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// How it is shown.
    pub kind: PromptKind,
    /// What it is about: `market`, `price`, `mover`, `sentiment`, `news`, `trending`, `alerts`, `data` or `question`.
    pub subtype: &'static str,
    /// A few words.
    pub title: Arc<str>,
    /// What it says; may be put to the assistant as it is.
    pub content: Arc<str>,
    /// When what it says was so.
    pub at: OffsetDateTime,
}

/// What is known when prompts are made. What is not known is not brought up.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    /// The newest prices, and whether they are old.
    pub prices: Option<(&'a Tick, bool)>,
    /// The newest headlines.
    pub news: Option<&'a News>,
    /// The market's mood.
    pub fear_greed: Option<&'a FearGreed>,
    /// The whole market's figures.
    pub totals: Option<&'a MarketTotals>,
    /// What people search for.
    pub trending: Option<&'a Trending>,
    /// The moment of what does not age.
    pub now: OffsetDateTime,
}

/// There are always at least so many.
pub const FEWEST_PROMPTS: usize = 12;

/// A change within 24 hours that is worth an alert, percent.
const BIG_MOVE: Decimal = Decimal::from_parts(5, 0, 0, false, 0);
/// Of each kind that comes in numbers.
const MOVERS: usize = 3;
const HEADLINES: usize = 3;

/// What may always be asked; enough by itself.
const QUESTIONS: [(&str, &str); FEWEST_PROMPTS] = [
    ("Bitcoin now", "What is the price of bitcoin?"),
    ("Today's range", "What are the high and the low of bitcoin today?"),
    ("Set an alert", "How do I set a price alert?"),
    ("Market summary", "Give me a summary of the market."),
    ("The mood", "What is the market's sentiment?"),
    ("Headlines", "What is in the news?"),
    ("Gainers", "Which coins gained most in the last 24 hours?"),
    ("Losers", "Which coins lost most in the last 24 hours?"),
    ("Ethereum", "How did ETH change in the last 24 hours?"),
    ("Compare", "Compare BTC and ETH."),
    ("My alerts", "Which alerts do I have?"),
    ("What you can ask", "What can you tell me?"),
];

/// What to bring up, the most important first.
#[must_use]
pub fn prompts(scene: &Scene<'_>) -> Vec<Prompt> {
    let mut made = Vec::with_capacity(2 * FEWEST_PROMPTS);
    let lines = scene.prices.map_or(&[][..], |(tick, _)| &tick.items[..]);
    made.extend(made_up(scene));
    made.extend(outdated(scene));
    let (gains, losses) = movers(lines);
    made.extend(gains.iter().chain(&losses).filter(|(_, change)| change.abs() >= BIG_MOVE).map(|&mover| big(mover)));
    made.extend(market(scene));
    made.extend(scene.fear_greed.map(mood));
    made.extend(list_of("Top gainers", &gains));
    made.extend(list_of("Top losers", &losses));
    let headlines = scene.news.into_iter().flat_map(|news| news.articles.iter().map(move |article| (news.source, article)));
    made.extend(headlines.take(HEADLINES).map(|(source, article)| {
        let (kind, title) = match source {
            NewsSource::NewsApi => (PromptKind::Report, format!("News: {}", article.publisher)),
            NewsSource::Curated => (PromptKind::Insight, format!("Worth reading: {}", article.publisher)),
        };
        prompt(kind, "news", title, article.title.to_string(), article.published_at.unwrap_or(scene.now))
    }));
    made.extend(scene.trending.and_then(|trending| searched(trending, scene.now)));
    let ask = |(title, content): &(&str, &str)| {
        let subtype = if content.contains("alert") { "alerts" } else { "question" };
        prompt(PromptKind::Insight, subtype, (*title).to_owned(), (*content).to_owned(), scene.now)
    };
    made.extend(QUESTIONS.iter().map(ask));
    made
}

fn prompt(kind: PromptKind, subtype: &'static str, title: String, content: String, at: OffsetDateTime) -> Prompt {
    Prompt { kind, subtype, title: title.into(), content: content.into(), at }
}

/// That prices are of no real market: nothing after it could be taken for one.
fn made_up(scene: &Scene<'_>) -> Option<Prompt> {
    let first = scene.prices?.0.items.iter().find(|item| !item.quote.source.is_real())?;
    let content = "Prices here are simulated: made up for a demonstration, of no real market.".to_owned();
    Some(prompt(PromptKind::Alert, "data", "Simulated prices".to_owned(), content, first.quote.as_of))
}

/// That prices are old, or that there are none.
fn outdated(scene: &Scene<'_>) -> Option<Prompt> {
    let (content, at) = match scene.prices.map(|(tick, stale)| (tick.as_of, stale)) {
        Some((Some(_), false)) => return None,
        Some((Some(as_of), true)) => {
            let at = as_of.to_offset(time::UtcOffset::UTC);
            let (date, hour, minute) = (at.date(), at.hour(), at.minute());
            (format!("Prices are as of {date} {hour:02}:{minute:02} UTC: no newer ones came."), as_of)
        }
        Some((None, _)) | None => ("No prices have been received yet.".to_owned(), scene.now),
    };
    Some(prompt(PromptKind::Alert, "data", "Prices are not current".to_owned(), content, at))
}

type Mover<'a> = (&'a TickItem, Decimal);

/// What gained most and what lost most, each from the far end; nothing whose price is old.
fn movers(lines: &[TickItem]) -> (Vec<Mover<'_>>, Vec<Mover<'_>>) {
    let moved = lines.iter().filter(|item| !item.stale);
    let mut moved: Vec<Mover<'_>> = moved.filter_map(|item| Some((item, item.quote.change_24h?.value()))).collect();
    moved.sort_by_key(|&(_, change)| Reverse(change));
    let gains = moved.iter().filter(|(_, change)| change.is_sign_positive() && !change.is_zero()).take(MOVERS).copied().collect();
    let losses = moved.iter().rev().filter(|(_, change)| change.is_sign_negative() && !change.is_zero()).take(MOVERS);
    (gains, losses.copied().collect())
}

fn big((item, change): (&TickItem, Decimal)) -> Prompt {
    let symbol = &item.quote.symbol;
    let verb = if change.is_sign_negative() { "down" } else { "up" };
    let price = usd(item.quote.price.usd());
    let content = format!("{symbol} is {verb} {} in 24 hours, at {price}.", percent(change.abs()));
    prompt(PromptKind::Alert, "mover", format!("{symbol} {}", signed(change)), content, item.quote.as_of)
}

/// Several lines about the whole market.
fn market(scene: &Scene<'_>) -> Option<Prompt> {
    let tick = scene.prices?.0;
    let leads = ["BTC", "ETH", "SOL"].iter().filter_map(|symbol| tick.item(symbol)).collect::<Vec<_>>();
    let first = leads.first()?;
    let mut content: Vec<String> = leads.iter().map(|item| line(item)).collect();
    if let (Some(low), Some(high)) = (first.quote.low_24h, first.quote.high_24h) {
        content.push(format!("{} in 24 hours: {} to {}", first.quote.symbol, usd(low.usd()), usd(high.usd())));
    }
    if let Some(totals) = scene.totals {
        let share = percent(totals.bitcoin_dominance.value());
        content.push(format!("All assets: {}, of which bitcoin {share}", whole_usd(totals.market_cap)));
    }
    let title = "Market report".to_owned();
    Some(prompt(PromptKind::Report, "market", title, content.join("\n"), first.quote.as_of))
}

/// A line of the ticker in words.
fn line(item: &TickItem) -> String {
    let change = item.quote.change_24h.map(|change| format!(" ({})", signed(change.value()))).unwrap_or_default();
    let old = if item.stale { ", an old price" } else { "" };
    format!("{} {}{change}{old}", item.quote.symbol, usd(item.quote.price.usd()))
}

fn mood(index: &FearGreed) -> Prompt {
    let content = format!("The Fear & Greed index is {} of 100: {}.", index.value, index.label);
    prompt(PromptKind::Report, "sentiment", "Market mood".to_owned(), content, index.as_of)
}

fn list_of(title: &str, movers: &[Mover<'_>]) -> Option<Prompt> {
    let newest = movers.iter().map(|(item, _)| item.quote.as_of).max()?;
    let content: Vec<_> = movers.iter().map(|(item, change)| format!("{} {}", item.quote.symbol, signed(*change))).collect();
    Some(prompt(PromptKind::Insight, "mover", title.to_owned(), content.join(", "), newest))
}

fn searched(trending: &Trending, now: OffsetDateTime) -> Option<Prompt> {
    let names: Vec<_> = trending.assets.iter().take(5).map(|asset| asset.symbol.to_string()).collect();
    let content = format!("Searched for most: {}", names.join(", "));
    (!names.is_empty()).then(|| prompt(PromptKind::Insight, "trending", "Trending".to_owned(), content, now))
}

#[cfg(test)]
mod tests;
