//! A rule that came true.

use std::fmt;

use time::OffsetDateTime;
use uuid::Uuid;

use super::AlertCondition;
use crate::{
    market::{Price, Symbol, TickId},
    notifications::NotificationId,
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
    /// The tick that did.
    pub tick: TickId,
    /// When that tick was published.
    pub at: OffsetDateTime,
}
