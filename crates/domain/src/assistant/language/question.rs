//! A text as a question.

use rust_decimal::{Decimal, prelude::ToPrimitive as _};

use super::{
    Directory, Intent, Period,
    assets::{Mention, unknown_asset},
    intent::{Seen, intent},
    times::{is_unit, period},
    words::{Word, words},
};
use crate::market::Symbol;

/// What an amount is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unit {
    /// US dollars.
    Dollars,
    /// An asset.
    Asset(Symbol),
}

/// So much of something, in something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversion {
    /// How much.
    pub amount: Decimal,
    /// Of what.
    pub from: Unit,
    /// In what.
    pub to: Unit,
}

/// A text, understood as far as it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// What it wants.
    pub intent: Intent,
    /// The assets it names, in their order.
    pub assets: Vec<Symbol>,
    /// Something that stands where an asset's name would, and is none we know.
    pub unknown_asset: Option<String>,
    /// The time it names.
    pub period: Option<Period>,
    /// How many lines it wants, at most 10.
    pub count: Option<usize>,
    /// What it wants converted.
    pub conversion: Option<Conversion>,
    /// It names money that is no US dollar.
    pub other_money: bool,
}

impl Question {
    /// Reads `text`; `before` is what the same person asked just before, for questions like "and ETH?".
    #[must_use]
    pub fn read(text: &str, before: Option<&str>, directory: &Directory) -> Self {
        let asked = Self::alone(text, directory);
        match before {
            Some(before) if asked.leans_on_context(text) => asked.in_context(Self::alone(before, directory)),
            _ => asked,
        }
    }

    fn alone(text: &str, directory: &Directory) -> Self {
        let words = words(text);
        let mentions = directory.mentions(&words);
        let units = units(&words, &mentions);
        let conversion = conversion(&words, &units);
        let has_amount = units.iter().any(|unit| unit.amount.is_some());
        let is_pair = units.len() == 2 && (between(&words, &units[0], &units[1]) || is_how_many(&words));
        let has_pair = conversion.is_some() && is_pair;
        let is_meant = conversion.as_ref().is_some_and(|conversion| match conversion.from {
            Unit::Asset(_) => true,
            Unit::Dollars => dollars_are_for_an_asset(&words, &units),
        });
        let seen = Seen { words: &words, assets: mentions.len(), has_amount: has_amount && is_meant, has_pair };
        Self {
            intent: intent(&seen),
            unknown_asset: unknown_asset(&words, &mentions),
            period: period(&words),
            count: count(&words),
            other_money: words.iter().any(|word| is_other_money(&word.plain)),
            assets: mentions.into_iter().map(|mention| mention.symbol).collect(),
            conversion,
        }
    }

    /// "and ETH?", "what about its range?", "over 7 days?"
    fn leans_on_context(&self, text: &str) -> bool {
        let words = words(text);
        let begins = words.first().is_some_and(|word| matches!(word.plain.as_str(), "and" | "what" | "how" | "same"));
        let points = words.iter().any(|word| matches!(word.plain.as_str(), "it" | "its" | "that" | "about"));
        match self.intent {
            Intent::Unknown => !self.assets.is_empty() || self.period.is_some(),
            Intent::Price | Intent::Change | Intent::Range | Intent::Size => {
                self.assets.is_empty() && self.unknown_asset.is_none() && (begins || points)
            }
            _ => false,
        }
    }

    fn in_context(mut self, before: Self) -> Self {
        let is_of_assets =
            matches!(before.intent, Intent::Price | Intent::Change | Intent::Range | Intent::Size | Intent::Compare);
        if !is_of_assets && before.assets.is_empty() {
            return self;
        }
        if self.assets.is_empty() {
            self.assets = before.assets;
        }
        if self.intent == Intent::Unknown {
            self.intent = match before.intent {
                Intent::Compare if self.assets.len() < 2 => Intent::Price,
                intent if is_of_assets => intent,
                _ => Intent::Price,
            };
        }
        self.period = self.period.or(before.period);
        self
    }
}

/// An asset or dollars, where it stands, and how much of it.
struct Measured {
    unit: Unit,
    at: usize,
    end: usize,
    amount: Option<Decimal>,
}

fn units(words: &[Word], mentions: &[Mention]) -> Vec<Measured> {
    let mut found: Vec<Measured> = mentions
        .iter()
        .map(|mention| Measured {
            unit: Unit::Asset(mention.symbol.clone()),
            at: mention.at,
            end: mention.at + mention.words,
            amount: amount_before(words, mention.at),
        })
        .collect();
    for (at, word) in words.iter().enumerate() {
        if matches!(word.plain.as_str(), "usd" | "dollar" | "dollars" | "bucks") {
            found.push(Measured { unit: Unit::Dollars, at, end: at + 1, amount: amount_before(words, at) });
        } else if let Some(number) = word.number.filter(|_| word.dollar) {
            let (times, end) = multiple(words, at + 1);
            found.push(Measured { unit: Unit::Dollars, at, end, amount: number.checked_mul(times) });
        }
    }
    found.sort_by_key(|unit| unit.at);
    found
}

