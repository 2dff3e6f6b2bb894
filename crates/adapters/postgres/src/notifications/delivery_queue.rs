use std::collections::HashMap;

use async_trait::async_trait;
use coinlink_domain::notifications::{Notification, UnderWay, Webhook};
use coinlink_ports::{
    notifications::{DeliveryCounts, DeliveryQueue, EndedBefore, ForSockets, ForWebhook, WayCounts},
    shared::StoreError,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, Iterable, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, Select, UpdateMany,
    sea_query::{Expr, ExprTrait, LockBehavior, LockType, Query},
};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{SqlNotificationsStore, fired, rows, turns};
use crate::{
    entities::{
        notification_deliveries::{Column, Entity, Model},
        notifications, webhooks,
    },
    errors::corrupt,
    exact::Moment,
    shared::outbox::{DEAD, SENT, WAITING},
    write_transaction,
};

const SOCKET: &str = "socket";
pub(super) const WEBHOOK: &str = "webhook";
/// The most rows of a kind that go at once: more would take longer than a call may.
const PRUNED_AT_ONCE: u64 = 5_000;
/// Rows in one statement.
const ROWS: usize = 500;

pub(super) fn due(channel: &str, now: OffsetDateTime) -> Select<Entity> {
    let due = Entity::find().select_only().column(Column::Id).filter(Column::State.eq(WAITING));
    due.filter(Column::Channel.eq(channel)).filter(Column::DueAt.lte(Moment(now)))
}

pub(super) fn moment(at: OffsetDateTime) -> Expr {
    Expr::value(Moment(at)).cast_as("timestamptz_text")
}

/// A change of one that waits and was not claimed since `attempt`.
fn of_attempt(id: Uuid, attempt: u32) -> UpdateMany<Entity> {
    let waiting = Entity::update_many().filter(Column::Id.eq(id)).filter(Column::State.eq(WAITING));
    waiting.filter(Column::Attempts.eq(i64::from(attempt)))
}

fn ended(change: UpdateMany<Entity>, state: &str, at: OffsetDateTime) -> UpdateMany<Entity> {
    change.col_expr(Column::State, Expr::value(state)).col_expr(Column::EndedAt, moment(at))
}

/// One more attempt of each of these, in their order.
async fn take(connection: &impl ConnectionTrait, ids: &[Uuid], until: OffsetDateTime) -> Result<Vec<Model>, DbErr> {
    let mut take = Entity::update_many()
        .col_expr(Column::Attempts, Expr::col(Column::Attempts).add(1))
        .col_expr(Column::DueAt, moment(until))
        .filter(Column::Id.is_in(ids.iter().copied()))
        .into_query();
    take.returning(Query::returning().columns(Column::iter()));
    let mut rows = Model::find_by_statement(connection.get_database_backend().build(&take)).all(connection).await?;
    rows.sort_by_key(|row| ids.iter().position(|id| *id == row.id));
    Ok(rows)
}

async fn notifications_of(
    connection: &impl ConnectionTrait,
    claimed: &[Model],
) -> Result<HashMap<Uuid, notifications::Model>, DbErr> {
    let ids = claimed.iter().map(|row| row.notification_id);
    let found = notifications::Entity::find().filter(notifications::Column::Id.is_in(ids)).all(connection).await?;
    Ok(found.into_iter().map(|row| (row.id, row)).collect())
}

fn attempt(row: &Model) -> u32 {
    // A number that nobody can have put there is one too many.
    u32::try_from(row.attempts).unwrap_or(u32::MAX)
}

type Claimed = (Vec<Model>, HashMap<Uuid, notifications::Model>, HashMap<Uuid, webhooks::Model>);

