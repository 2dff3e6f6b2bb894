//! Answers about the whole market.

use std::cmp::Reverse;

use super::{
    money::{ago, large, percent, price, share, source},
    prices::{OLD, line, origin, unlisted},
    reply::{Reply, with_symbol},
};
use crate::{
    assistant::{Facts, Intent, Question, plain::one_line},
    market::{NewsSource, Percent, Symbol, TickItem, primers},
};

/// Lines where nobody says how many.
const LINES: usize = 5;
const HEADLINES: usize = 3;

/// Assets whose price does not move are no winners and no losers.
const STABLE: [&str; 7] = ["USDT", "USDC", "DAI", "BUSD", "TUSD", "USDS", "USD1"];

fn no_prices() -> Reply {
    Reply::of("I have no prices yet. Please ask again in a moment.")
}

/// Listed assets by their change, the best first.
fn by_change(facts: &Facts) -> Vec<(&TickItem, Percent)> {
    let changed = facts.items().iter().filter(|item| !STABLE.contains(&item.quote.symbol.as_str()));
    let mut changed: Vec<_> = changed.filter_map(|item| item.quote.change_24h.map(|change| (item, change))).collect();
    changed.sort_by_key(|(_, change)| Reverse(*change));
    changed
}

fn list_as_of(facts: &Facts, reply: &mut Reply) {
    let Some(tick) = &facts.tick else { return };
    if let (Some(as_of), Some(from)) = (tick.as_of, tick.source) {
        reply.is_of(as_of);
        let old = if facts.stale { format!(" {OLD}") } else { String::new() };
        reply.add(&format!("Prices of {} assets, {}, {}.{old}", tick.items.len(), ago(facts.now, as_of), source(from)));
    }
}

pub(super) fn movers(question: &Question, facts: &Facts) -> Reply {
    if facts.items().is_empty() {
        return no_prices();
    }
    let changes = by_change(facts);
    if changes.is_empty() {
        return Reply::of("I do not know who moved most: the source says no changes.");
    }
    let count = question.count.unwrap_or(LINES);
    let told = |(item, change): &(&TickItem, Percent)| {
        format!("{}: {} at {}", with_symbol(item), percent(*change), price(item.quote.price))
    };
    let mut reply = Reply::default();
    if matches!(question.intent, Intent::Gainers | Intent::Movers) {
        let risen: Vec<_> = changes
            .iter()
            .filter(|(_, change)| change.value().is_sign_positive() && !change.value().is_zero())
            .take(count)
            .map(told)
            .collect();
        reply.add(if risen.is_empty() { "Nothing in my list rose in 24 hours." } else { "Rose most in 24 hours:" });
        reply.add_all(&risen);
    }
    if matches!(question.intent, Intent::Losers | Intent::Movers) {
        let fallen: Vec<_> = changes
            .iter()
            .rev()
            .filter(|(_, change)| change.value().is_sign_negative() && !change.value().is_zero())
            .take(count)
            .map(told)
            .collect();
        reply.add(if fallen.is_empty() { "Nothing in my list fell in 24 hours." } else { "Fell most in 24 hours:" });
        reply.add_all(&fallen);
    }
    list_as_of(facts, &mut reply);
    reply
}

pub(super) fn summary(facts: &Facts) -> Reply {
    let mut reply = Reply::default();
    if let Some(totals) = &facts.totals {
        let content = &totals.content;
        reply.add(&format!(
            "The whole market: {} market cap, {} traded in 24 hours, Bitcoin's share {}, {} assets, {}, {}.",
            large(content.market_cap),
            large(content.volume_24h),
            share(content.bitcoin_dominance),
            content.active_assets,
            ago(facts.now, content.as_of),
            source(content.source),
        ));
        reply.is_of(content.as_of);
    } else {
        reply.add("The figures of the whole market are not known right now.");
    }
    for symbol in ["BTC", "ETH"] {
        let item = Symbol::try_new(symbol).ok().and_then(|symbol| facts.item(&symbol));
        if let Some(item) = item {
            reply.add(&line(facts, item));
            reply.is_of(item.quote.as_of);
        }
    }
    let changes = by_change(facts);
    if changes.is_empty() && facts.items().is_empty() {
        reply.add("I have no prices yet.");
    }
    if let (Some((best, up)), Some((worst, down))) = (changes.first(), changes.last()) {
        let rising = changes.iter().filter(|(_, change)| change.value() > rust_decimal::Decimal::ZERO).count();
        reply.add(&format!(
            "Of {} assets {rising} rose in 24 hours. Best: {} ({}). Worst: {} ({}).",
            changes.len(),
            best.quote.symbol,
            percent(*up),
            worst.quote.symbol,
            percent(*down)
        ));
    }
    if facts.fear_greed.is_some() {
        reply.extend(&fear_greed(facts));
    }
    reply
}

