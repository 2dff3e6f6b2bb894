//! Answers about single assets.

use std::fmt::Write as _;

use super::{
    money::{ago, large, percent, price, source},
    reply::{Reply, name, with_symbol},
};
use crate::{
    assistant::{Facts, Period, Question, facts::Past},
    market::{Symbol, TickItem},
};

/// `3 s ago, CoinGecko`
pub(in crate::assistant) fn origin(facts: &Facts, item: &TickItem) -> String {
    format!("{}, {}", ago(facts.now, item.quote.as_of), source(item.quote.source))
}

/// What is said after a price that is older than it should be.
pub(super) const OLD: &str = "This is older than it should be: nothing newer has come from the source.";

/// `Bitcoin (BTC): $97,012.34 (+1.25% in 24 hours), 3 s ago, CoinGecko.`
pub(super) fn line(facts: &Facts, item: &TickItem) -> String {
    let change = item.quote.change_24h.map(|change| format!(" ({} in 24 hours)", percent(change))).unwrap_or_default();
    let mut line = format!("{}: {}{change}, {}.", with_symbol(item), price(item.quote.price), origin(facts, item));
    if facts.is_old(item) {
        let _ = write!(line, " {OLD}");
    }
    line
}

/// One part for each asset that was named, or for Bitcoin where none was.
pub(super) fn each(question: &Question, facts: &Facts, say: impl Fn(&Facts, &TickItem) -> String) -> Reply {
    let mut reply = Reply::default();
    if let Some(unknown) = &question.unknown_asset {
        reply.add(&unlisted(facts, unknown));
    }
    let bitcoin = [Symbol::btc()];
    let assets: &[Symbol] = match (&question.unknown_asset, question.assets.as_slice()) {
        (None, []) => {
            reply.add("You named no asset, so here is Bitcoin.");
            &bitcoin
        }
        (_, assets) => assets,
    };
    for symbol in assets {
        match facts.item(symbol) {
            Some(item) => {
                reply.add(&say(facts, item));
                reply.is_of(item.quote.as_of);
            }
            None => reply.add(&unlisted(facts, symbol.as_str())),
        }
    }
    reply
}

/// An asset that has no line.
pub(super) fn unlisted(facts: &Facts, symbol: &str) -> String {
    match facts.items().len() {
        0 => format!("I have no prices yet, so I cannot say anything of {symbol}. Please ask again in a moment."),
        1 => format!("I know no price of {symbol}: it is not in the list I follow."),
        known => format!("I know no price of {symbol}: it is not among the {known} assets I follow."),
    }
}

pub(super) fn prices(question: &Question, facts: &Facts) -> Reply {
    let mut reply = each(question, facts, line);
    if question.other_money {
        reply.add("I know prices in US dollars only.");
    }
    reply
}

pub(super) fn changes(question: &Question, facts: &Facts) -> Reply {
    each(question, facts, |facts, item| change(facts, item, question.period.unwrap_or(Period::DAY)))
}

fn change(facts: &Facts, item: &TickItem, period: Period) -> String {
    let who = with_symbol(item);
    let now = format!("It is at {}, {}.", price(item.quote.price), origin(facts, item));
    let day = item.quote.change_24h.map(|change| format!("{who}: {} in 24 hours.", percent(change)));
    let mut told = match (past(facts, item, period), day) {
        (_, Some(day)) if period == Period::DAY => day,
        (Some(past), _) => match item.quote.price.change_since(past.open) {
            Some(change) => {
                let (change, from) = (percent(change), price(past.open));
                match shorter(facts, past) {
                    None => format!("{who}: {change} in {}, from {from}.", period.name()),
                    Some((known, begins)) => format!("{who}: {change} in the last {known}, from {from}: {begins}"),
                }
            }
            None => format!("{who}: I cannot say how it changed in {}.", period.name()),
        },
        (None, Some(day)) => format!("I have no history of {} for {}. {day}", period.name(), name(item)),
        (None, None) => format!("I do not know how {who} changed in {}: the source does not say.", period.name()),
    };
    let _ = write!(told, " {now}");
    if facts.is_old(item) {
        let _ = write!(told, " {OLD}");
    }
    told
}

pub(super) fn ranges(question: &Question, facts: &Facts) -> Reply {
    each(question, facts, |facts, item| range(facts, item, question.period.unwrap_or(Period::DAY)))
}

fn range(facts: &Facts, item: &TickItem, period: Period) -> String {
    let who = with_symbol(item);
    let quote = &item.quote;
    let told = |high: String, low: String, period: &str| format!("{who}, last {period}: high {high}, low {low}.");
    let day = || match (quote.high_24h, quote.low_24h) {
        (Some(high), Some(low)) => Some(told(price(high), price(low), "24 hours")),
        (Some(high), None) => Some(format!("{who}, last 24 hours: high {}; the low is not known.", price(high))),
        (None, Some(low)) => Some(format!("{who}, last 24 hours: low {}; the high is not known.", price(low))),
        (None, None) => None,
    };
    let of_past = || {
        past(facts, item, period).map(|past| {
            let (high, low) = (price(past.high.max(quote.price)), price(past.low.min(quote.price)));
            match shorter(facts, past) {
                None => told(high, low, &period.name()),
                Some((known, begins)) => format!("{who}, last {known}: high {high}, low {low}; {begins}"),
            }
        })
    };
    let found = if period == Period::DAY {
        day().or_else(of_past)
    } else {
        of_past()
            .or_else(|| (period == Period::ALL).then(|| no_record(&who)))
            .or_else(|| day().map(|day| format!("I have no history of {} for {}. {day}", period.name(), name(item))))
    };
    let mut told =
        found.unwrap_or_else(|| format!("I do not know the range of {who} in {}: the source does not say.", period.name()));
    let _ = write!(told, " Now {}, {}.", price(quote.price), origin(facts, item));
    if facts.is_old(item) {
        let _ = write!(told, " {OLD}");
    }
    told
}

fn past<'a>(facts: &'a Facts, item: &TickItem, period: Period) -> Option<&'a Past> {
    facts.past.iter().find(|past| past.symbol == item.quote.symbol && past.period == period)
}

fn no_record(who: &str) -> String {
    format!("I do not know the all-time high and low of {who}: I have no history of it.")
}

/// A history that begins within the period: how long it is, and what is said of it.
fn shorter(facts: &Facts, past: &Past) -> Option<(String, String)> {
    let missing = past.since - (facts.now - past.period.length());
    (missing > past.period.length() / 20).then(|| {
        let begins = ago(facts.now, past.since);
        let asked = if past.period == Period::ALL { String::new() } else { format!(", so I cannot tell {}", past.period.name()) };
        (begins.trim_end_matches(" ago").to_owned(), format!("my history of it begins {begins}{asked}."))
    })
}

pub(super) fn sizes(question: &Question, facts: &Facts) -> Reply {
    each(question, facts, |facts, item| {
        let quote = &item.quote;
        let or_unknown = |told: Option<String>| told.unwrap_or_else(|| "not known".to_owned());
        let rank = or_unknown(quote.rank.map(|rank| format!("#{rank}")));
        let cap = or_unknown(quote.market_cap.map(large));
        let volume = or_unknown(quote.volume_24h.map(large));
        let mut told = format!(
            "{}: rank {rank}, market cap {cap}, volume in 24 hours {volume}, at {}, {}.",
            with_symbol(item),
            price(quote.price),
            origin(facts, item)
        );
        if facts.is_old(item) {
            let _ = write!(told, " {OLD}");
        }
        told
    })
}
