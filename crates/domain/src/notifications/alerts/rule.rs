//! A user's rule, and what becomes of it as prices come.

use rust_decimal::Decimal;
use time::{Duration, OffsetDateTime};

use super::{AlertCondition, AlertRuleId};
use crate::{
    market::{Price, Symbol, TickId},
    shared::user_id::UserId,
};

/// Whether a rule waits for its price, or for the price to come back first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Arming {
    /// It fires when its condition comes true.
    Armed,
    /// No price on the near side of its threshold was seen since it was made: there is nothing yet that it could cross from.
    Unseen,
    /// It fired. It rests for [`AlertRule::COOLDOWN`]; then a threshold waits for the price to come back by
    /// [`AlertRule::hysteresis`], and a move counts from the price that it fired at.
    Spent,
}

impl Arming {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Armed, Self::Unseen, Self::Spent];

    /// The name in the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Armed => "armed",
            Self::Unseen => "unseen",
            Self::Spent => "spent",
        }
    }

    /// The state of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|arming| arming.name() == name)
    }
}

/// What a user wants to be told of a price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertRule {
    /// Its name.
    pub id: AlertRuleId,
    /// Whose it is.
    pub user: UserId,
    /// Of which asset.
    pub symbol: Symbol,
    /// What it waits for.
    pub condition: AlertCondition,
    /// Whether it is evaluated.
    pub is_active: bool,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// When it last fired.
    pub last_triggered: Option<OffsetDateTime>,
    /// By which tick.
    pub last_tick: Option<TickId>,
    /// How often it fired.
    pub trigger_count: u32,
    /// Whether it waits for its price.
    pub arming: Arming,
    /// Prices count from then on: when it was made, changed, or last fired.
    pub since: OffsetDateTime,
    /// One more with every change of it, whoever made that.
    pub revision: u32,
}

/// What a user changes of a rule; what is `None` stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AlertChange {
    /// What it waits for.
    pub condition: Option<AlertCondition>,
    /// Whether it is evaluated.
    pub is_active: Option<bool>,
}

impl AlertRule {
    /// Active rules a user may have.
    pub const MAX_ACTIVE: u64 = 100;
    /// Rules a user may keep, active or not.
    pub const MAX_KEPT: u64 = 500;
    /// After it fired a rule is silent for so long.
    pub const COOLDOWN: Duration = Duration::minutes(5);

    /// How far behind its threshold the price must have been before a rule fires again: 0.5 % of the threshold.
    #[must_use]
    pub const fn hysteresis() -> Decimal {
        Decimal::from_parts(5, 0, 0, false, 3)
    }

    /// A rule that is made at `now`. `known` is the price that is known then, where one is that is not stale: it is the first
    /// one that the rule has seen.
    #[must_use]
    pub fn new(
        (id, user): (AlertRuleId, UserId),
        symbol: Symbol,
        condition: AlertCondition,
        now: OffsetDateTime,
        known: Option<Price>,
    ) -> Self {
        Self {
            id,
            user,
            symbol,
            condition,
            is_active: true,
            created_at: now,
            last_triggered: None,
            last_tick: None,
            trigger_count: 0,
            arming: first_arming(condition, known),
            since: now,
            revision: 1,
        }
    }

    /// The rule after its user changed it at `now`. What it waits for, or that it waits again, is as new; a change that
    /// changes nothing keeps all but the revision.
    #[must_use]
    pub fn changed(&self, change: AlertChange, now: OffsetDateTime, known: Option<Price>) -> Self {
        let condition = change.condition.unwrap_or(self.condition);
        let is_active = change.is_active.unwrap_or(self.is_active);
        let is_new = condition != self.condition || (is_active && !self.is_active);
        let (arming, since) = if is_new { (first_arming(condition, known), now) } else { (self.arming, self.since) };
        Self { condition, is_active, arming, since, revision: self.revision.saturating_add(1), ..self.clone() }
    }

    /// The rule after it fired by `tick`, published at `at`.
    #[must_use]
    pub fn fired(&self, tick: TickId, at: OffsetDateTime) -> Self {
        Self {
            last_triggered: Some(at),
            last_tick: Some(tick),
            trigger_count: self.trigger_count.saturating_add(1),
            arming: Arming::Spent,
            since: at,
            revision: self.revision.saturating_add(1),
            ..self.clone()
        }
    }

    /// The rule after the price was on the near side.
    #[must_use]
    pub fn armed(&self) -> Self {
        Self { arming: Arming::Armed, revision: self.revision.saturating_add(1), ..self.clone() }
    }

    /// Until when it is silent because it fired.
    #[must_use]
    pub fn rests_until(&self) -> Option<OffsetDateTime> {
        let until = || self.since.checked_add(Self::COOLDOWN).unwrap_or(self.since);
        (self.arming == Arming::Spent).then(until)
    }

    /// The price that arms it again: at or below it for one that waits above, at or above it for one that waits below.
    #[must_use]
    pub(super) fn arms_at(&self) -> Option<Price> {
        let at = self.condition.price()?;
        if self.arming != Arming::Spent {
            return Some(at);
        }
        let factor = match self.condition {
            AlertCondition::Above(_) | AlertCondition::CrossesAbove(_) => Decimal::ONE - Self::hysteresis(),
            _ => Decimal::ONE + Self::hysteresis(),
        };
        Some(at.usd().checked_mul(factor).and_then(|usd| Price::try_new(usd).ok()).unwrap_or(at))
    }
}

/// `above` and `below` fire as soon as they are true; what crosses needs a price to come from.
fn first_arming(condition: AlertCondition, known: Option<Price>) -> Arming {
    let is_near = match condition {
        AlertCondition::CrossesAbove(at) => known.is_some_and(|known| known <= at),
        AlertCondition::CrossesBelow(at) => known.is_some_and(|known| known >= at),
        AlertCondition::Above(_) | AlertCondition::Below(_) | AlertCondition::PercentMove { .. } => true,
    };
    if is_near { Arming::Armed } else { Arming::Unseen }
}
