//! Forgetting what is over. Rows that somebody holds are left for the next time.

use coinlink_domain::identity::SessionPolicy;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{LockBehavior, LockType},
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::sessions::ago;
use crate::{
    entities::{sessions, sign_in_guards},
    exact::Moment,
};

/// Rows in one statement.
const ROWS: usize = 500;

pub(super) async fn attempts(connection: &impl ConnectionTrait, before: OffsetDateTime, limit: u64) -> Result<u64, DbErr> {
    use sign_in_guards::{Column, Entity};

    // What is locked until its owner does something stays.
    let over = Condition::any().add(Column::DelayedUntil.is_null()).add(Column::DelayedUntil.lt(Moment(before)));
    let old = Entity::find().select_only().column(Column::Key).filter(Column::LastAt.lt(Moment(before))).filter(over);
    let old = old.order_by_asc(Column::LastAt).limit(limit).lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
    let keys: Vec<String> = old.into_tuple().all(connection).await?;
    for chunk in keys.chunks(ROWS) {
        Entity::delete_many().filter(Column::Key.is_in(chunk)).exec(connection).await?;
    }
    Ok(keys.len() as u64)
}

pub(super) async fn sessions(
    connection: &impl ConnectionTrait,
    before: OffsetDateTime,
    policy: &SessionPolicy,
    limit: u64,
) -> Result<u64, DbErr> {
    use sessions::{Column, Entity};

    let over = Condition::any()
        .add(Column::EndedAt.lt(Moment(before)))
        .add(Column::RotatedAt.lt(ago(policy.idle, before)))
        .add(Column::CreatedAt.lt(ago(policy.absolute, before)));
    // None is over before it began; this one is what the index is for.
    let old = Entity::find().select_only().column(Column::Id).filter(Column::CreatedAt.lt(Moment(before))).filter(over);
    let old = old.order_by_asc(Column::CreatedAt).limit(limit).lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
    let ids: Vec<Uuid> = old.into_tuple().all(connection).await?;
    for chunk in ids.chunks(ROWS) {
        Entity::delete_many().filter(Column::Id.is_in(chunk.iter().copied())).exec(connection).await?;
    }
    Ok(ids.len() as u64)
}
