use std::collections::BTreeMap;

use async_trait::async_trait;
use coinlink_domain::{
    market::{Symbol, TickId},
    notifications::alerts::{AlertRule, AlertRuleId, Arming, FiredAlert},
    shared::user_id::UserId,
};
use coinlink_ports::{
    notifications::{AlertCounts, AlertRules},
    shared::StoreError,
};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect,
    sea_query::Expr,
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::alert_rows::{fired_row, number, rule, rule_row, state, tick};
use crate::{
    entities::{
        alert_progress,
        alert_rules::{ActiveModel, Column, Entity},
        fired_alerts, users,
    },
    exact::Moment,
    shared::transaction::SqlTx,
};

/// Rows in one statement.
const ROWS: usize = 500;
/// The one row of `alert_progress`.
const PROGRESS: i32 = 1;

/// A user's rules that were not deleted.
pub(super) fn kept(user: UserId) -> Condition {
    Condition::all().add(Column::UserId.eq(user.0)).add(Column::DeletedAt.is_null())
}

/// The rule as whoever changes it knows it.
fn before(rule: &AlertRule) -> Condition {
    let revision = i64::from(rule.revision) - 1;
    Condition::all().add(Column::Id.eq(rule.id.0)).add(Column::DeletedAt.is_null()).add(Column::Revision.eq(revision))
}

/// Last fired before this tick, or never.
fn fired_before(of: TickId) -> Condition {
    let same_leader = Condition::all().add(Column::LastEpoch.eq(number(of.epoch))).add(Column::LastSeq.lt(number(of.seq)));
    Condition::any().add(Column::LastEpoch.is_null()).add(Column::LastEpoch.lt(number(of.epoch))).add(same_leader)
}

#[async_trait]
impl AlertRules for SqlTx {
    async fn count(&mut self, user: UserId) -> Result<Option<AlertCounts>, StoreError> {
        let transaction = self.take()?;
        // Whoever adds a rule holds its account.
        let account = users::Entity::find_by_id(user.0).select_only().column(users::Column::Id).lock_exclusive();
        let account: Option<Uuid> = self.call(account.into_tuple().one(&transaction)).await?;
        let mut counts = None;
        if account.is_some() {
            let active = Entity::find().filter(kept(user)).filter(Column::IsActive.eq(true));
            let active = self.call(active.count(&transaction)).await?;
            let kept = self.call(Entity::find().filter(kept(user)).count(&transaction)).await?;
            counts = Some(AlertCounts { active, kept });
        }
        self.put_back(transaction);
        Ok(counts)
    }

    async fn active_of(&mut self, user: UserId, symbol: &Symbol) -> Result<Vec<AlertRule>, StoreError> {
        let transaction = self.take()?;
        let find = Entity::find().filter(kept(user)).filter(Column::IsActive.eq(true)).filter(Column::Symbol.eq(symbol.as_str()));
        let rows = self.call(find.all(&transaction)).await?;
        self.put_back(transaction);
        rows.iter().map(rule).collect()
    }

    async fn add(&mut self, rule: &AlertRule, at: OffsetDateTime) -> Result<(), StoreError> {
        let transaction = self.take()?;
        self.call(Entity::insert(rule_row(rule, at)).exec_without_returning(&transaction)).await?;
        self.put_back(transaction);
        Ok(())
    }

    async fn lock(&mut self, user: UserId, id: AlertRuleId) -> Result<Option<AlertRule>, StoreError> {
        let transaction = self.take()?;
        let find = Entity::find_by_id(id.0).filter(kept(user)).lock_exclusive();
        let found = self.call(find.one(&transaction)).await?.as_ref().map(rule).transpose()?;
        self.put_back(transaction);
        Ok(found)
    }

    async fn save(&mut self, rule: &AlertRule, at: OffsetDateTime) -> Result<bool, StoreError> {
        let transaction = self.take()?;
        let whole = ActiveModel { id: NotSet, user_id: NotSet, created_at: NotSet, ..rule_row(rule, at) };
        let save = Entity::update_many().set(whole).filter(before(rule)).filter(Column::UserId.eq(rule.user.0));
        let saved = self.call(save.exec(&transaction)).await?.rows_affected;
        self.put_back(transaction);
        Ok(saved == 1)
    }

