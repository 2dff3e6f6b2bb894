use std::sync::Arc;

use async_trait::async_trait;
use coinlink_ports::{
    notifications::{ClaimedMail, EndedBefore, MailCounts, MailQueue},
    shared::{SecretBox, StoreError},
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseConnection, DbErr, EntityTrait, FromQueryResult, Iterable, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait, Select, UpdateMany,
    sea_query::{Expr, ExprTrait, LockBehavior, LockType, Query},
};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::{
    Database,
    entities::outbox_mails::{Column, Entity, Model},
    errors::corrupt,
    exact::Moment,
    shared::outbox::{DEAD, SENT, WAITING, letter},
    write_transaction,
};

/// The most rows of a kind that go at once: more would take longer than a call may.
const PRUNED_AT_ONCE: u64 = 5_000;
/// Rows in one statement.
const ROWS: usize = 500;

/// The outbox, read by whoever delivers it.
#[derive(Clone)]
pub struct SqlMailQueue {
    database: Database,
    secrets: Arc<dyn SecretBox>,
}

impl SqlMailQueue {
    /// In this database; what letters say is opened with `secrets`.
    #[must_use]
    pub fn new(database: Database, secrets: Arc<dyn SecretBox>) -> Self {
        Self { database, secrets }
    }

    async fn change(&self, change: UpdateMany<Entity>) -> Result<bool, StoreError> {
        let changed = self.database.within_deadline(change.exec(&self.database.connection)).await?;
        Ok(changed.rows_affected > 0)
    }

    fn claimed(&self, row: Model) -> ClaimedMail {
        // A number that nobody can have put there is one too many.
        let attempt = u32::try_from(row.attempts).unwrap_or(u32::MAX);
        ClaimedMail { id: row.id, template: row.template.clone().into(), attempt, mail: letter(row, &*self.secrets) }
    }
}

fn due(now: OffsetDateTime) -> Select<Entity> {
    Entity::find().select_only().column(Column::Id).filter(Column::State.eq(WAITING)).filter(Column::DueAt.lte(Moment(now)))
}

fn moment(at: OffsetDateTime) -> Expr {
    Expr::value(Moment(at)).cast_as("timestamptz_text")
}

/// A change of a letter that waits and was not claimed since `attempt`.
fn of_attempt(id: Uuid, attempt: u32) -> UpdateMany<Entity> {
    let waiting = Entity::update_many().filter(Column::Id.eq(id)).filter(Column::State.eq(WAITING));
    waiting.filter(Column::Attempts.eq(i64::from(attempt)))
}

/// The letter ended: what it says is erased.
fn ended(change: UpdateMany<Entity>, state: &str, at: OffsetDateTime) -> UpdateMany<Entity> {
    change
        .col_expr(Column::State, Expr::value(state))
        .col_expr(Column::EndedAt, moment(at))
        .col_expr(Column::KeyId, Expr::value(None::<String>))
        .col_expr(Column::Fields, Expr::value(None::<Vec<u8>>))
}

/// Rows that others claim at the same moment are left to them.
async fn claim(connection: &DatabaseConnection, now: OffsetDateTime, lease: Duration, limit: u32) -> Result<Vec<Model>, DbErr> {
    // Mostly nothing is due: then no transaction is begun, and on SQLite nobody waits for it.
    if due(now).limit(1).into_tuple::<Uuid>().one(connection).await?.is_none() {
        return Ok(Vec::new());
    }
    let transaction = write_transaction::begin_with_row_locks(connection).await?;
    let first = due(now).order_by_asc(Column::DueAt).order_by_asc(Column::Id).limit(u64::from(limit));
    let first = first.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
    let ids: Vec<Uuid> = first.into_tuple().all(&transaction).await?;
    let mut take = Entity::update_many()
        .col_expr(Column::Attempts, Expr::col(Column::Attempts).add(1))
        .col_expr(Column::DueAt, moment(now + lease))
        .filter(Column::Id.is_in(ids.iter().copied()))
        .into_query();
    take.returning(Query::returning().columns(Column::iter()));
    let mut rows = Model::find_by_statement(transaction.get_database_backend().build(&take)).all(&transaction).await?;
    transaction.commit().await?;
    rows.sort_by_key(|row| ids.iter().position(|id| *id == row.id));
    Ok(rows)
}

