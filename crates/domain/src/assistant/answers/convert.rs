//! An amount of one in another.

use rust_decimal::Decimal;

use super::{
    money::{dollars, price, quantity},
    past::{is_to_come, known, unclear},
    prices::{OLD, line, origin, unlisted},
    reply::Reply,
    talk::forecast,
};
use crate::{
    assistant::{Conversion, Facts, Question, Unit},
    market::{Price, Symbol, TickItem},
};

const ONLY_DOLLARS: &str = "I know prices in US dollars only";

pub(super) fn convert(question: &Question, facts: &Facts) -> Reply {
    let Some(first) = &question.conversion else { return nothing(question, facts) };
    let is_past = question.moment.is_some();
    if let Some(moment) = question.moment {
        match moment.span(facts.now) {
            None => return unclear(),
            Some(_) if is_to_come(moment, facts) => return forecast(question, facts),
            Some(_) => {}
        }
    }
    let all: Vec<&Conversion> = std::iter::once(first).chain(&question.further).collect();
    if all.iter().any(|conversion| conversion.amount <= Decimal::ZERO) {
        return Reply::of("Tell me an amount that is more than nothing, such as: 2.5 ETH in USD.");
    }
    let mut symbols: Vec<Symbol> = Vec::new();
    for symbol in all.iter().flat_map(|conversion| [asset(&conversion.from), asset(&conversion.to)]).flatten() {
        if !symbols.contains(&symbol) {
            symbols.push(symbol);
        }
    }
    // What each is reckoned at: its price of now, or of then.
    let mut rates: Vec<(Symbol, Price)> = Vec::new();
    for symbol in &symbols {
        let now = facts.item(symbol).map(|item| item.quote.price);
        let rate = if is_past { known(facts, symbol).map(super::super::facts::Then::price) } else { now };
        match rate {
            Some(rate) => rates.push((symbol.clone(), rate)),
            None if is_past => return Reply::of(format!("I know no price of {symbol} of then: my history does not hold it.")),
            None => return Reply::of(unlisted(facts, symbol.as_str())),
        }
    }
    let worths: Option<Vec<Decimal>> = all.iter().map(|conversion| worth(conversion, &rates)).collect();
    let sum = worths.as_deref().and_then(|worths| worths.iter().try_fold(Decimal::ZERO, |sum, worth| sum.checked_add(*worth)));
    let (Some(worths), Some(sum)) = (worths, sum) else { return Reply::of("That is more than I can count.") };
    let mut reply = Reply::default();
    for (conversion, worth) in all.iter().zip(&worths) {
        // The price itself says what one is worth.
        let is_price = conversion.amount == Decimal::ONE && conversion.to == Unit::Dollars && asset(&conversion.from).is_some();
        if !is_price || conversion.from == Unit::Satoshis || all.len() > 1 {
            reply.add(&format!("{} = {}", told(conversion.amount, &conversion.from), told(*worth, &conversion.to)));
        }
    }
    if worths.len() > 1 {
        reply.add(&format!("Together: {}", told(sum, &first.to)));
    }
    for (symbol, rate) in &rates {
        reckoned(question, facts, (symbol, *rate), &mut reply);
    }
    if let Some(unknown) = &question.unknown_asset {
        reply.add(&unlisted(facts, unknown));
    }
    if question.other_money {
        reply.add(&format!("{ONLY_DOLLARS}."));
    }
    reply
}

/// `1 BTC = $97,012.34, 3 s ago, CoinGecko.`
fn reckoned(question: &Question, facts: &Facts, (symbol, rate): (&Symbol, Price), reply: &mut Reply) {
    if let (Some(moment), Some(then)) = (question.moment, known(facts, symbol)) {
        let day = if then.is_moment() { moment.name(facts.now) } else { then.last_day().to_string() };
        reply.add(&format!("1 {symbol} = {} on {day}, from my price history.", price(rate)));
        reply.is_of(then.from);
    } else if let Some(item) = facts.item(symbol) {
        let old = if facts.is_old(item) { format!(" {OLD}") } else { String::new() };
        reply.add(&format!("1 {symbol} = {}, {}.{old}", price(rate), origin(facts, item)));
        reply.is_of(item.quote.as_of);
    }
}

/// Nothing can be converted, and why.
fn nothing(question: &Question, facts: &Facts) -> Reply {
    let example = "Tell me how much of what, such as: 2.5 ETH in USD, or 1 BTC in ETH.";
    let mut reply = match () {
        () if question.is_unreadable && question.other_money => {
            Reply::of(format!("{ONLY_DOLLARS}, so I cannot convert an amount of other money."))
        }
        () if question.is_unreadable => Reply::of(format!("I cannot read that amount. {example}")),
        () => Reply::of(example),
    };
    let named: Vec<&TickItem> = question.assets.iter().filter_map(|symbol| facts.item(symbol)).collect();
    for item in named.into_iter().filter(|_| question.is_unreadable && !question.is_of_another_time()) {
        reply.add(&line(facts, item));
        reply.is_of(item.quote.as_of);
    }
    reply
}

/// Whose price it goes by.
fn asset(unit: &Unit) -> Option<Symbol> {
    match unit {
        Unit::Dollars => None,
        Unit::Satoshis => Some(Symbol::btc()),
        Unit::Asset(symbol) => Some(symbol.clone()),
    }
}

fn worth(conversion: &Conversion, rates: &[(Symbol, Price)]) -> Option<Decimal> {
    let rate = |unit: &Unit| {
        let Some(symbol) = asset(unit) else { return Some(Decimal::ONE) };
        let usd = rates.iter().find(|(known, _)| *known == symbol).map(|(_, price)| price.usd())?;
        if *unit == Unit::Satoshis { usd.checked_div(Decimal::from(100_000_000)) } else { Some(usd) }
    };
    conversion.amount.checked_mul(rate(&conversion.from)?)?.checked_div(rate(&conversion.to)?)
}

fn told(amount: Decimal, unit: &Unit) -> String {
    match unit {
        Unit::Dollars => dollars(amount),
        Unit::Satoshis => format!("{} satoshis", quantity(amount).trim_end_matches(".00")),
        Unit::Asset(symbol) => format!("{} {symbol}", quantity(amount)),
    }
}
