use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use coinlink_domain::{
    market::{Symbol, TickId},
    notifications::alerts::{AlertRule, AlertRuleId, FiredAlert},
    shared::user_id::UserId,
};
use coinlink_ports::{
    notifications::{AlertCounts, AlertNews, AlertReads, AlertRules, AlertsBefore, ReadRule, UnreadableRule},
    shared::StoreError,
};
use time::OffsetDateTime;

use super::{MemoryNotifications, MemoryTx};
use crate::shared::memory::{conflict, micros};

/// A rule, and what its user did with it last.
#[derive(Clone)]
struct KeptRule {
    rule: AlertRule,
    changed_at: OffsetDateTime,
    deleted_at: Option<OffsetDateTime>,
}

/// Everything that is kept of alerts.
#[derive(Clone, Default)]
pub(super) struct Alerts {
    rules: BTreeMap<AlertRuleId, KeptRule>,
    fired: Vec<FiredAlert>,
    evaluated: Option<TickId>,
    unreadable: BTreeSet<AlertRuleId>,
}

impl Alerts {
    fn kept(&self) -> impl Iterator<Item = &AlertRule> {
        self.rules.values().filter(|kept| kept.deleted_at.is_none()).map(|kept| &kept.rule)
    }

    fn read(&self, rule: &AlertRule) -> ReadRule {
        let why = || UnreadableRule { id: rule.id, why: "garbled".to_owned() };
        if self.unreadable.contains(&rule.id) { Err(why()) } else { Ok(rule.clone()) }
    }

    fn of(&self, user: UserId) -> impl Iterator<Item = &AlertRule> {
        self.kept().filter(move |rule| rule.user == user)
    }

    /// The rule as it was before it became `rule`, where that is how it is kept.
    fn before(&mut self, rule: &AlertRule) -> Option<&mut KeptRule> {
        let kept = self.rules.get_mut(&rule.id).filter(|kept| kept.deleted_at.is_none())?;
        (kept.rule.revision.checked_add(1) == Some(rule.revision)).then_some(kept)
    }
}

fn kept_rule(rule: &AlertRule) -> AlertRule {
    AlertRule {
        created_at: micros(rule.created_at),
        last_triggered: rule.last_triggered.map(micros),
        since: micros(rule.since),
        ..rule.clone()
    }
}

#[async_trait]
impl AlertRules for MemoryTx {
    async fn count(&mut self, user: UserId) -> Result<Option<AlertCounts>, StoreError> {
        self.call(|draft| {
            let active = draft.alerts.of(user).filter(|rule| rule.is_active).count() as u64;
            Ok(Some(AlertCounts { active, kept: draft.alerts.of(user).count() as u64 }))
        })
    }

    async fn active_of(&mut self, user: UserId, symbol: &Symbol) -> Result<Vec<AlertRule>, StoreError> {
        self.call(|draft| Ok(draft.alerts.of(user).filter(|rule| rule.is_active && rule.symbol == *symbol).cloned().collect()))
    }

    async fn add(&mut self, rule: &AlertRule, at: OffsetDateTime) -> Result<(), StoreError> {
        self.call(|draft| {
            if draft.alerts.rules.contains_key(&rule.id) {
                return Err(conflict("alert_rules.id"));
            }
            let kept = KeptRule { rule: kept_rule(rule), changed_at: micros(at), deleted_at: None };
            draft.alerts.rules.insert(rule.id, kept);
            Ok(())
        })
    }

    async fn lock(&mut self, user: UserId, id: AlertRuleId) -> Result<Option<AlertRule>, StoreError> {
        self.call(|draft| Ok(draft.alerts.of(user).find(|rule| rule.id == id).cloned()))
    }

    async fn save(&mut self, rule: &AlertRule, at: OffsetDateTime) -> Result<bool, StoreError> {
        self.call(|draft| {
            let Some(kept) = draft.alerts.before(rule).filter(|kept| kept.rule.user == rule.user) else { return Ok(false) };
            kept.rule = AlertRule { created_at: kept.rule.created_at, ..kept_rule(rule) };
            kept.changed_at = micros(at);
            Ok(true)
        })
    }

    async fn delete(&mut self, user: UserId, id: AlertRuleId, at: OffsetDateTime) -> Result<bool, StoreError> {
        self.call(|draft| {
            let kept = draft.alerts.rules.get_mut(&id).filter(|kept| kept.rule.user == user && kept.deleted_at.is_none());
            let Some(kept) = kept else { return Ok(false) };
            kept.rule.is_active = false;
            (kept.changed_at, kept.deleted_at) = (micros(at), Some(micros(at)));
            Ok(true)
        })
    }

    async fn evaluated(&mut self) -> Result<Option<TickId>, StoreError> {
        self.call(|draft| Ok(draft.alerts.evaluated))
    }

    async fn note_evaluated(&mut self, tick: TickId) -> Result<bool, StoreError> {
        self.call(|draft| {
            let is_newer = draft.alerts.evaluated.is_none_or(|noted| noted < tick);
            if is_newer {
                draft.alerts.evaluated = Some(tick);
            }
            Ok(is_newer)
        })
    }

    async fn hand_over(&mut self, from: TickId, to: TickId) -> Result<bool, StoreError> {
        self.call(|draft| {
            let did = draft.alerts.evaluated == Some(from);
            if did {
                draft.alerts.evaluated = Some(to);
                let rules = draft.alerts.rules.values_mut().filter_map(|kept| kept.rule.last_tick.as_mut());
                rules.filter(|last| last.epoch > to.epoch).for_each(|last| *last = to);
            }
            Ok(did)
        })
    }