pub(super) fn dominance(question: &Question, facts: &Facts) -> Reply {
    let Some(totals) = &facts.totals else {
        return Reply::of("Bitcoin's share of the whole market is not known right now.");
    };
    let content = &totals.content;
    let told = format!(
        "Bitcoin's share of the whole market: {}, {}, {}.",
        share(content.bitcoin_dominance),
        ago(facts.now, content.as_of),
        source(content.source)
    );
    let mut reply = Reply::dated(told, content.as_of);
    if question.assets.iter().any(|symbol| *symbol != Symbol::btc()) || question.unknown_asset.is_some() {
        reply.add("I know the share of Bitcoin only.");
    }
    reply
}

fn fear_greed(facts: &Facts) -> Reply {
    let Some(bulletin) = &facts.fear_greed else { return Reply::of("The Fear & Greed index is not known right now.") };
    let content = &bulletin.content;
    let told = format!(
        "Fear & Greed index: {} of 100, {}, of {}, Alternative.me.",
        content.value,
        one_line(&content.label),
        content.as_of.date()
    );
    Reply::dated(told, content.as_of)
}

pub(super) fn mood(facts: &Facts) -> Reply {
    let mut reply = fear_greed(facts);
    match &facts.mood {
        Some(mood) => {
            let score = mood.score.round_dp(2);
            reply.add(&format!(
                "Sentiment of Bitcoin's market, from headlines, this index and the price: {} ({score} from -1 to 1), {}.",
                one_line(&mood.label),
                ago(facts.now, mood.as_of)
            ));
            reply.is_of(mood.as_of);
        }
        None => reply.add("The sentiment of headlines is not known right now."),
    }
    if let Some(item) = facts.item(&Symbol::btc()) {
        reply.add(&line(facts, item));
        reply.is_of(item.quote.as_of);
    }
    reply
}

pub(super) fn news(question: &Question, facts: &Facts) -> Reply {
    let Some(bulletin) = facts.news.as_ref().filter(|news| !news.content.articles.is_empty()) else {
        let count = question.count.unwrap_or(HEADLINES);
        let mut reply = Reply::of("I know no headlines right now. These are lasting primers, no news:");
        for primer in primers().articles.iter().take(count) {
            reply.add(&format!("{} ({})", one_line(&primer.title), one_line(&primer.publisher)));
        }
        return reply;
    };
    let told = |article: &crate::market::Article| {
        let when = article.published_at.map(|at| format!(", {}", ago(facts.now, at))).unwrap_or_default();
        format!("{} ({}{when})", one_line(&article.title), one_line(&article.publisher))
    };
    let articles = &bulletin.content.articles;
    let names: Vec<String> = question.assets.iter().flat_map(|symbol| names_of(facts, symbol)).collect();
    let is_about = |article: &&crate::market::Article| {
        let text = format!("{} {}", article.title, article.summary.as_deref().unwrap_or_default()).to_lowercase();
        names.iter().any(|name| {
            text.split(|c: char| !c.is_alphanumeric()).any(|word| word == name)
                || (name.contains(' ') && text.contains(name.as_str()))
        })
    };
    let count = question.count.unwrap_or(HEADLINES);
    let about: Vec<String> = articles.iter().filter(is_about).take(count).map(told).collect();
    let mut reply = Reply::default();
    reply.add(match bulletin.content.source {
        NewsSource::NewsApi if about.is_empty() && !names.is_empty() => "No headline of mine names it. The latest ones:",
        NewsSource::NewsApi => "The latest headlines:",
        NewsSource::Curated => "I follow no news right now; these are lasting primers:",
    });
    let chosen = if about.is_empty() { articles.iter().take(count).map(told).collect() } else { about };
    reply.add_all(&chosen);
    if bulletin.content.source == NewsSource::NewsApi {
        reply.add(&format!("Fetched {} from NewsAPI.", ago(facts.now, bulletin.fetched_at)));
        reply.is_of(bulletin.fetched_at);
    }
    reply
}