/// `k` in `5k`, `million` in `2 million`, and where the words after it begin.
fn multiple(words: &[Word], at: usize) -> (Decimal, usize) {
    let Some(word) = words.get(at) else { return (Decimal::ONE, at) };
    let glued = word.glued;
    let times = match word.plain.as_str() {
        "k" if glued => 1_000_u64,
        "m" | "mm" if glued => 1_000_000,
        "b" | "bn" if glued => 1_000_000_000,
        "thousand" => 1_000,
        "million" => 1_000_000,
        "billion" => 1_000_000_000,
        _ => return (Decimal::ONE, at),
    };
    (times.into(), at + 1)
}

/// The number that ends right before `at`.
fn amount_before(words: &[Word], at: usize) -> Option<Decimal> {
    let last = words.get(at.checked_sub(1)?)?;
    if let Some(number) = last.number {
        let is_time = words.get(at).is_some_and(|word| is_unit(&word.plain));
        return (!is_time && !last.dollar).then_some(number);
    }
    let earlier = at.checked_sub(2).and_then(|at| words.get(at));
    if let Some(number) = earlier.and_then(|word| word.number.filter(|_| !word.dollar)) {
        let (times, end) = multiple(words, at - 1);
        return (end == at).then(|| number.checked_mul(times)).flatten();
    }
    match last.plain.as_str() {
        "one" => Some(Decimal::ONE),
        "half" => Some(Decimal::new(5, 1)),
        "a" | "an" if earlier.is_some_and(|word| word.plain == "half") => Some(Decimal::new(5, 1)),
        _ => None,
    }
}

/// What is wanted converted into what: the one with an amount into the other, or into dollars.
fn conversion(words: &[Word], units: &[Measured]) -> Option<Conversion> {
    let from = units.iter().position(|unit| unit.amount.is_some()).or_else(|| (units.len() == 2).then_some(0))?;
    let to = units.iter().enumerate().find(|(at, unit)| *at != from && unit.unit != units[from].unit && unit.amount.is_none());
    let to = match (to, &units[from].unit) {
        (Some((_, to)), _) => to.unit.clone(),
        (None, Unit::Asset(_)) if units[from].amount.is_some() => Unit::Dollars,
        _ => return None,
    };
    // "how many ETH in a BTC": the second is what is measured.
    if units[from].amount.is_none() && is_how_many(words) && units.len() == 2 {
        return Some(Conversion { amount: Decimal::ONE, from: units[1].unit.clone(), to: units[0].unit.clone() });
    }
    Some(Conversion { amount: units[from].amount.unwrap_or(Decimal::ONE), from: units[from].unit.clone(), to })
}

/// `btc in eth`, `btc to usd`, `eth/btc`.
fn between(words: &[Word], left: &Measured, right: &Measured) -> bool {
    right.at == left.end + 1 && words.get(left.end).is_some_and(|word| matches!(word.plain.as_str(), "in" | "to" | "into" | "/"))
}

/// `$500 of eth`, `how much btc for $500`, `convert 500 usd to sol`: and not a sum that stands anywhere.
fn dollars_are_for_an_asset(words: &[Word], units: &[Measured]) -> bool {
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

fn is_how_many(words: &[Word]) -> bool {
    words.windows(2).any(|pair| pair[0].plain == "how" && pair[1].plain == "many")
}

/// `top 5`, `5 headlines`.
fn count(words: &[Word]) -> Option<usize> {
    words.iter().enumerate().find_map(|(at, word)| {
        let number = word.number.filter(|_| !word.dollar)?.to_usize()?;
        let before = at.checked_sub(1).and_then(|at| words.get(at)).map_or("", |word| word.plain.as_str());
        let after = words.get(at + 1).map_or("", |word| word.plain.as_str());
        let counted = matches!(before, "top" | "best" | "worst" | "last" | "latest" | "first" | "biggest")
            || matches!(
                after,
                "gainers" | "losers" | "movers" | "headlines" | "news" | "articles" | "coins" | "best" | "worst" | "top"
            );
        (counted && !is_unit(after) && (1..=10).contains(&number)).then_some(number)
    })
}

fn is_other_money(word: &str) -> bool {
    matches!(
        word,
        "eur"
            | "euro"
            | "euros"
            | "gbp"
            | "pounds"
            | "sterling"
            | "jpy"
            | "yen"
            | "cny"
            | "yuan"
            | "inr"
            | "rupees"
            | "chf"
            | "francs"
            | "cad"
            | "aud"
            | "brl"
            | "krw"
    )
}
