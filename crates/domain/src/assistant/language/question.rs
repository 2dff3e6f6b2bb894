//! A text as a question.

use rust_decimal::{Decimal, prelude::ToPrimitive as _};

use super::{
    Directory, Intent, Period,
    amounts::{between, conversion, dollars_are_for_an_asset, further, is_how_many, units},
    assets::unknown_asset,
    intent::{Seen, intent},
    moments::{Moment, moment},
    numbers::amount_before,
    times::{is_ahead, is_unit, period},
    words::{Word, words},
};
use crate::{assistant::plain::without_markup, market::Symbol};

/// What an amount is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unit {
    /// US dollars.
    Dollars,
    /// Hundred-millionths of a bitcoin.
    Satoshis,
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
    /// The stretch of time it names, up to now.
    pub period: Option<Period>,
    /// The other time it names.
    pub moment: Option<Moment>,
    /// It names a time to come: `in 3 months`.
    pub is_ahead: bool,
    /// How many lines it wants, at most 10.
    pub count: Option<usize>,
    /// What it wants converted.
    pub conversion: Option<Conversion>,
    /// What else it wants converted, into the same.
    pub further: Vec<Conversion>,
    /// An amount of it cannot be converted: of other money, or in figures that are no number.
    pub is_unreadable: bool,
    /// It names money that is no US dollar.
    pub other_money: bool,
}

impl Question {
    /// Reads `text`; `before` is what the same person asked just before, for questions like "and ETH?".
    #[must_use]
    pub fn read(text: &str, before: Option<&str>, directory: &Directory) -> Self {
        let text = without_markup(text);
        let asked = Self::alone(&text, directory);
        let asked = match before.map(without_markup) {
            Some(before) if asked.leans_on_context(&text) => asked.in_context(Self::alone(&before, directory)),
            _ => asked,
        };
        asked.at_its_time()
    }

    /// A price at another time than now is another question.
    fn at_its_time(mut self) -> Self {
        let names_any = !self.assets.is_empty() || self.unknown_asset.is_some();
        let is_price = self.intent == Intent::Price || (self.intent == Intent::Unknown && names_any);
        let is_change = matches!(self.intent, Intent::Change | Intent::Range);
        let is_since = is_change && matches!(self.moment, Some(Moment::Ago(_))) && self.period.is_some();
        let is_other_period = self.period.is_some_and(|period| period != Period::DAY);
        self.intent = match self.intent {
            _ if is_price && self.is_ahead => Intent::Forecast,
            _ if (is_price || is_change) && self.moment.is_some() && !is_since => Intent::Then,
            _ if is_price && is_other_period => Intent::Change,
            intent => intent,
        };
        if self.intent == Intent::Convert && self.moment.is_none() {
            self.moment = self.period.filter(|period| *period != Period::DAY).map(|period| Moment::Ago(period.length()));
        }
        self
    }

    /// Whether it names another time than now, or than the day up to now.
    #[must_use]
    pub fn is_of_another_time(&self) -> bool {
        self.moment.is_some() || self.period.is_some_and(|period| period != Period::DAY)
    }

    fn alone(text: &str, directory: &Directory) -> Self {
        let words = words(text);
        let mentions = directory.mentions(&words);
        let units = units(&words, &mentions);
        let conversion = conversion(&words, &units);
        let has_amount = units.iter().any(|unit| unit.amount.is_some());
        let other_money: Vec<usize> = (0..words.len()).filter(|at| is_other_money(&words[*at].plain)).collect();
        let has_other_amount = other_money.iter().any(|at| {
            let follows = words.get(at + 1).is_some_and(|next| next.number.is_some());
            follows || amount_before(&words, *at).is_some()
        });
        let is_unreadable = conversion.is_none() && (has_other_amount || units.iter().any(|unit| unit.is_unreadable));
        let is_pair = units.len() == 2 && (between(&words, &units[0], &units[1]) || is_how_many(&words));
        let has_pair = conversion.is_some() && is_pair;
        let is_meant = conversion.as_ref().is_some_and(|conversion| match conversion.from {
            Unit::Asset(_) | Unit::Satoshis => true,
            Unit::Dollars => dollars_are_for_an_asset(&words, &units),
        });
        let has_amount = (has_amount && is_meant) || is_unreadable;
        let seen = Seen { words: &words, assets: mentions.len(), has_amount, has_pair };
        Self {
            intent: intent(&seen),
            unknown_asset: unknown_asset(&words, &mentions),
            period: period(&words),
            moment: moment(&words),
            is_ahead: is_ahead(&words),
            count: count(&words),
            other_money: !other_money.is_empty(),
            is_unreadable,
            assets: mentions.into_iter().map(|mention| mention.symbol).collect(),
            further: conversion.as_ref().map(|first| further(&units, first)).unwrap_or_default(),
            conversion,
        }
    }

    /// "and ETH?", "what about its range?", "over 7 days?"
    fn leans_on_context(&self, text: &str) -> bool {
        let words = words(text);
        let begins = words.first().is_some_and(|word| matches!(word.plain.as_str(), "and" | "what" | "how" | "same"));
        let points = words.iter().any(|word| matches!(word.plain.as_str(), "it" | "its" | "that" | "about"));
        match self.intent {
            Intent::Unknown => !self.assets.is_empty() || self.period.is_some() || self.moment.is_some(),
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
        // "what is its price?" is about now, whatever was asked before.
        if self.intent != Intent::Price && self.period.is_none() && self.moment.is_none() {
            (self.period, self.moment) = (before.period, before.moment);
        }
        if self.intent == Intent::Unknown {
            self.intent = match before.intent {
                Intent::Compare if self.assets.len() < 2 => Intent::Price,
                intent if is_of_assets => intent,
                _ => Intent::Price,
            };
        }
        self
    }
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

pub(super) fn is_other_money(word: &str) -> bool {
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