fn names_of(facts: &Facts, symbol: &Symbol) -> Vec<String> {
    let mut names = vec![symbol.as_str().to_lowercase()];
    if let Some(item) = facts.item(symbol) {
        names.push(super::reply::name(item).to_lowercase());
    }
    names
}

pub(super) fn trending(facts: &Facts) -> Reply {
    let Some(bulletin) = facts.trending.as_ref().filter(|trending| !trending.content.assets.is_empty()) else {
        return Reply::of("I do not know what people search for right now.");
    };
    let mut reply = Reply::of("What people search for most:");
    for asset in bulletin.content.assets.iter().take(LINES) {
        let cost = asset.price.map(|at| format!(", {}", price(at))).unwrap_or_default();
        let change = asset.change_24h.map(|change| format!(" ({} in 24 hours)", percent(change))).unwrap_or_default();
        reply.add(&format!("{} ({}){cost}{change}", one_line(&asset.name), asset.symbol));
    }
    reply.add(&format!("Fetched {} from {}.", ago(facts.now, bulletin.fetched_at), source(bulletin.content.source)));
    reply.is_of(bulletin.fetched_at);
    reply
}

pub(super) fn compare(question: &Question, facts: &Facts) -> Reply {
    let mut reply = Reply::default();
    let mut known: Vec<&TickItem> = Vec::new();
    for symbol in &question.assets {
        match facts.item(symbol) {
            Some(item) => {
                let cap = item.quote.market_cap.map(|cap| format!(" Market cap {}.", large(cap))).unwrap_or_default();
                reply.add(&format!("{}{cap}", line(facts, item)));
                reply.is_of(item.quote.as_of);
                known.push(item);
            }
            None => reply.add(&unlisted(facts, symbol.as_str())),
        }
    }
    let mut changes: Vec<_> = known.iter().filter_map(|item| item.quote.change_24h.map(|change| (change, *item))).collect();
    changes.sort_by_key(|(change, _)| Reverse(*change));
    match changes.as_slice() {
        [(most, best), .., (least, worst)] if most > least => {
            let apart = Percent::new((most.value() - least.value()).abs());
            let points = percent(apart).trim_start_matches('+').trim_end_matches('%').to_owned();
            reply.add(&format!(
                "Over 24 hours {} did better than {}, by {points} percentage points.",
                best.quote.symbol, worst.quote.symbol
            ));
        }
        [_, _, ..] => reply.add("Over 24 hours they did equally well."),
        _ => {}
    }
    reply
}

pub(super) fn origins(question: &Question, facts: &Facts) -> Reply {
    let mut reply = Reply::default();
    match &facts.tick {
        Some(tick) if !tick.items.is_empty() => list_as_of(facts, &mut reply),
        _ => reply.add("I have no prices yet."),
    }
    for item in question.assets.iter().filter_map(|symbol| facts.item(symbol)) {
        reply.add(&format!("{}: {}.", with_symbol(item), origin(facts, item)));
        reply.is_of(item.quote.as_of);
    }
    let fetched = |what: &str, at: Option<time::OffsetDateTime>| match at {
        Some(at) => format!("{what}: fetched {}.", ago(facts.now, at)),
        None => format!("{what}: none right now."),
    };
    reply.add(&fetched("Headlines (NewsAPI, or primers of ours)", facts.news.as_ref().map(|news| news.fetched_at)));
    reply.add(&fetched("Fear & Greed index (Alternative.me)", facts.fear_greed.as_ref().map(|index| index.fetched_at)));
    reply.add(&fetched("Market totals", facts.totals.as_ref().map(|totals| totals.fetched_at)));
    reply.add("Every figure I state comes from these, with its age; I make none up.");
    reply
}
