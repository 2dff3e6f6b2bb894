use async_trait::async_trait;
use coinlink_domain::identity::{Session, SessionId, SessionPolicy, UserId};
use coinlink_ports::{identity::Sessions, shared::StoreError};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use time::{Duration, OffsetDateTime};

use super::{
    session_row::{changes, row, session},
    transaction::SqlTx,
};
use crate::{
    entities::sessions::{Column, Entity},
    exact::Moment,
};

/// [`Session::is_live`] as a condition.
pub(super) fn is_live(now: OffsetDateTime, policy: &SessionPolicy) -> Condition {
    Condition::all()
        .add(Column::EndedAt.is_null())
        .add(Column::RotatedAt.gt(ago(policy.idle, now)))
        .add(Column::CreatedAt.gt(ago(policy.absolute, now)))
}

/// The moment so long before `now`, and not before there were clocks.
pub(super) fn ago(span: Duration, now: OffsetDateTime) -> Moment {
    Moment(now.checked_sub(span).unwrap_or(OffsetDateTime::UNIX_EPOCH).max(OffsetDateTime::UNIX_EPOCH))
}

#[async_trait]
impl Sessions for SqlTx {
    async fn add(&mut self, session: &Session) -> Result<(), StoreError> {
        let transaction = self.take()?;
        self.call(Entity::insert(row(session)).exec_without_returning(&transaction)).await?;
        self.put_back(transaction);
        Ok(())
    }

    async fn lock(&mut self, id: SessionId) -> Result<Option<Session>, StoreError> {
        let transaction = self.take()?;
        let row = self.call(Entity::find_by_id(id.0).lock_exclusive().one(&transaction)).await?;
        self.put_back(transaction);
        row.map(session).transpose()
    }

    async fn lock_live(&mut self, user: UserId, now: OffsetDateTime, policy: &SessionPolicy) -> Result<Vec<Session>, StoreError> {
        let transaction = self.take()?;
        let live = Entity::find().filter(Column::UserId.eq(user.0)).filter(is_live(now, policy));
        let rows = self.call(live.order_by_asc(Column::Id).lock_exclusive().all(&transaction)).await?;
        self.put_back(transaction);
        rows.into_iter().map(session).collect()
    }

    async fn save(&mut self, session: &Session) -> Result<bool, StoreError> {
        let transaction = self.take()?;
        let goes_on = Condition::all().add(Column::Id.eq(session.id.0)).add(Column::EndedAt.is_null());
        let change = Entity::update_many().set(changes(session)).filter(goes_on);
        let updated = self.call(change.exec(&transaction)).await?.rows_affected;
        self.put_back(transaction);
        Ok(updated == 1)
    }
}
