use async_trait::async_trait;
use coinlink_domain::identity::{ApiKey, ApiKeyId, UserId};
use coinlink_ports::{
    identity::{ApiKeyPlace, ApiKeyReads, ApiKeys},
    shared::StoreError,
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    sea_query::{LockBehavior, LockType},
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    api_key_row::{key, row},
    store::SqlIdentityStore,
    transaction::SqlTx,
};
use crate::{
    entities::{
        api_keys::{ActiveModel, Column, Entity},
        users,
    },
    exact::Moment,
    write_transaction,
};

/// Rows in one statement.
const ROWS: usize = 500;
/// The most rows that go at once: more would take longer than a call may.
const PRUNED_AT_ONCE: u64 = 5_000;

fn revoked(at: OffsetDateTime) -> ActiveModel {
    ActiveModel { revoked_at: sea_orm::ActiveValue::Set(Some(Moment(at))), ..Default::default() }
}

/// Those of `user` that were not revoked.
fn unrevoked(user: UserId) -> Condition {
    Condition::all().add(Column::UserId.eq(user.0)).add(Column::RevokedAt.is_null())
}

#[async_trait]
impl ApiKeys for SqlTx {
    async fn add(&mut self, key: &ApiKey) -> Result<(), StoreError> {
        let transaction = self.take()?;
        self.call(Entity::insert(row(key)).exec_without_returning(&transaction)).await?;
        self.put_back(transaction);
        Ok(())
    }

    async fn count_live(&mut self, user: UserId, now: OffsetDateTime) -> Result<u64, StoreError> {
        let transaction = self.take()?;
        let lasts = Condition::any().add(Column::ExpiresAt.is_null()).add(Column::ExpiresAt.gt(Moment(now)));
        let live = self.call(Entity::find().filter(unrevoked(user)).filter(lasts).count(&transaction)).await?;
        self.put_back(transaction);
        Ok(live)
    }

    async fn count_made(&mut self, user: UserId, since: OffsetDateTime) -> Result<u64, StoreError> {
        let transaction = self.take()?;
        let made = Entity::find().filter(Column::UserId.eq(user.0)).filter(Column::CreatedAt.gt(Moment(since)));
        let made = self.call(made.count(&transaction)).await?;
        self.put_back(transaction);
        Ok(made)
    }

    async fn revoke(&mut self, user: UserId, id: ApiKeyId, at: OffsetDateTime) -> Result<bool, StoreError> {
        let transaction = self.take()?;
        let revoke = Entity::update_many().set(revoked(at)).filter(unrevoked(user)).filter(Column::Id.eq(id.0));
        let changed = self.call(revoke.exec(&transaction)).await?.rows_affected;
        self.put_back(transaction);
        Ok(changed == 1)
    }

    async fn purge(&mut self, user: UserId, at: OffsetDateTime) -> Result<u64, StoreError> {
        let transaction = self.take()?;
        let revoke = Entity::update_many().set(revoked(at)).filter(unrevoked(user));
        let changed = self.call(revoke.exec(&transaction)).await?.rows_affected;
        self.put_back(transaction);
        Ok(changed)
    }
}

#[async_trait]
impl ApiKeyReads for SqlIdentityStore {
    async fn usable(&self, id: ApiKeyId) -> Result<Option<ApiKey>, StoreError> {
        let active =
            users::Entity::find().select_only().column(users::Column::Id).filter(users::Column::IsActive.eq(true)).into_query();
        let find = Entity::find_by_id(id.0).filter(Column::RevokedAt.is_null()).filter(Column::UserId.in_subquery(active));
        let row = self.database.within_deadline(find.one(&self.database.connection)).await?;
        row.as_ref().map(key).transpose()
    }

    async fn keys_of(&self, user: UserId, before: Option<ApiKeyPlace>, limit: u32) -> Result<Vec<ApiKey>, StoreError> {
        let behind = before.map(|ApiKeyPlace { at, id }| {
            let made_together = Condition::all().add(Column::CreatedAt.eq(Moment(at))).add(Column::Id.lt(id.0));
            Condition::any().add(Column::CreatedAt.lt(Moment(at))).add(made_together)
        });
        let newest_first = Entity::find().filter(unrevoked(user).add_option(behind)).order_by_desc(Column::CreatedAt);
        let newest_first = newest_first.order_by_desc(Column::Id).limit(u64::from(limit));
        let rows = self.database.within_deadline(newest_first.all(&self.database.connection)).await?;
        rows.iter().map(key).collect()
    }

    async fn note_use(&self, id: ApiKeyId, at: OffsetDateTime) -> Result<(), StoreError> {
        let due = Condition::any()
            .add(Column::LastUsedAt.is_null())
            .add(Column::LastUsedAt.lte(Moment(at.checked_sub(ApiKey::NOTED_EVERY).unwrap_or(OffsetDateTime::UNIX_EPOCH))));
        let used = ActiveModel { last_used_at: sea_orm::ActiveValue::Set(Some(Moment(at))), ..Default::default() };
        let note = Entity::update_many().set(used).filter(Column::Id.eq(id.0)).filter(due);
        self.database.within_deadline(note.exec(&self.database.connection)).await.map(drop)
    }

    async fn prune_keys(&self, before: OffsetDateTime, limit: u64) -> Result<u64, StoreError> {
        let limit = limit.min(PRUNED_AT_ONCE);
        let pruned = async {
            let transaction = write_transaction::begin_with_row_locks(&self.database.connection).await?;
            let mut pruned = 0;
            for over in [Column::RevokedAt, Column::ExpiresAt] {
                let old = Entity::find().select_only().column(Column::Id).filter(over.lt(Moment(before)));
                let old = old.order_by_asc(over).limit(limit - pruned);
                let old = old.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
                let ids: Vec<Uuid> = old.into_tuple().all(&transaction).await?;
                for chunk in ids.chunks(ROWS) {
                    Entity::delete_many().filter(Column::Id.is_in(chunk.iter().copied())).exec(&transaction).await?;
                }
                pruned += ids.len() as u64;
            }
            transaction.commit().await?;
            Ok(pruned)
        };
        self.database.within_deadline(pruned).await
    }
}
