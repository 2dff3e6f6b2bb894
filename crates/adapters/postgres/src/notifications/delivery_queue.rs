use std::collections::HashMap;

use async_trait::async_trait;
use coinlink_domain::notifications::{Notification, UnderWay, Webhook};
use coinlink_ports::{
    notifications::{DeliveryCounts, DeliveryQueue, EndedBefore, ForSockets, ForWebhook, WayCounts},
    shared::StoreError,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QuerySelect, QueryTrait, Select,
    sea_query::{Expr, ExprTrait},
};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{
    SqlNotificationsStore, fired,
    queue::{self, attempt, moment},
    rows, turns,
};
use crate::{
    entities::{
        notification_deliveries::{Column, Entity, Model},
        notifications, webhooks,
    },
    errors::corrupt,
    exact::Moment,
    shared::outbox::{DEAD, WAITING},
    write_transaction,
};

const SOCKET: &str = "socket";
pub(super) const WEBHOOK: &str = "webhook";

pub(super) fn due(channel: &str, now: OffsetDateTime) -> Select<Entity> {
    queue::due(now).filter(Column::Channel.eq(channel))
}

async fn notifications_of(
    connection: &impl ConnectionTrait,
    claimed: &[Model],
) -> Result<HashMap<Uuid, notifications::Model>, DbErr> {
    let ids = claimed.iter().map(|row| row.notification_id);
    let found = notifications::Entity::find().filter(notifications::Column::Id.is_in(ids)).all(connection).await?;
    Ok(found.into_iter().map(|row| (row.id, row)).collect())
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
        if limit == 0 || queue::is_empty(connection, due(channel, now)).await? {
            return Ok(Claimed::default());
        }
        let transaction = write_transaction::begin_with_row_locks(connection).await?;
        let (ids, hooks) = if channel == SOCKET {
            (queue::first(&transaction, due(channel, now), limit).await?, HashMap::new())
        } else {
            turns::take_turns(&transaction, now, limit as usize, under_way).await?
        };
        let rows = queue::take::<Entity>(&transaction, &ids, now + lease).await?;
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
                found.push(ForSockets { id: row.id, attempt: attempt(row.attempts), notification, fired });
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
                found.push(ForWebhook { id: row.id, attempt: attempt(row.attempts), notification, webhook });
            }
        }
        Ok(found)
    }

    async fn sent(&self, id: Uuid, now: OffsetDateTime) -> Result<(), StoreError> {
        let change = async {
            let transaction = write_transaction::begin_with_row_locks(&self.database.connection).await?;
            if queue::sent::<Entity>(id, now).exec(&transaction).await?.rows_affected > 0 {
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
            let change = queue::postponed::<Entity>(id, attempt, due, why);
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
            let gave_up = queue::dead::<Entity>(id, attempt, now, why).exec(&transaction).await?.rows_affected > 0;
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
        let change = queue::dead::<Entity>(id, attempt, now, why);
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
        queue::prune::<Entity>(&self.database, before, limit).await
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
