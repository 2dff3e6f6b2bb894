//! Rows that wait, are claimed, and in the end are sent or dead: letters, and what is on its way to sockets and webhooks.

use coinlink_ports::{notifications::EndedBefore, shared::StoreError};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, Iterable, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, Select, UpdateMany,
    sea_query::{Expr, ExprTrait, LockBehavior, LockType, Query},
};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    Database,
    entities::{notification_deliveries, outbox_mails},
    exact::Moment,
    shared::outbox::{DEAD, SENT, WAITING},
    write_transaction,
};

/// The most rows of a kind that go at once: more would take longer than a call may.
const PRUNED_AT_ONCE: u64 = 5_000;
/// Rows in one statement.
const ROWS: usize = 500;

/// A table of such rows.
pub(super) trait Queued: EntityTrait {
    const ID: Self::Column;
    const STATE: Self::Column;
    const ATTEMPTS: Self::Column;
    const DUE_AT: Self::Column;
    const ERROR: Self::Column;
    const ENDED_AT: Self::Column;

    fn id(row: &Self::Model) -> Uuid;
}

macro_rules! queued {
    ($($table:ident),*) => {$(
        impl Queued for $table::Entity {
            const ID: Self::Column = $table::Column::Id;
            const STATE: Self::Column = $table::Column::State;
            const ATTEMPTS: Self::Column = $table::Column::Attempts;
            const DUE_AT: Self::Column = $table::Column::DueAt;
            const ERROR: Self::Column = $table::Column::Error;
            const ENDED_AT: Self::Column = $table::Column::EndedAt;

            fn id(row: &Self::Model) -> Uuid {
                row.id
            }
        }
    )*};
}

queued!(outbox_mails, notification_deliveries);

/// The number of an attempt.
pub(super) fn attempt(attempts: i64) -> u32 {
    // A number that nobody can have put there is one too many.
    u32::try_from(attempts).unwrap_or(u32::MAX)
}

pub(super) fn moment(at: OffsetDateTime) -> Expr {
    Expr::value(Moment(at)).cast_as("timestamptz_text")
}

/// The ids of those that are due.
pub(super) fn due<Q: Queued>(now: OffsetDateTime) -> Select<Q> {
    Q::find().select_only().column(Q::ID).filter(Q::STATE.eq(WAITING)).filter(Q::DUE_AT.lte(Moment(now)))
}

/// Mostly nothing is due: then no transaction is begun, and on SQLite nobody waits for it.
pub(super) async fn is_empty<Q: Queued>(connection: &impl ConnectionTrait, due: Select<Q>) -> Result<bool, DbErr> {
    due.limit(1).into_tuple::<Uuid>().one(connection).await.map(|found| found.is_none())
}

/// Locks those that are due longest. Rows that others claim at the same moment are left to them.
pub(super) async fn first<Q: Queued>(connection: &impl ConnectionTrait, due: Select<Q>, limit: u32) -> Result<Vec<Uuid>, DbErr> {
    let first = due.order_by_asc(Q::DUE_AT).order_by_asc(Q::ID).limit(u64::from(limit));
    first.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked).into_tuple().all(connection).await
}

/// One more attempt of each of these, in their order.
pub(super) async fn take<Q: Queued>(
    connection: &impl ConnectionTrait,
    ids: &[Uuid],
    until: OffsetDateTime,
) -> Result<Vec<Q::Model>, DbErr> {
    let mut take = Q::update_many()
        .col_expr(Q::ATTEMPTS, Expr::col(Q::ATTEMPTS).add(1))
        .col_expr(Q::DUE_AT, moment(until))
        .filter(Q::ID.is_in(ids.iter().copied()))
        .into_query();
    take.returning(Query::returning().columns(Q::Column::iter()));
    let taken = connection.get_database_backend().build(&take);
    let mut rows = Q::Model::find_by_statement(taken).all(connection).await?;
    rows.sort_by_key(|row| ids.iter().position(|id| *id == Q::id(row)));
    Ok(rows)
}

/// It was handed over, whoever else tries it.
pub(super) fn sent<Q: Queued>(id: Uuid, at: OffsetDateTime) -> UpdateMany<Q> {
    let whoever = Q::update_many().filter(Q::ID.eq(id)).filter(Q::STATE.ne(SENT));
    ended(whoever, SENT, at).col_expr(Q::ERROR, Expr::value(None::<String>))
}

/// It is tried again at `due`, where it was not claimed since `attempt`.
pub(super) fn postponed<Q: Queued>(id: Uuid, attempt: u32, due: OffsetDateTime, why: &str) -> UpdateMany<Q> {
    of_attempt(id, attempt).col_expr(Q::DUE_AT, moment(due)).col_expr(Q::ERROR, Expr::value(why))
}

/// It is given up, where it was not claimed since `attempt`.
pub(super) fn dead<Q: Queued>(id: Uuid, attempt: u32, at: OffsetDateTime, why: &str) -> UpdateMany<Q> {
    ended(of_attempt(id, attempt), DEAD, at).col_expr(Q::ERROR, Expr::value(why))
}

/// A change of one that waits and was not claimed since `attempt`.
fn of_attempt<Q: Queued>(id: Uuid, attempt: u32) -> UpdateMany<Q> {
    let waiting = Q::update_many().filter(Q::ID.eq(id)).filter(Q::STATE.eq(WAITING));
    waiting.filter(Q::ATTEMPTS.eq(i64::from(attempt)))
}

fn ended<Q: Queued>(change: UpdateMany<Q>, state: &str, at: OffsetDateTime) -> UpdateMany<Q> {
    change.col_expr(Q::STATE, Expr::value(state)).col_expr(Q::ENDED_AT, moment(at))
}

/// Removes at most `limit` of each kind that ended before. How many went.
pub(super) async fn prune<Q: Queued>(database: &Database, before: EndedBefore, limit: u64) -> Result<u64, StoreError> {
    let limit = Ord::min(limit, PRUNED_AT_ONCE);
    let pruned = async {
        let transaction = write_transaction::begin_with_row_locks(&database.connection).await?;
        let sent = prune_kind::<Q>(&transaction, SENT, before.sent, limit).await?;
        let dead = prune_kind::<Q>(&transaction, DEAD, before.dead, limit).await?;
        transaction.commit().await?;
        Ok(sent + dead)
    };
    database.within_deadline(pruned).await
}

async fn prune_kind<Q: Queued>(
    connection: &impl ConnectionTrait,
    state: &str,
    before: OffsetDateTime,
    limit: u64,
) -> Result<u64, DbErr> {
    let old = Q::find().select_only().column(Q::ID).filter(Q::STATE.eq(state));
    let old = old.filter(Q::ENDED_AT.lt(Moment(before))).order_by_asc(Q::ENDED_AT).limit(limit);
    let old = old.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
    let ids: Vec<Uuid> = old.into_tuple().all(connection).await?;
    for chunk in ids.chunks(ROWS) {
        Q::delete_many().filter(Q::ID.is_in(chunk.iter().copied())).exec(connection).await?;
    }
    Ok(ids.len() as u64)
}
