use async_trait::async_trait;
use coinlink_domain::{
    market::TickId,
    notifications::alerts::{AlertRule, AlertRuleId, FiredAlert},
    shared::user_id::UserId,
};
use coinlink_ports::{
    notifications::{AlertNews, AlertReads, AlertsBefore, ReadRule},
    shared::StoreError,
};
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{LockBehavior, LockType},
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    alert_rows::{RuleRow, fired, rule},
    alerts::{kept, progress},
    store::SqlNotificationsStore,
};
use crate::{
    entities::{
        alert_progress,
        alert_rules::{Column, Entity},
        fired_alerts,
    },
    exact::Moment,
    write_transaction,
};

/// Rows in one statement.
const ROWS: usize = 500;
/// The most rows of a table that go at once: more would take longer than a call may.
const PRUNED_AT_ONCE: u64 = 5_000;

#[async_trait]
impl AlertReads for SqlNotificationsStore {
    async fn rules_of(&self, user: UserId, active_only: bool) -> Result<Vec<AlertRule>, StoreError> {
        let mut find = Entity::find().filter(kept(user));
        if active_only {
            find = find.filter(Column::IsActive.eq(true));
        }
        let find = find.order_by_desc(Column::CreatedAt).order_by_desc(Column::Id);
        let rows = self.database.within_deadline(find.all(&self.database.connection)).await?;
        rows.iter().map(rule).collect()
    }

    async fn fired(&self, user: UserId, limit: u32) -> Result<Vec<FiredAlert>, StoreError> {
        use fired_alerts::{Column, Entity};

        let find = Entity::find().filter(Column::UserId.eq(user.0)).order_by_desc(Column::FiredAt).order_by_desc(Column::Id);
        let find = find.limit(u64::from(limit));
        let rows = self.database.within_deadline(find.all(&self.database.connection)).await?;
        rows.iter().map(fired).collect()
    }

    async fn active_rules(&self, after: Option<AlertRuleId>, limit: u32) -> Result<Vec<ReadRule>, StoreError> {
        let mut find = Entity::find().filter(Column::IsActive.eq(true)).filter(Column::DeletedAt.is_null());
        if let Some(AlertRuleId(after)) = after {
            find = find.filter(Column::Id.gt(after));
        }
        let find = find.order_by_asc(Column::Id).limit(u64::from(limit)).into_model::<RuleRow>();
        let rows = self.database.within_deadline(find.all(&self.database.connection)).await?;
        Ok(rows.into_iter().map(|row| row.rule).collect())
    }

    async fn rules(&self, ids: &[AlertRuleId]) -> Result<Vec<ReadRule>, StoreError> {
        let mut rules = Vec::new();
        for chunk in ids.chunks(ROWS) {
            let find = Entity::find().filter(Column::Id.is_in(chunk.iter().map(|id| id.0))).filter(Column::DeletedAt.is_null());
            let find = find.into_model::<RuleRow>();
            let rows = self.database.within_deadline(find.all(&self.database.connection)).await?;
            rules.extend(rows.into_iter().map(|row| row.rule));
        }
        Ok(rules)
    }

    async fn news(&self, since: OffsetDateTime, after: Option<AlertRuleId>, limit: u32) -> Result<Vec<AlertNews>, StoreError> {
        let mut find = Entity::find().filter(Column::ChangedAt.gte(Moment(since)));
        if let Some(AlertRuleId(after)) = after {
            find = find.filter(Column::Id.gt(after));
        }
        let find = find.order_by_asc(Column::Id).limit(u64::from(limit)).into_model::<RuleRow>();
        let rows = self.database.within_deadline(find.all(&self.database.connection)).await?;
        let news = rows.into_iter().map(|row| match row {
            RuleRow { id, is_deleted: true, .. } => AlertNews::Deleted(id),
            RuleRow { rule, .. } => rule.map_or_else(AlertNews::Unreadable, AlertNews::Changed),
        });
        Ok(news.collect())
    }

    async fn last_evaluated(&self) -> Result<Option<TickId>, StoreError> {
        let find = alert_progress::Entity::find();
        let found = self.database.within_deadline(find.one(&self.database.connection)).await?;
        found.as_ref().map(progress).transpose().map(Option::flatten)
    }

    async fn prune_alerts(&self, before: AlertsBefore, limit: u64) -> Result<u64, StoreError> {
        let limit = limit.min(PRUNED_AT_ONCE);
        let pruned = async {
            let transaction = write_transaction::begin_with_row_locks(&self.database.connection).await?;
            let old = fired_alerts::Entity::find().select_only().column(fired_alerts::Column::Id);
            let old = old.filter(fired_alerts::Column::FiredAt.lt(Moment(before.fired)));
            let old = old.order_by_asc(fired_alerts::Column::FiredAt).limit(limit);
            let fired: Vec<Uuid> =
                old.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked).into_tuple().all(&transaction).await?;
            for ids in fired.chunks(ROWS) {
                let gone = fired_alerts::Entity::delete_many().filter(fired_alerts::Column::Id.is_in(ids.iter().copied()));
                gone.exec(&transaction).await?;
            }
            let old = Entity::find().select_only().column(Column::Id).filter(Column::DeletedAt.lt(Moment(before.deleted)));
            let old = old.order_by_asc(Column::DeletedAt).limit(limit);
            let deleted: Vec<Uuid> =
                old.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked).into_tuple().all(&transaction).await?;
            for ids in deleted.chunks(ROWS) {
                Entity::delete_many().filter(Column::Id.is_in(ids.iter().copied())).exec(&transaction).await?;
            }
            transaction.commit().await?;
            Ok((fired.len() + deleted.len()) as u64)
        };
        self.database.within_deadline(pruned).await
    }
}