impl SqlNotificationsStore {
    async fn claim_some(
        &self,
        channel: &str,
        now: OffsetDateTime,
        lease: Duration,
        limit: u32,
        under_way: &[UnderWay],
    ) -> Result<Claimed, DbErr> {
        let connection = &self.database.connection;
        // Mostly nothing is due: then no transaction is begun, and on SQLite nobody waits for it.
        if limit == 0 || due(channel, now).limit(1).into_tuple::<Uuid>().one(connection).await?.is_none() {
            return Ok(Claimed::default());
        }
        let transaction = write_transaction::begin_with_row_locks(connection).await?;
        let (ids, hooks) = if channel == SOCKET {
            let first = due(channel, now).order_by_asc(Column::DueAt).order_by_asc(Column::Id).limit(u64::from(limit));
            let first = first.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
            (first.into_tuple().all(&transaction).await?, HashMap::new())
        } else {
            turns::take_turns(&transaction, now, limit as usize, under_way).await?
        };
        let rows = take(&transaction, &ids, now + lease).await?;
        let notifications = notifications_of(&transaction, &rows).await?;
        transaction.commit().await?;
        Ok((rows, notifications, hooks))
    }
}

#[async_trait]
impl DeliveryQueue for SqlNotificationsStore {
    async fn claim_for_sockets(&self, now: OffsetDateTime, lease: Duration, limit: u32) -> Result<Vec<ForSockets>, StoreError> {
        let claim = self.claim_some(SOCKET, now, lease, limit, &[]);
        let (claimed, notifications, _) = self.database.within_deadline(claim).await?;
        let mut found = Vec::with_capacity(claimed.len());
        for row in claimed {
            if let Some(notification) = readable(&notifications, &row) {
                let fired = row.fired.as_deref().and_then(fired::read);
                found.push(ForSockets { id: row.id, attempt: attempt(&row), notification, fired });
            }
        }
        Ok(found)
    }

    async fn claim_for_webhooks(
        &self,
        now: OffsetDateTime,
        lease: Duration,
        limit: u32,
        under_way: &[UnderWay],
    ) -> Result<Vec<ForWebhook>, StoreError> {
        let claim = self.claim_some(WEBHOOK, now, lease, limit, under_way);
        let (claimed, notifications, hooks) = self.database.within_deadline(claim).await?;
        let mut found = Vec::with_capacity(claimed.len());
        for row in claimed {
            let webhook: Option<Webhook> = row.webhook_id.and_then(|id| rows::webhook(hooks.get(&id)?.clone()).ok());
            if let Some((notification, webhook)) = readable(&notifications, &row).zip(webhook) {
                found.push(ForWebhook { id: row.id, attempt: attempt(&row), notification, webhook });
            }
        }
        Ok(found)
    }

    async fn sent(&self, id: Uuid, now: OffsetDateTime) -> Result<(), StoreError> {
        let change = async {
            let transaction = write_transaction::begin_with_row_locks(&self.database.connection).await?;
            let whoever = Entity::update_many().filter(Column::Id.eq(id)).filter(Column::State.ne(SENT));
            let change = ended(whoever, SENT, now).col_expr(Column::Error, Expr::value(None::<String>));
            if change.exec(&transaction).await?.rows_affected > 0 {
                let taken = webhooks::Entity::update_many()
                    .col_expr(webhooks::Column::Failures, Expr::value(0_i64))
                    .col_expr(webhooks::Column::LastCallAt, moment(now))
                    .col_expr(webhooks::Column::LastSuccessAt, moment(now))
                    .col_expr(webhooks::Column::LastError, Expr::value(None::<String>));
                taken.filter(hook_of(id)).exec(&transaction).await?;
            }
            transaction.commit().await
        };
        self.database.within_deadline(change).await
    }

    async fn postpone(
        &self,
        id: Uuid,
        attempt: u32,
        now: OffsetDateTime,
        due: OffsetDateTime,
        why: &str,
    ) -> Result<bool, StoreError> {
        let change = async {
            let transaction = write_transaction::begin_with_row_locks(&self.database.connection).await?;
            let change = of_attempt(id, attempt).col_expr(Column::DueAt, moment(due)).col_expr(Column::Error, Expr::value(why));
            let postponed = change.exec(&transaction).await?.rows_affected > 0;
            if postponed {
                failed(&transaction, id, now, why).await?;
            }
            transaction.commit().await?;
            Ok(postponed)
        };
        self.database.within_deadline(change).await
    }

