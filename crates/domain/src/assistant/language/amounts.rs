//! Amounts that a text names, and what they are wanted in.

use rust_decimal::Decimal;

use super::{
    assets::Mention,
    numbers::{amount_before, is_unreadable_before, multiple},
    question::{Conversion, Unit},
    words::Word,
};

/// An asset, dollars or satoshis, where it stands, and how much of it.
pub(super) struct Measured {
    pub(super) unit: Unit,
    at: usize,
    end: usize,
    pub(super) amount: Option<Decimal>,
    /// Figures stand before it that are no number.
    pub(super) is_unreadable: bool,
}

pub(super) fn units(words: &[Word], mentions: &[Mention]) -> Vec<Measured> {
    let mut found: Vec<Measured> = mentions
        .iter()
        .map(|mention| Measured {
            unit: Unit::Asset(mention.symbol.clone()),
            at: mention.at,
            end: mention.at + mention.words,
            amount: amount_before(words, mention.at),
            is_unreadable: is_unreadable_before(words, mention.at),
        })
        .collect();
    for (at, word) in words.iter().enumerate() {
        let named = match word.plain.as_str() {
            "usd" | "dollar" | "dollars" | "bucks" => Some(Unit::Dollars),
            "satoshi" | "satoshis" | "sat" | "sats" if !mentions.iter().any(|mention| mention.at == at) => Some(Unit::Satoshis),
            _ => None,
        };
        if let Some(unit) = named {
            let (amount, is_unreadable) = (amount_before(words, at), is_unreadable_before(words, at));
            found.push(Measured { unit, at, end: at + 1, amount, is_unreadable });
        } else if let Some(number) = word.number.filter(|_| word.dollar) {
            let (times, end) = multiple(words, at + 1);
            found.push(Measured { unit: Unit::Dollars, at, end, amount: number.checked_mul(times), is_unreadable: false });
        }
    }
    found.sort_by_key(|unit| unit.at);
    found
}

/// What is wanted converted into what: the one with an amount into the other, or into dollars.
pub(super) fn conversion(words: &[Word], units: &[Measured]) -> Option<Conversion> {
    if units.iter().any(|unit| unit.is_unreadable) {
        return None;
    }
    let from = units.iter().position(|unit| unit.amount.is_some()).or_else(|| (units.len() == 2).then_some(0))?;
    let to = units.iter().enumerate().find(|(at, unit)| *at != from && unit.unit != units[from].unit && unit.amount.is_none());
    let to = match (to, &units[from].unit) {
        (Some((_, to)), _) => to.unit.clone(),
        (None, Unit::Asset(_) | Unit::Satoshis) if units[from].amount.is_some() => Unit::Dollars,
        _ => return None,
    };
    // "how many ETH in a BTC": the second is what is measured.
    if units[from].amount.is_none() && is_how_many(words) && units.len() == 2 {
        return Some(Conversion { amount: Decimal::ONE, from: units[1].unit.clone(), to: units[0].unit.clone() });
    }
    Some(Conversion { amount: units[from].amount.unwrap_or(Decimal::ONE), from: units[from].unit.clone(), to })
}

/// The other amounts that are wanted in the same unit: `3 eth` of `2 btc and 3 eth`.
pub(super) fn further(units: &[Measured], first: &Conversion) -> Vec<Conversion> {
    let from = units.iter().position(|unit| unit.amount.is_some() && unit.unit == first.from);
    let others = units.iter().skip(from.map_or(units.len(), |from| from + 1)).filter(|unit| unit.unit != first.to);
    others.filter_map(|unit| Some(Conversion { amount: unit.amount?, from: unit.unit.clone(), to: first.to.clone() })).collect()
}

/// `btc in eth`, `btc to usd`, `eth/btc`.
pub(super) fn between(words: &[Word], left: &Measured, right: &Measured) -> bool {
    right.at == left.end + 1 && words.get(left.end).is_some_and(|word| matches!(word.plain.as_str(), "in" | "to" | "into" | "/"))
}

/// `$500 of eth`, `how much btc for $500`, `convert 500 usd to sol`: and not a sum that stands anywhere.
pub(super) fn dollars_are_for_an_asset(words: &[Word], units: &[Measured]) -> bool {
    let asked = words.iter().any(|word| matches!(word.plain.as_str(), "convert" | "exchange" | "swap"))
        || words.windows(2).any(|pair| pair[0].plain == "how" && matches!(pair[1].plain.as_str(), "many" | "much"));
    let joined = |pair: &[Measured]| {
        let linked = words
            .get(pair[0].end)
            .is_some_and(|word| matches!(word.plain.as_str(), "of" | "in" | "to" | "into" | "worth" | "for"));
        pair[0].unit == Unit::Dollars && linked && pair[1].at - pair[0].end <= 2
    };
    asked || units.windows(2).any(joined)
}

pub(super) fn is_how_many(words: &[Word]) -> bool {
    words.windows(2).any(|pair| pair[0].plain == "how" && pair[1].plain == "many")
}
