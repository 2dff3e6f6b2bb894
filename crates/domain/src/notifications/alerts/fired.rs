//! A rule that came true.

use std::fmt;

use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{AlertCondition, Firing};
use crate::{
    market::{Price, Source, Symbol, Tick, TickId},
    notifications::{Notification, NotificationId, NotificationKind, Priority},
    shared::{money, user_id::UserId},
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
    /// Who said so; `None` of what fired before that was kept.
    pub source: Option<Source>,
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
            source: tick.item(firing.rule.symbol.as_str()).map(|item| item.quote.source),
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

    /// What its user is told, in a few words: of which asset, and what came true.
    #[must_use]
    pub fn title(&self) -> String {
        let (_, target) = self.price_and_target();
        let title = match self.condition {
            AlertCondition::Above(_) => format!("{} is above {target}", self.symbol),
            AlertCondition::Below(_) => format!("{} is below {target}", self.symbol),
            AlertCondition::CrossesAbove(_) => format!("{} rose above {target}", self.symbol),
            AlertCondition::CrossesBelow(_) => format!("{} fell below {target}", self.symbol),
            AlertCondition::PercentMove { within, .. } => {
                format!("{} moved {} by {target} within {}", self.symbol, self.direction(), duration(within))
            }
        };
        self.marked(title)
    }

    /// What its user is told, in a sentence. Amounts are rounded: every digit is in the facts.
    #[must_use]
    pub fn message(&self) -> String {
        let Self { symbol, .. } = self;
        let (price, target) = self.price_and_target();
        let message = match self.condition {
            AlertCondition::Above(_) => format!("{symbol} is at {price}, above {target}."),
            AlertCondition::Below(_) => format!("{symbol} is at {price}, below {target}."),
            AlertCondition::CrossesAbove(_) => format!("{symbol} rose above {target} and is at {price}."),
            AlertCondition::CrossesBelow(_) => format!("{symbol} fell below {target} and is at {price}."),
            AlertCondition::PercentMove { within, .. } => {
                let from = self.moved_from.map_or_else(String::new, |from| format!(" from {}", money::usd(from.usd())));
                let (way, within) = (self.direction(), duration(within));
                format!("{symbol} moved {way} by {target} or more within {within}{from} and is at {price}.")
            }
        };
        self.marked(message)
    }

    /// What is told by itself, in a bubble, a letter or a list, says there that the price is made up.
    fn marked(&self, text: String) -> String {
        if self.source.is_none_or(Source::is_real) { text } else { format!("Simulated: {text}") }
    }

    /// The price, and the price or the percentage that was waited for, as people write them.
    fn price_and_target(&self) -> (String, String) {
        let price = self.price.usd();
        match self.condition.price() {
            Some(target) => money::usd_apart(price, target.usd()),
            None => (money::usd(price), format!("{}%", self.condition.target().normalize())),
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
        facts.extend(self.source.map(|source| fact("source", source.name().to_owned())));
        facts.extend(self.condition.window_seconds().map(|window| fact("window_seconds", window.to_string())));
        facts.extend(self.moved_from.map(|from| fact("moved_from", from.usd().to_string())));
        Notification {
            id: self.notification,
            user: self.user,
            kind: NotificationKind::PriceAlert,
            title: self.title(),
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

/// `1 h`, `90 min`, `75 s`
fn duration(of: Duration) -> String {
    let seconds = of.whole_seconds();
    match () {
        () if seconds % 3600 == 0 => format!("{} h", seconds / 3600),
        () if seconds % 60 == 0 => format!("{} min", seconds / 60),
        () => format!("{seconds} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::Percent;
    use rust_decimal::Decimal;
    use time::macros::datetime;

    fn usd(text: &str) -> Price {
        Price::try_new(text.parse().unwrap()).unwrap()
    }

    fn fired(condition: AlertCondition, price: &str, moved_from: Option<&str>) -> FiredAlert {
        FiredAlert {
            rule: AlertRuleId(Uuid::nil()),
            user: UserId(Uuid::nil()),
            notification: NotificationId(Uuid::nil()),
            symbol: Symbol::btc(),
            condition,
            price: usd(price),
            moved_from: moved_from.map(usd),
            source: Some(Source::Kraken),
            tick: TickId { epoch: 1, seq: 1 },
            at: datetime!(2026-11-21 12:00 UTC),
        }
    }

    fn told(condition: AlertCondition, price: &str, moved_from: Option<&str>) -> (String, String) {
        let notification = fired(condition, price, moved_from).notification();
        (notification.title, notification.message)
    }

    #[test]
    fn of_a_price_that_is_made_up_the_title_the_message_and_the_facts_say_so() {
        let real = fired(AlertCondition::Above(usd("1")), "2", None);
        let made_up = FiredAlert { source: Some(Source::Simulated), ..real.clone() }.notification();
        assert_eq!((&*made_up.title, &*made_up.message), ("Simulated: BTC is above $1", "Simulated: BTC is at $2.00, above $1."));
        let source =
            |facts: Vec<(String, String)>| facts.into_iter().find(|(name, _)| name == "source").map(|(_, source)| source);
        assert_eq!(source(made_up.facts).as_deref(), Some("simulated"));
        assert_eq!(source(real.notification().facts).as_deref(), Some("kraken"));
        let of_before = FiredAlert { source: None, ..real }.notification();
        assert_eq!((&*of_before.title, source(of_before.facts)), ("BTC is above $1", None));
    }

    #[test]
    fn what_is_told_names_the_asset_and_what_came_true_with_amounts_as_people_write_them() {
        let by = Percent::new(Decimal::new(50, 1));
        for (condition, price, from, title, message) in [
            (
                AlertCondition::Below(usd("3000.123456789012345678")),
                "2990.25",
                None,
                "BTC is below $3,000.12",
                "BTC is at $2,990.25, below $3,000.12.",
            ),
            (
                AlertCondition::CrossesAbove(usd("100000")),
                "100012.5",
                None,
                "BTC rose above $100,000",
                "BTC rose above $100,000 and is at $100,012.50.",
            ),
            (
                AlertCondition::Above(usd("0.00000594")),
                "0.0000061",
                None,
                "BTC is above $0.00000594",
                "BTC is at $0.00000610, above $0.00000594.",
            ),
            (
                AlertCondition::CrossesBelow(usd("1")),
                "0.9999999",
                None,
                "BTC fell below $1.0000000",
                "BTC fell below $1.0000000 and is at $0.9999999.",
            ),
            (
                AlertCondition::PercentMove { by, within: Duration::minutes(90) },
                "950",
                Some("1000.5"),
                "BTC moved down by 5% within 90 min",
                "BTC moved down by 5% or more within 90 min from $1,000.50 and is at $950.00.",
            ),
        ] {
            assert_eq!(told(condition, price, from), (title.to_owned(), message.to_owned()));
        }
    }
}