    async fn give_up(&self, id: Uuid, attempt: u32, now: OffsetDateTime, why: &str) -> Result<bool, StoreError> {
        let change = async {
            let transaction = write_transaction::begin_with_row_locks(&self.database.connection).await?;
            let change = ended(of_attempt(id, attempt), DEAD, now).col_expr(Column::Error, Expr::value(why));
            let gave_up = change.exec(&transaction).await?.rows_affected > 0;
            if gave_up {
                failed(&transaction, id, now, why).await?;
                let one_more = Expr::col(webhooks::Column::Failures).add(1);
                let one_more = webhooks::Entity::update_many().col_expr(webhooks::Column::Failures, one_more);
                one_more.filter(hook_of(id)).exec(&transaction).await?;
                let disable = webhooks::Entity::update_many().col_expr(webhooks::Column::DisabledAt, moment(now));
                let too_many = webhooks::Column::Failures.gte(i64::from(Webhook::MOST_FAILURES));
                let disable = disable.filter(hook_of(id)).filter(too_many).filter(webhooks::Column::DisabledAt.is_null());
                disable.exec(&transaction).await?;
            }
            transaction.commit().await?;
            Ok(gave_up)
        };
        self.database.within_deadline(change).await
    }

    async fn withdraw(&self, id: Uuid, attempt: u32, now: OffsetDateTime, why: &str) -> Result<bool, StoreError> {
        let change = ended(of_attempt(id, attempt), DEAD, now).col_expr(Column::Error, Expr::value(why));
        let changed = self.database.within_deadline(change.exec(&self.database.connection)).await?;
        Ok(changed.rows_affected > 0)
    }

    async fn delivery_counts(&self) -> Result<DeliveryCounts, StoreError> {
        let counts = Entity::find()
            .select_only()
            .columns([Column::Channel, Column::State])
            .column_as(Column::Id.count(), "deliveries")
            .column_as(Column::DueAt.min(), "oldest")
            .filter(Column::State.is_in([WAITING, DEAD]))
            .group_by(Column::Channel)
            .group_by(Column::State);
        let counted = self.database.within_deadline(counts.into_tuple().all(&self.database.connection)).await?;
        let counted: Vec<(String, String, i64, Option<Moment>)> = counted;
        let mut counts = DeliveryCounts::default();
        for (channel, state, deliveries, oldest) in counted {
            let of: &mut WayCounts = if channel == SOCKET { &mut counts.sockets } else { &mut counts.webhooks };
            let deliveries = u64::try_from(deliveries).map_err(|e| corrupt("a count of deliveries", e))?;
            if state == WAITING {
                (of.waiting, of.oldest) = (deliveries, oldest.map(|Moment(at)| at));
            } else {
                of.dead = deliveries;
            }
        }
        Ok(counts)
    }

    async fn prune_deliveries(&self, before: EndedBefore, limit: u64) -> Result<u64, StoreError> {
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

/// One that cannot be read stays where it is, and is looked at again when the lease is over: others go on.
fn readable(notifications: &HashMap<Uuid, notifications::Model>, row: &Model) -> Option<Notification> {
    let read = rows::notification(notifications.get(&row.notification_id)?.clone());
    read.ok()
}

/// Notes how the last call of a webhook went. One that is not in use was not called.
async fn failed(connection: &impl ConnectionTrait, delivery: Uuid, now: OffsetDateTime, why: &str) -> Result<(), DbErr> {
    let last = webhooks::Entity::update_many().col_expr(webhooks::Column::LastCallAt, moment(now));
    let last = last.col_expr(webhooks::Column::LastError, Expr::value(why));
    last.filter(hook_of(delivery)).filter(webhooks::Column::DisabledAt.is_null()).exec(connection).await.map(drop)
}

/// The webhook of a delivery, where it has one.
fn hook_of(delivery: Uuid) -> Condition {
    let hook = Entity::find_by_id(delivery).select_only().column(Column::WebhookId).filter(Column::WebhookId.is_not_null());
    Condition::all().add(webhooks::Column::Id.in_subquery(hook.into_query()))
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
