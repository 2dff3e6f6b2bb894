//! Every active rule, in the order in which prices meet them: a tick costs what it makes happen, not what is there.

mod places;
mod shelf;
mod window;

use std::collections::{BTreeMap, HashMap};

use time::OffsetDateTime;

use super::{AlertCondition, AlertRule, AlertRuleId};
use crate::market::{Price, Symbol, Tick};

use self::{shelf::Shelf, window::PriceWindow};

/// A rule that comes true by a tick. Nothing has happened yet: whoever evaluates records it, and then puts the rule as it is then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Firing {
    /// The rule as it was decided on.
    pub rule: AlertRule,
    /// The price that makes it come true.
    pub price: Price,
    /// Of a move: the price it is measured from.
    pub moved_from: Option<Price>,
}

/// What a tick does to the rules.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Decided {
    /// Those that come true, by their ids.
    pub fired: Vec<Firing>,
    /// Those that wait for their price from now on, by their ids.
    pub armed: Vec<AlertRule>,
}

impl Decided {
    /// Whether nothing happens.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.fired.is_empty() && self.armed.is_empty()
    }
}

/// Every active rule.
#[derive(Debug, Default)]
pub struct AlertBook {
    rules: HashMap<AlertRuleId, AlertRule>,
    shelves: BTreeMap<Symbol, Shelf>,
}

impl AlertBook {
    /// How many rules are in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The rule of this id.
    #[must_use]
    pub fn rule(&self, id: AlertRuleId) -> Option<&AlertRule> {
        self.rules.get(&id)
    }

    /// Takes a rule as it is stored: a new one, or one that changed. One that is not active goes; one that is older than what
    /// is known of it changes nothing.
    pub fn put(&mut self, rule: AlertRule) {
        if self.rules.get(&rule.id).is_some_and(|known| known.revision >= rule.revision) {
            return;
        }
        self.remove(rule.id);
        if rule.is_active {
            self.shelves.entry(rule.symbol.clone()).or_default().put(&rule);
            self.rules.insert(rule.id, rule);
        }
    }

    /// A rule is not there any more.
    pub fn remove(&mut self, id: AlertRuleId) {
        if let Some(rule) = self.rules.remove(&id)
            && let Some(shelf) = self.shelves.get_mut(&rule.symbol)
        {
            shelf.remove(id);
        }
    }

    /// Assets that a rule waits for a move of, each with the time from when on that rule would count its prices at `now`.
    #[must_use]
    pub fn waits_for_moves(&self, now: OffsetDateTime) -> BTreeMap<Symbol, OffsetDateTime> {
        let mut since: BTreeMap<Symbol, OffsetDateTime> = BTreeMap::new();
        for rule in self.rules.values() {
            if let AlertCondition::PercentMove { within, .. } = rule.condition {
                let start = PriceWindow::start(now, within).max(rule.since);
                let first = since.entry(rule.symbol.clone()).or_insert(start);
                *first = start.min(*first);
            }
        }
        since
    }

    /// What a price was before this book was made: it never went below `low` or above `high` around `at`. Moves count from it.
    /// Call in the order of time, and before the first tick.
    pub fn recall(&mut self, symbol: &Symbol, at: OffsetDateTime, low: Price, high: Price) {
        self.shelves.entry(symbol.clone()).or_default().recall(at, low, high);
    }

    /// What `tick` does. A stale tick or line does nothing, and a rule does not hear of prices from before it was made or
    /// changed. Until what is decided is put, the same tick decides the same.
    pub fn decide(&mut self, tick: &Tick) -> Decided {
        let mut decided = Decided::default();
        if tick.stale {
            return decided;
        }
        for item in tick.items.iter().filter(|item| !item.stale) {
            if let Some(shelf) = self.shelves.get_mut(&item.quote.symbol) {
                shelf.decide(&self.rules, tick.timestamp, item.quote.price, &mut decided);
            }
        }
        decided.fired.sort_unstable_by_key(|firing| firing.rule.id);
        decided.armed.sort_unstable_by_key(|rule| rule.id);
        decided
    }
}

#[cfg(test)]
mod tests;
