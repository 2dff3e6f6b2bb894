//! Rules and firings as rows, and back.

use coinlink_domain::{
    market::{Price, Source, Symbol, TickId},
    notifications::{
        NotificationId,
        alerts::{AlertCondition, AlertRule, AlertRuleId, Arming, FiredAlert},
    },
    shared::user_id::UserId,
};
use coinlink_ports::{
    notifications::{ReadRule, UnreadableRule},
    shared::StoreError,
};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    DbErr, FromQueryResult, QueryResult,
};
use time::OffsetDateTime;

use crate::{
    entities::{alert_rules, fired_alerts},
    errors::corrupt,
    exact::{Exact, Moment},
};

/// A rule among others, which one that cannot be read does not spoil.
pub(super) struct RuleRow {
    pub(super) id: AlertRuleId,
    pub(super) is_deleted: bool,
    pub(super) rule: ReadRule,
}

impl FromQueryResult for RuleRow {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        let id = AlertRuleId(row.try_get(prefix, "id")?);
        let read = alert_rules::Model::from_query_result(row, prefix);
        let is_deleted = row.try_get::<Option<Moment>>(prefix, "deleted_at").is_ok_and(|at| at.is_some());
        let read = match &read {
            Ok(row) => rule(row).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        Ok(Self { id, is_deleted, rule: read.map_err(|why| UnreadableRule { id, why }) })
    }
}

/// A tick's numbers are far below what does not fit: milliseconds, and ticks of one leader.
pub(super) fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The whole rule, as its user left it at `changed_at`.
pub(super) fn rule_row(rule: &AlertRule, changed_at: OffsetDateTime) -> alert_rules::ActiveModel {
    alert_rules::ActiveModel {
        id: Set(rule.id.0),
        user_id: Set(rule.user.0),
        symbol: Set(rule.symbol.as_str().to_owned()),
        condition: Set(rule.condition.name().to_owned()),
        target: Set(Exact(rule.condition.target())),
        window_seconds: Set(rule.condition.window_seconds().map(i64::from)),
        is_active: Set(rule.is_active),
        created_at: Set(Moment(rule.created_at)),
        changed_at: Set(Moment(changed_at)),
        deleted_at: Set(None),
        ..state(rule)
    }
}

/// What becomes of a rule by itself.
pub(super) fn state(rule: &AlertRule) -> alert_rules::ActiveModel {
    alert_rules::ActiveModel {
        last_triggered: Set(rule.last_triggered.map(Moment)),
        last_epoch: Set(rule.last_tick.map(|tick| number(tick.epoch))),
        last_seq: Set(rule.last_tick.map(|tick| number(tick.seq))),
        trigger_count: Set(rule.trigger_count.into()),
        arming: Set(rule.arming.name().to_owned()),
        since: Set(Moment(rule.since)),
        revision: Set(rule.revision.into()),
        id: NotSet,
        ..Default::default()
    }
}

pub(super) fn rule(row: &alert_rules::Model) -> Result<AlertRule, StoreError> {
    let last_tick = row.last_epoch.zip(row.last_seq).map(|(epoch, seq)| tick(epoch, seq)).transpose()?;
    Ok(AlertRule {
        id: AlertRuleId(row.id),
        user: UserId(row.user_id),
        symbol: Symbol::try_new(&row.symbol).map_err(|e| corrupt("alert_rules.symbol", e))?,
        condition: condition(&row.condition, row.target, row.window_seconds)?,
        is_active: row.is_active,
        created_at: row.created_at.0,
        last_triggered: row.last_triggered.map(|Moment(at)| at),
        last_tick,
        trigger_count: u32::try_from(row.trigger_count).map_err(|e| corrupt("alert_rules.trigger_count", e))?,
        arming: Arming::from_name(&row.arming).ok_or(StoreError::Corrupt { what: "alert_rules.arming", source: None })?,
        since: row.since.0,
        revision: u32::try_from(row.revision).map_err(|e| corrupt("alert_rules.revision", e))?,
    })
}

pub(super) fn tick(epoch: i64, seq: i64) -> Result<TickId, StoreError> {
    let number = |number: i64| u64::try_from(number).map_err(|e| corrupt("a tick's number", e));
    Ok(TickId { epoch: number(epoch)?, seq: number(seq)? })
}

fn condition(name: &str, Exact(target): Exact, window: Option<i64>) -> Result<AlertCondition, StoreError> {
    let window = window.map(u32::try_from).transpose().map_err(|e| corrupt("a window of an alert", e))?;
    AlertCondition::try_new(name, target, window).map_err(|e| corrupt("the condition of an alert", e))
}

fn source(name: &str) -> Result<Source, StoreError> {
    Source::from_name(name).ok_or(StoreError::Corrupt { what: "fired_alerts.source", source: None })
}

pub(super) fn fired_row(fired: &FiredAlert) -> fired_alerts::ActiveModel {
    fired_alerts::ActiveModel {
        id: Set(fired.notification.0),
        rule_id: Set(fired.rule.0),
        user_id: Set(fired.user.0),
        symbol: Set(fired.symbol.as_str().to_owned()),
        condition: Set(fired.condition.name().to_owned()),
        target: Set(Exact(fired.condition.target())),
        window_seconds: Set(fired.condition.window_seconds().map(i64::from)),
        price: Set(Exact(fired.price.usd())),
        moved_from: Set(fired.moved_from.map(|from| Exact(from.usd()))),
        source: Set(fired.source.map(|source| source.name().to_owned())),
        epoch: Set(number(fired.tick.epoch)),
        seq: Set(number(fired.tick.seq)),
        fired_at: Set(Moment(fired.at)),
    }
}

pub(super) fn fired(row: &fired_alerts::Model) -> Result<FiredAlert, StoreError> {
    let price = |Exact(usd): Exact| Price::try_new(usd).map_err(|e| corrupt("a price of fired_alerts", e));
    Ok(FiredAlert {
        rule: AlertRuleId(row.rule_id),
        user: UserId(row.user_id),
        notification: NotificationId(row.id),
        symbol: Symbol::try_new(&row.symbol).map_err(|e| corrupt("fired_alerts.symbol", e))?,
        condition: condition(&row.condition, row.target, row.window_seconds)?,
        price: price(row.price)?,
        moved_from: row.moved_from.map(price).transpose()?,
        source: row.source.as_deref().map(source).transpose()?,
        tick: tick(row.epoch, row.seq)?,
        at: row.fired_at.0,
    })
}
