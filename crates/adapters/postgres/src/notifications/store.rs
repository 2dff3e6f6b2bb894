use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use coinlink_domain::{
    notifications::{Notification, NotificationId, NotificationSettings, Webhook, WebhookId},
    shared::{sealed::Sealed, user_id::UserId},
};
use coinlink_ports::{
    notifications::{InboxQuery, NotificationsStore, NotificationsTx, Standing},
    shared::{SecretBox, StoreError},
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait,
    sea_query::{ExprTrait, LockBehavior, LockType},
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    account::{self, Account},
    rows,
    transaction::shown,
};
use crate::{
    Database,
    entities::{
        notification_settings,
        notifications::{Column, Entity},
        webhooks,
    },
    exact::Moment,
    shared::transaction::SqlTx,
    write_transaction,
};

/// The most rows that go at once: more would take longer than a call may.
const PRUNED_AT_ONCE: u64 = 5_000;
/// Rows in one statement.
const ROWS: usize = 500;
/// Users whose inbox is shortened in one transaction.
const USERS_AT_ONCE: u64 = 50;

/// Inboxes, settings, webhooks and deliveries in tables.
#[derive(Clone)]
pub struct SqlNotificationsStore {
    pub(super) database: Database,
    secrets: Arc<dyn SecretBox>,
}

impl SqlNotificationsStore {
    /// In this database; what letters say is encrypted with `secrets`.
    #[must_use]
    pub fn new(database: Database, secrets: Arc<dyn SecretBox>) -> Self {
        Self { database, secrets }
    }
}

#[async_trait]
impl NotificationsStore for SqlNotificationsStore {
    async fn begin(&self) -> Result<Box<dyn NotificationsTx>, StoreError> {
        Ok(Box::new(SqlTx::begin(&self.database, &self.secrets).await?))
    }

    async fn inbox(&self, user: UserId, query: InboxQuery, now: OffsetDateTime) -> Result<Vec<Notification>, StoreError> {
        let of_kind = query.kind.map(|kind| Column::Kind.eq(kind.name()));
        let unread = query.unread_only.then(|| Column::IsRead.eq(false));
        let asked = Entity::find().filter(shown(user, now).add_option(of_kind).add_option(unread));
        let newest_first = asked.order_by_desc(Column::CreatedAt).order_by_desc(Column::Id);
        let page = newest_first.limit(u64::from(query.limit)).offset(u64::from(query.offset));
        let found = self.database.within_deadline(page.all(&self.database.connection)).await?;
        found.into_iter().map(rows::notification).collect()
    }

    async fn unread(&self, user: UserId, now: OffsetDateTime) -> Result<u64, StoreError> {
        let unread = Entity::find().filter(shown(user, now)).filter(Column::IsRead.eq(false));
        self.database.within_deadline(unread.count(&self.database.connection)).await
    }

    async fn settings(&self, user: UserId) -> Result<Option<NotificationSettings>, StoreError> {
        let find = notification_settings::Entity::find_by_id(user.0);
        let row = self.database.within_deadline(find.one(&self.database.connection)).await?;
        row.map(rows::settings).transpose()
    }

    async fn webhooks(&self, user: UserId) -> Result<Vec<Webhook>, StoreError> {
        let of_user = webhooks::Entity::find().filter(webhooks::Column::UserId.eq(user.0));
        let oldest_first = of_user.order_by_asc(webhooks::Column::CreatedAt).order_by_asc(webhooks::Column::Id);
        let found = async {
            let account = Account::find(user).one(&self.database.connection).await?;
            Ok((account, oldest_first.all(&self.database.connection).await?))
        };
        let (account, found) = self.database.within_deadline(found).await?;
        let of_account = |hook: Webhook| match &account {
            Some(account) => account.webhook(hook),
            None => hook,
        };
        found.into_iter().map(|row| rows::webhook(row).map(of_account)).collect()
    }

    async fn webhooks_sealed_before(
        &self,
        newest: &str,
        after: Option<WebhookId>,
        limit: u64,
    ) -> Result<Vec<(WebhookId, Sealed)>, StoreError> {
        use webhooks::{Column, Entity};

        let old = Entity::find()
            .filter(Column::KeyId.ne(newest))
            .apply_if(after, |old, WebhookId(after)| old.filter(Column::Id.gt(after)));
        let old = old.order_by_asc(Column::Id).limit(limit);
        let rows = self.database.within_deadline(old.all(&self.database.connection)).await?;
        Ok(rows.into_iter().map(|row| (WebhookId(row.id), Sealed { key_id: row.key_id, bytes: row.secret })).collect())
    }

    async fn standings(&self, of: &[NotificationId]) -> Result<HashMap<NotificationId, Standing>, StoreError> {
        let found = self.database.within_deadline(account::find(&self.database.connection, of)).await?;
        account::standings(found)
    }

    async fn prune(&self, before: OffsetDateTime, keep: u64, limit: u64) -> Result<u64, StoreError> {
        let limit = Ord::min(limit, PRUNED_AT_ONCE);
        let pruned = async {
            let transaction = write_transaction::begin_with_row_locks(&self.database.connection).await?;
            let expired = Condition::all().add(Column::ExpiresAt.lt(Moment(before)));
            let mut pruned = remove(&transaction, expired, limit).await?;
            let mut left = limit;
            for user in too_many(&transaction, keep).await? {
                let Some(beyond) = beyond(&transaction, user, keep).await? else { continue };
                let removed = remove(&transaction, beyond, left).await?;
                (pruned, left) = (pruned + removed, left - removed);
            }
            transaction.commit().await?;
            Ok(pruned)
        };
        self.database.within_deadline(pruned).await
    }
}

/// Some of the users who have more than `keep`.
async fn too_many(connection: &impl ConnectionTrait, keep: u64) -> Result<Vec<Uuid>, DbErr> {
    let most = i64::try_from(keep).unwrap_or(i64::MAX);
    let users = Entity::find().select_only().column(Column::UserId).group_by(Column::UserId);
    users.having(Column::Id.count().gt(most)).limit(USERS_AT_ONCE).into_tuple().all(connection).await
}

/// Those of a user that are older than the newest `keep`.
async fn beyond(connection: &impl ConnectionTrait, user: Uuid, keep: u64) -> Result<Option<Condition>, DbErr> {
    let newest_first = Entity::find().select_only().columns([Column::CreatedAt, Column::Id]).filter(Column::UserId.eq(user));
    let newest_first = newest_first.order_by_desc(Column::CreatedAt).order_by_desc(Column::Id);
    let first: Option<(Moment, Uuid)> = newest_first.offset(keep).limit(1).into_tuple().one(connection).await?;
    Ok(first.map(|(at, id)| {
        let together = Condition::all().add(Column::CreatedAt.eq(at)).add(Column::Id.lte(id));
        let older = Condition::any().add(Column::CreatedAt.lt(at)).add(together);
        Condition::all().add(Column::UserId.eq(user)).add(older)
    }))
}

async fn remove(connection: &impl ConnectionTrait, which: Condition, limit: u64) -> Result<u64, DbErr> {
    let old = Entity::find().select_only().column(Column::Id).filter(which).order_by_asc(Column::CreatedAt).limit(limit);
    let old = old.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
    let ids: Vec<Uuid> = old.into_tuple().all(connection).await?;
    for chunk in ids.chunks(ROWS) {
        Entity::delete_many().filter(Column::Id.is_in(chunk.iter().copied())).exec(connection).await?;
    }
    Ok(ids.len() as u64)
}
