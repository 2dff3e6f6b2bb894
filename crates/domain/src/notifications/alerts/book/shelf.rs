//! One asset's rules and prices.

use std::collections::HashMap;

use time::OffsetDateTime;

use super::{Decided, Firing, places::Places, window::PriceWindow};
use crate::{
    market::Price,
    notifications::alerts::{AlertRule, AlertRuleId},
};

/// One asset's rules and prices.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    places: Places,
    window: PriceWindow,
    /// When the newest tick was published.
    now: Option<OffsetDateTime>,
}

impl Shelf {
    pub(super) fn put(&mut self, rule: &AlertRule) {
        self.places.put(rule, self.now);
    }

    pub(super) fn remove(&mut self, id: AlertRuleId) {
        self.places.remove(id);
    }

    pub(super) fn recall(&mut self, at: OffsetDateTime, low: Price, high: Price) {
        self.window.push(at, low, high);
    }

    pub(super) fn decide(
        &mut self,
        rules: &HashMap<AlertRuleId, AlertRule>,
        now: OffsetDateTime,
        price: Price,
        decided: &mut Decided,
    ) {
        self.now = Some(now);
        for id in self.places.due(now) {
            self.places.remove(id);
            if let Some(rule) = rules.get(&id) {
                self.places.put(rule, self.now);
            }
        }
        self.window.push(now, price, price);
        let heard = |id: AlertRuleId| rules.get(&id).filter(|rule| rule.since <= now).cloned();
        let fires = |rule, moved_from| Firing { rule, price, moved_from };
        decided.fired.extend(self.places.beyond(price).filter_map(heard).map(|rule| fires(rule, None)));
        let moved = self.places.moved(&self.window, now, price).into_iter();
        decided.fired.extend(moved.filter_map(|(id, from)| Some(fires(heard(id)?, Some(from)))));
        decided.armed.extend(self.places.back(price).filter_map(heard));
    }
}