    async fn fire(&mut self, rule: &AlertRule, fired: &FiredAlert) -> Result<bool, StoreError> {
        self.call(|draft| {
            let may = |kept: &&mut KeptRule| kept.rule.is_active && kept.rule.last_tick.is_none_or(|last| last < fired.tick);
            let Some(kept) = draft.alerts.before(rule).filter(may) else { return Ok(false) };
            let AlertRule { last_triggered, last_tick, trigger_count, arming, since, revision, .. } = kept_rule(rule);
            kept.rule = AlertRule { last_triggered, last_tick, trigger_count, arming, since, revision, ..kept.rule.clone() };
            draft.alerts.fired.push(FiredAlert { at: micros(fired.at), ..fired.clone() });
            Ok(true)
        })
    }

    async fn arm(&mut self, rules: &[AlertRule]) -> Result<u64, StoreError> {
        self.call(|draft| {
            let mut armed = 0;
            for rule in rules {
                if let Some(kept) = draft.alerts.before(rule).filter(|kept| kept.rule.is_active) {
                    (kept.rule.arming, kept.rule.revision) = (rule.arming, rule.revision);
                    armed += 1;
                }
            }
            Ok(armed)
        })
    }
}

#[async_trait]
impl AlertReads for MemoryNotifications {
    async fn rules_of(&self, user: UserId, active_only: bool) -> Result<Vec<AlertRule>, StoreError> {
        self.read(|state| {
            let asked = state.alerts.of(user).filter(|rule| rule.is_active || !active_only);
            let mut rules: Vec<_> = asked.cloned().collect();
            rules.sort_by_key(|rule| std::cmp::Reverse((rule.created_at, rule.id)));
            rules
        })
    }

    async fn fired(&self, user: UserId, limit: u32) -> Result<Vec<FiredAlert>, StoreError> {
        self.read(|state| {
            let mut fired: Vec<_> = state.alerts.fired.iter().filter(|fired| fired.user == user).cloned().collect();
            fired.sort_by_key(|fired| std::cmp::Reverse((fired.at, fired.notification)));
            fired.truncate(limit as usize);
            fired
        })
    }

    async fn active_rules(&self, after: Option<AlertRuleId>, limit: u32) -> Result<Vec<ReadRule>, StoreError> {
        self.read(|state| {
            let active = state.alerts.kept().filter(|rule| rule.is_active && after.is_none_or(|after| rule.id > after));
            active.take(limit as usize).map(|rule| state.alerts.read(rule)).collect()
        })
    }

    async fn rules(&self, ids: &[AlertRuleId]) -> Result<Vec<ReadRule>, StoreError> {
        let ids: BTreeSet<_> = ids.iter().copied().collect();
        self.read(|state| {
            let asked = state.alerts.kept().filter(|rule| ids.contains(&rule.id));
            asked.map(|rule| state.alerts.read(rule)).collect()
        })
    }

    async fn news(&self, since: OffsetDateTime, after: Option<AlertRuleId>, limit: u32) -> Result<Vec<AlertNews>, StoreError> {
        let since = micros(since);
        self.read(|state| {
            let changed = state.alerts.rules.values().filter(|kept| kept.changed_at >= since);
            let changed = changed.filter(|kept| after.is_none_or(|after| kept.rule.id > after));
            let news = changed.take(limit as usize).map(|kept| match kept.deleted_at {
                Some(_) => AlertNews::Deleted(kept.rule.id),
                None => state.alerts.read(&kept.rule).map_or_else(AlertNews::Unreadable, AlertNews::Changed),
            });
            news.collect()
        })
    }

    async fn last_evaluated(&self) -> Result<Option<TickId>, StoreError> {
        self.read(|state| state.alerts.evaluated)
    }

    async fn prune_alerts(&self, before: AlertsBefore, limit: u64) -> Result<u64, StoreError> {
        self.change(|state| {
            let limit = usize::try_from(limit).unwrap_or(usize::MAX);
            let old = |fired: &&FiredAlert| fired.at < micros(before.fired);
            let fired: Vec<_> = state.alerts.fired.iter().filter(old).map(|fired| fired.notification).take(limit).collect();
            state.alerts.fired.retain(|kept| !fired.contains(&kept.notification));
            let old = |kept: &&KeptRule| kept.deleted_at.is_some_and(|at| at < micros(before.deleted));
            let deleted: Vec<_> = state.alerts.rules.values().filter(old).map(|kept| kept.rule.id).take(limit).collect();
            state.alerts.rules.retain(|id, _| !deleted.contains(id));
            (fired.len() + deleted.len()) as u64
        })
        .await
    }
}

impl MemoryNotifications {
    /// Committed firings, in the order in which they were.
    pub fn fired_alerts(&self) -> Vec<FiredAlert> {
        self.committed().alerts.fired.clone()
    }

    /// From now on, nobody can read this rule to evaluate it.
    pub fn garble_alert_rule(&self, id: AlertRuleId) {
        self.committed().alerts.unreadable.insert(id);
    }

    /// Committed rules that were not deleted, by their ids.
    pub fn alert_rules(&self) -> Vec<AlertRule> {
        self.committed().alerts.kept().cloned().collect()
    }
}