async fn prune(connection: &impl ConnectionTrait, state: &str, before: OffsetDateTime, limit: u64) -> Result<u64, DbErr> {
    let old = Entity::find().select_only().column(Column::Id).filter(Column::State.eq(state));
    let old = old.filter(Column::EndedAt.lt(Moment(before))).order_by_asc(Column::EndedAt).limit(limit);
    let old = old.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
    let ids: Vec<Uuid> = old.into_tuple().all(connection).await?;
    for chunk in ids.chunks(ROWS) {
        Entity::delete_many().filter(Column::Id.is_in(chunk.iter().copied())).exec(connection).await?;
    }
    Ok(ids.len() as u64)
}

#[async_trait]
impl MailQueue for SqlMailQueue {
    async fn claim(&self, now: OffsetDateTime, lease: Duration, limit: u32) -> Result<Vec<ClaimedMail>, StoreError> {
        let rows = self.database.within_deadline(claim(&self.database.connection, now, lease, limit)).await?;
        Ok(rows.into_iter().map(|row| self.claimed(row)).collect())
    }

    async fn sent(&self, id: Uuid, now: OffsetDateTime) -> Result<(), StoreError> {
        let whoever = Entity::update_many().filter(Column::Id.eq(id)).filter(Column::State.ne(SENT));
        self.change(ended(whoever, SENT, now).col_expr(Column::Error, Expr::value(None::<String>))).await.map(drop)
    }

    async fn postpone(&self, id: Uuid, attempt: u32, due: OffsetDateTime, why: &str) -> Result<bool, StoreError> {
        let change = of_attempt(id, attempt).col_expr(Column::DueAt, moment(due)).col_expr(Column::Error, Expr::value(why));
        self.change(change).await
    }

    async fn give_up(&self, id: Uuid, attempt: u32, now: OffsetDateTime, why: &str) -> Result<bool, StoreError> {
        self.change(ended(of_attempt(id, attempt), DEAD, now).col_expr(Column::Error, Expr::value(why))).await
    }

    async fn counts(&self) -> Result<MailCounts, StoreError> {
        let counts = Entity::find()
            .select_only()
            .column(Column::State)
            .column_as(Column::Id.count(), "letters")
            .column_as(Column::CreatedAt.min(), "oldest")
            .filter(Column::State.is_in([WAITING, DEAD]))
            .group_by(Column::State);
        let counted = self.database.within_deadline(counts.into_tuple().all(&self.database.connection)).await?;
        let counted: Vec<(String, i64, Option<Moment>)> = counted;
        let mut counts = MailCounts::default();
        for (state, letters, oldest) in counted {
            let letters = u64::try_from(letters).map_err(|e| corrupt("a count of letters", e))?;
            if state == WAITING {
                (counts.waiting, counts.oldest) = (letters, oldest.map(|Moment(at)| at));
            } else {
                counts.dead = letters;
            }
        }
        Ok(counts)
    }

    async fn prune(&self, before: EndedBefore, limit: u64) -> Result<u64, StoreError> {
        let limit = Ord::min(limit, PRUNED_AT_ONCE);
        let pruned = async {
            let transaction = write_transaction::begin_with_row_locks(&self.database.connection).await?;
            let sent = prune(&transaction, SENT, before.sent, limit).await?;
            let dead = prune(&transaction, DEAD, before.dead, limit).await?;
            transaction.commit().await?;
            Ok(sent + dead)
        };
        self.database.within_deadline(pruned).await
    }
}