    async fn delete(&mut self, user: UserId, id: AlertRuleId, at: OffsetDateTime) -> Result<bool, StoreError> {
        let transaction = self.take()?;
        // It stays for a while, so that the evaluator hears of it.
        let deleted = ActiveModel {
            is_active: Set(false),
            changed_at: Set(Moment(at)),
            deleted_at: Set(Some(Moment(at))),
            ..Default::default()
        };
        let delete = Entity::update_many().set(deleted).filter(kept(user)).filter(Column::Id.eq(id.0));
        let deleted = self.call(delete.exec(&transaction)).await?.rows_affected;
        self.put_back(transaction);
        Ok(deleted == 1)
    }

    async fn evaluated(&mut self) -> Result<Option<TickId>, StoreError> {
        let transaction = self.take()?;
        let find = alert_progress::Entity::find_by_id(PROGRESS).lock_exclusive();
        let found = self.call(find.one(&transaction)).await?;
        self.put_back(transaction);
        found.as_ref().map(progress).transpose().map(Option::flatten)
    }

    async fn note_evaluated(&mut self, tick: TickId) -> Result<bool, StoreError> {
        use alert_progress::{Column, Entity};

        let transaction = self.take()?;
        let (epoch, seq) = (number(tick.epoch), number(tick.seq));
        let same_leader = Condition::all().add(Column::Epoch.eq(epoch)).add(Column::Seq.lt(seq));
        let note = Entity::update_many()
            .col_expr(Column::Epoch, Expr::value(epoch))
            .col_expr(Column::Seq, Expr::value(seq))
            .filter(Column::Id.eq(PROGRESS))
            .filter(Condition::any().add(Column::Epoch.lt(epoch)).add(same_leader));
        let noted = self.call(note.exec(&transaction)).await?.rows_affected;
        self.put_back(transaction);
        Ok(noted == 1)
    }

    async fn hand_over(&mut self, from: TickId, to: TickId) -> Result<bool, StoreError> {
        let transaction = self.take()?;
        let replace = alert_progress::Entity::update_many()
            .col_expr(alert_progress::Column::Epoch, Expr::value(number(to.epoch)))
            .col_expr(alert_progress::Column::Seq, Expr::value(number(to.seq)))
            .filter(alert_progress::Column::Id.eq(PROGRESS))
            .filter(alert_progress::Column::Epoch.eq(number(from.epoch)))
            .filter(alert_progress::Column::Seq.eq(number(from.seq)));
        let did = self.call(replace.exec(&transaction)).await?.rows_affected == 1;
        if did {
            let behind = Entity::update_many()
                .col_expr(Column::LastEpoch, Expr::value(number(to.epoch)))
                .col_expr(Column::LastSeq, Expr::value(number(to.seq)))
                .filter(Column::LastEpoch.gt(number(to.epoch)));
            self.call(behind.exec(&transaction)).await?;
        }
        self.put_back(transaction);
        Ok(did)
    }

    async fn fire(&mut self, rule: &AlertRule, fired: &FiredAlert) -> Result<bool, StoreError> {
        let transaction = self.take()?;
        let fire = Entity::update_many().set(state(rule)).filter(before(rule));
        let fire = fire.filter(Column::IsActive.eq(true)).filter(fired_before(fired.tick));
        let did = self.call(fire.exec(&transaction)).await?.rows_affected == 1;
        if did {
            self.call(fired_alerts::Entity::insert(fired_row(fired)).exec_without_returning(&transaction)).await?;
        }
        self.put_back(transaction);
        Ok(did)
    }

    async fn arm(&mut self, rules: &[AlertRule]) -> Result<u64, StoreError> {
        let transaction = self.take()?;
        // Most have the same revision: rules that cross, and were just made.
        let mut by_revision: BTreeMap<i64, Vec<Uuid>> = BTreeMap::new();
        for rule in rules {
            by_revision.entry(i64::from(rule.revision)).or_default().push(rule.id.0);
        }
        let mut armed = 0;
        for (revision, ids) in &by_revision {
            for ids in ids.chunks(ROWS) {
                let arm = Entity::update_many()
                    .col_expr(Column::Arming, Expr::value(Arming::Armed.name()))
                    .col_expr(Column::Revision, Expr::value(*revision))
                    .filter(Column::Id.is_in(ids.iter().copied()))
                    .filter(Column::Revision.eq(revision - 1))
                    .filter(Column::IsActive.eq(true))
                    .filter(Column::DeletedAt.is_null());
                armed += self.call(arm.exec(&transaction)).await?.rows_affected;
            }
        }
        self.put_back(transaction);
        Ok(armed)
    }
}

/// What stands in the one row; zeros are from before the first tick.
pub(super) fn progress(row: &alert_progress::Model) -> Result<Option<TickId>, StoreError> {
    let noted = tick(row.epoch, row.seq)?;
    Ok((noted.epoch > 0).then_some(noted))
}
