//! An amount of one in another.

use rust_decimal::Decimal;

use super::{
    money::{dollars, price, quantity},
    prices::{OLD, origin, unlisted},
    reply::Reply,
};
use crate::{
    assistant::{Facts, Question, Unit},
    market::TickItem,
};

pub(super) fn convert(question: &Question, facts: &Facts) -> Reply {
    let Some(conversion) = &question.conversion else {
        return Reply::of("Tell me how much of what, such as: 2.5 ETH in USD, or 1 BTC in ETH.");
    };
    let mut items: Vec<&TickItem> = Vec::new();
    for unit in [&conversion.from, &conversion.to] {
        if let Unit::Asset(symbol) = unit {
            match facts.item(symbol) {
                Some(item) => items.push(item),
                None => return Reply::of(unlisted(facts, symbol.as_str())),
            }
        }
    }
    let rate = |unit: &Unit| match unit {
        Unit::Dollars => Some(Decimal::ONE),
        Unit::Asset(symbol) => facts.item(symbol).map(|item| item.quote.price.usd()),
    };
    let told = |amount: Decimal, unit: &Unit| match unit {
        Unit::Dollars => dollars(amount),
        Unit::Asset(symbol) => format!("{} {symbol}", quantity(amount)),
    };
    let worth = rate(&conversion.from)
        .zip(rate(&conversion.to))
        .and_then(|(from, to)| conversion.amount.checked_mul(from)?.checked_div(to));
    let Some(worth) = worth else { return Reply::of("That is more than I can count.") };
    let mut reply = Reply::of(format!("{} = {}", told(conversion.amount, &conversion.from), told(worth, &conversion.to)));
    for item in items {
        let old = if facts.is_old(item) { format!(" {OLD}") } else { String::new() };
        reply.add(&format!("1 {} = {}, {}.{old}", item.quote.symbol, price(item.quote.price), origin(facts, item)));
        reply.is_of(item.quote.as_of);
    }
    if question.other_money {
        reply.add("I know prices in US dollars only.");
    }
    reply
}
