use async_trait::async_trait;
use coinlink_domain::{
    market::{Symbol, TickId},
    notifications::alerts::{AlertRule, AlertRuleId, FiredAlert},
    shared::user_id::UserId,
};
use time::OffsetDateTime;

use crate::shared::StoreError;

/// How many rules a user has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AlertCounts {
    /// Those that are active.
    pub active: u64,
    /// All that were not deleted.
    pub kept: u64,
}

/// What changed of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AlertNews {
    /// It is so now; it may be switched off.
    Changed(AlertRule),
    /// It was deleted.
    Deleted(AlertRuleId),
    /// It changed, and nobody can tell to what.
    Unreadable(UnreadableRule),
}

/// A rule that is stored as no rule is. It keeps nobody from reading the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableRule {
    /// Which.
    pub id: AlertRuleId,
    /// What is wrong with it, for logs.
    pub why: String,
}

impl AlertNews {
    /// Of which rule it is.
    #[must_use]
    pub const fn id(&self) -> AlertRuleId {
        match self {
            Self::Changed(rule) => rule.id,
            Self::Deleted(id) => *id,
            Self::Unreadable(rule) => rule.id,
        }
    }
}

/// A rule as it is stored.
pub type ReadRule = Result<AlertRule, UnreadableRule>;

/// Which firings nobody needs any more, and which deletions everybody heard of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlertsBefore {
    /// Firings before.
    pub fired: OffsetDateTime,
    /// Rules that were deleted before.
    pub deleted: OffsetDateTime,
}

/// Alert rules, in a transaction. A rule is known by its id and its revision: whoever changes one says which revision the change
/// is made from, and nothing changes where the rule is another one by then.
#[async_trait]
pub trait AlertRules: Send {
    /// How many rules a user has. Nobody else counts or adds the user's rules until the transaction ends. `None` where there is
    /// no such account.
    async fn count(&mut self, user: UserId) -> Result<Option<AlertCounts>, StoreError>;

    /// A user's active rules of this asset.
    async fn active_of(&mut self, user: UserId, symbol: &Symbol) -> Result<Vec<AlertRule>, StoreError>;

    /// Adds a rule of an account that is there. `at` is when its user did that, for [`AlertReads::news`].
    async fn add(&mut self, rule: &AlertRule, at: OffsetDateTime) -> Result<(), StoreError>;

    /// A rule of `user`, held until the transaction ends.
    async fn lock(&mut self, user: UserId, id: AlertRuleId) -> Result<Option<AlertRule>, StoreError>;

    /// Stores a rule as its user changed it at `at`. Whether it was there with the revision before.
    async fn save(&mut self, rule: &AlertRule, at: OffsetDateTime) -> Result<bool, StoreError>;

    /// Deletes a rule of `user` at `at`. Whether there was one.
    async fn delete(&mut self, user: UserId, id: AlertRuleId, at: OffsetDateTime) -> Result<bool, StoreError>;

    /// Which tick was evaluated last, held until the transaction ends: evaluators stand in line here. `None` before the first.
    async fn evaluated(&mut self) -> Result<Option<TickId>, StoreError>;

    /// Notes that every rule has heard of `tick` and of all before it. Whether it is newer than what was noted before.
    async fn note_evaluated(&mut self, tick: TickId) -> Result<bool, StoreError>;

    /// Notes `to` in the place of `from`, which may be newer: nobody publishes in that order any more. Rules that fired by a tick
    /// of a later epoch than `to`'s count as fired by `to`, and may fire again from then on. Whether `from` was still what was
    /// noted; otherwise nothing happens.
    async fn hand_over(&mut self, from: TickId, to: TickId) -> Result<bool, StoreError>;

    /// Stores that `rule`, an active one of this revision that last fired before this tick, came true: the rule as it is then
    /// ([`AlertRule::fired`]), and the firing. Whether it did; where the rule was changed, switched off or deleted meanwhile, or
    /// fired by this tick or a later one, nothing happens.
    async fn fire(&mut self, rule: &AlertRule, fired: &FiredAlert) -> Result<bool, StoreError>;

    /// Stores that these rules wait for their price from now on ([`AlertRule::armed`]). Those that were changed, switched off or
    /// deleted meanwhile stay as they are. How many were armed.
    async fn arm(&mut self, rules: &[AlertRule]) -> Result<u64, StoreError>;
}

/// Alert rules, outside of transactions: what is committed. [`AlertReads::rules_of`] is also what the assistant answers "which
/// alerts do I have?" from.
#[async_trait]
pub trait AlertReads: Send + Sync {
    /// A user's rules, newest first; active ones only, or all that were not deleted.
    async fn rules_of(&self, user: UserId, active_only: bool) -> Result<Vec<AlertRule>, StoreError>;

    /// At most `limit` of a user's firings, newest first.
    async fn fired(&self, user: UserId, limit: u32) -> Result<Vec<FiredAlert>, StoreError>;

    /// At most `limit` active rules in the order of their ids; those behind `after`.
    async fn active_rules(&self, after: Option<AlertRuleId>, limit: u32) -> Result<Vec<ReadRule>, StoreError>;

    /// Those of these rules that were not deleted, active or not.
    async fn rules(&self, ids: &[AlertRuleId]) -> Result<Vec<ReadRule>, StoreError>;

    /// What users changed at `since` or later, by the clocks of the nodes that they did it on, each rule as it is now: at most
    /// `limit` of them in the order of their ids; those behind `after`.
    async fn news(&self, since: OffsetDateTime, after: Option<AlertRuleId>, limit: u32) -> Result<Vec<AlertNews>, StoreError>;

    /// The tick that was evaluated last.
    async fn last_evaluated(&self) -> Result<Option<TickId>, StoreError>;

    /// Removes at most `limit` firings and as many deleted rules. How many went.
    async fn prune_alerts(&self, before: AlertsBefore, limit: u64) -> Result<u64, StoreError>;
}
