//! A rule that came true.

use std::fmt;

use time::OffsetDateTime;
use uuid::Uuid;

use super::{AlertCondition, Firing};
use crate::{
    market::{Price, Symbol, Tick, TickId},
    notifications::{Notification, NotificationId, NotificationKind, Priority},
    shared::user_id::UserId,
};

/// An alert rule. Version 7.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AlertRuleId(pub Uuid);

impl fmt::Display for AlertRuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A rule came true once. Kept as the rule's history, whatever becomes of the rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FiredAlert {
    /// Which rule.
    pub rule: AlertRuleId,
    /// Whose.
    pub user: UserId,
    /// What its user is told; also the name of this firing.
    pub notification: NotificationId,
    /// Of which asset.
    pub symbol: Symbol,
    /// What it waited for.
    pub condition: AlertCondition,
    /// The price that made it come true.
    pub price: Price,
    /// Of a move: the price it is measured from.
    pub moved_from: Option<Price>,
    /// The tick that did.
    pub tick: TickId,
    /// When that tick was published.
    pub at: OffsetDateTime,
}

impl FiredAlert {
    /// A firing by `tick`; `notification` names it.
    #[must_use]
    pub fn new(firing: &Firing, tick: &Tick, notification: NotificationId) -> Self {
        Self {
            rule: firing.rule.id,
            user: firing.rule.user,
            notification,
            symbol: firing.rule.symbol.clone(),
            condition: firing.rule.condition,
            price: firing.price,
            moved_from: firing.moved_from,
            tick: tick.id,
            at: tick.timestamp,
        }
    }

    /// Where the price went: `up` or `down`.
    #[must_use]
    pub fn direction(&self) -> &'static str {
        let is_up = match self.condition {
            AlertCondition::Above(_) | AlertCondition::CrossesAbove(_) => true,
            AlertCondition::Below(_) | AlertCondition::CrossesBelow(_) => false,
            AlertCondition::PercentMove { .. } => self.moved_from.is_none_or(|from| self.price >= from),
        };
        if is_up { "up" } else { "down" }
    }

    /// What its user is told, in a sentence.
    #[must_use]
    pub fn message(&self) -> String {
        let Self { symbol, price, .. } = self;
        let price = price.usd();
        match self.condition {
            AlertCondition::Above(at) => format!("{symbol} is at {price} USD, above {} USD.", at.usd()),
            AlertCondition::Below(at) => format!("{symbol} is at {price} USD, below {} USD.", at.usd()),
            AlertCondition::CrossesAbove(at) => format!("{symbol} rose above {} USD and is at {price} USD.", at.usd()),
            AlertCondition::CrossesBelow(at) => format!("{symbol} fell below {} USD and is at {price} USD.", at.usd()),
            AlertCondition::PercentMove { by, within } => {
                let (by, minutes) = (by.value(), within.whole_seconds().div_euclid(60));
                let from = self.moved_from.map_or_else(String::new, |from| format!(" from {} USD", from.usd()));
                format!("{symbol} moved {} by {by} % or more within {minutes} min{from} and is at {price} USD.", self.direction())
            }
        }
    }

    /// The same for the user's inbox.
    #[must_use]
    pub fn notification(&self) -> Notification {
        let fact = |name: &str, value: String| (name.to_owned(), value);
        let mut facts = vec![
            fact("alert_id", self.rule.to_string()),
            fact("symbol", self.symbol.to_string()),
            fact("condition", self.condition.name().to_owned()),
            fact("target_value", self.condition.target().to_string()),
            fact("current_price", self.price.usd().to_string()),
            fact("direction", self.direction().to_owned()),
        ];
        facts.extend(self.condition.window_seconds().map(|window| fact("window_seconds", window.to_string())));
        facts.extend(self.moved_from.map(|from| fact("moved_from", from.usd().to_string())));
        Notification {
            id: self.notification,
            user: self.user,
            kind: NotificationKind::PriceAlert,
            title: format!("{} price alert", self.symbol),
            message: self.message(),
            priority: Priority::High,
            is_read: false,
            created_at: self.at,
            expires_at: None,
            action_url: None,
            facts,
        }
    }
}
