use async_trait::async_trait;
use coinlink_domain::{
    notifications::{Delivery, Notification, NotificationId, NotificationSettings, Webhook, WebhookId},
    shared::{sealed::Sealed, user_id::UserId},
};
use coinlink_ports::{
    notifications::{Inbox, LastTest, NotificationsTx, Reach, Reaches},
    shared::StoreError,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, EntityTrait, Iterable, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Select,
    sea_query::{LockType, OnConflict},
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{account::Account, rows};
use crate::{
    entities::{notification_deliveries, notification_settings, notifications, user_preferences, users, webhooks},
    errors::of_no_account,
    exact::Moment,
    shared::{outbox::WAITING, transaction::SqlTx},
};

#[async_trait]
impl NotificationsTx for SqlTx {
    async fn commit(mut self: Box<Self>) -> Result<(), StoreError> {
        self.end().await
    }
}

/// Those of a user that are shown at `now`.
pub(super) fn shown(user: UserId, now: OffsetDateTime) -> Condition {
    use notifications::Column;

    let lasts = Condition::any().add(Column::ExpiresAt.is_null()).add(Column::ExpiresAt.gt(Moment(now)));
    Condition::all().add(Column::UserId.eq(user.0)).add(lasts)
}

/// A test of a webhook that waits: to be tried again, or for the first time.
fn waiting_test(hook: WebhookId, test: Uuid, was_tried: bool) -> Select<notification_deliveries::Entity> {
    use notification_deliveries::{Column, Entity};

    let waits = Entity::find().filter(Column::WebhookId.eq(hook.0)).filter(Column::NotificationId.eq(test));
    let tried = if was_tried { Column::Attempts.gt(0) } else { Column::Attempts.eq(0) };
    waits.filter(Column::State.eq(WAITING)).filter(tried)
}

fn read() -> notifications::ActiveModel {
    notifications::ActiveModel { is_read: Set(true), ..Default::default() }
}

#[async_trait]
impl Inbox for SqlTx {
    async fn add(&mut self, notification: &Notification) -> Result<(), StoreError> {
        let transaction = self.take()?;
        let insert = notifications::Entity::insert(rows::notification_row(notification)?);
        self.call(insert.exec_without_returning(&transaction)).await?;
        self.put_back(transaction);
        Ok(())
    }

    async fn send(&mut self, delivery: &Delivery) -> Result<(), StoreError> {
        let transaction = self.take()?;
        let insert = notification_deliveries::Entity::insert(rows::delivery_row(delivery));
        self.call(insert.exec_without_returning(&transaction)).await.map_err(of_no_account)?;
        self.put_back(transaction);
        Ok(())
    }

    async fn mark_read(&mut self, user: UserId, id: NotificationId, now: OffsetDateTime) -> Result<bool, StoreError> {
        use notifications::{Column, Entity};

        let transaction = self.take()?;
        let mark = Entity::update_many().set(read()).filter(shown(user, now)).filter(Column::Id.eq(id.0));
        let marked = self.call(mark.exec(&transaction)).await?.rows_affected;
        self.put_back(transaction);
        Ok(marked == 1)
    }

    async fn mark_all_read(&mut self, user: UserId, now: OffsetDateTime) -> Result<u64, StoreError> {
        use notifications::{Column, Entity};

        let transaction = self.take()?;
        let unread = Entity::update_many().set(read()).filter(shown(user, now)).filter(Column::IsRead.eq(false));
        let mark = unread.filter(Column::CreatedAt.lte(Moment(now)));
        let marked = self.call(mark.exec(&transaction)).await?.rows_affected;
        self.put_back(transaction);
        Ok(marked)
    }

    async fn remove(&mut self, user: UserId, id: NotificationId, now: OffsetDateTime) -> Result<bool, StoreError> {
        use notifications::{Column, Entity};

        let transaction = self.take()?;
        let remove = Entity::delete_many().filter(shown(user, now)).filter(Column::Id.eq(id.0));
        let removed = self.call(remove.exec(&transaction)).await?.rows_affected;
        self.put_back(transaction);
        Ok(removed == 1)
    }
}

#[async_trait]
impl Reaches for SqlTx {
    async fn of(&mut self, user: UserId) -> Result<Reach, StoreError> {
        let transaction = self.take()?;
        let account = self.call(Account::find(user).one(&transaction)).await?;
        let settings = self.call(notification_settings::Entity::find_by_id(user.0).one(&transaction)).await?;
        let preferences = self.call(user_preferences::Entity::find_by_id(user.0).one(&transaction)).await?;
        let mut in_use = webhooks::Entity::find().select_only().column(webhooks::Column::Id);
        in_use = in_use.filter(webhooks::Column::UserId.eq(user.0)).filter(webhooks::Column::DisabledAt.is_null());
        if let Some(secured_at) = account.as_ref().and_then(|account| account.secured_at) {
            in_use = in_use.filter(webhooks::Column::CreatedAt.gt(secured_at));
        }
        let oldest_first = in_use.order_by_asc(webhooks::Column::CreatedAt).order_by_asc(webhooks::Column::Id);
        let hooks: Vec<Uuid> = self.call(oldest_first.into_tuple().all(&transaction)).await?;
        self.put_back(transaction);
        let settings = settings.map(rows::settings).transpose()?.unwrap_or_default();
        let is_active = account.as_ref().is_some_and(|account| account.is_active);
        let switches = preferences.as_ref().map(rows::switches).unwrap_or_default();
        let webhooks = hooks.into_iter().map(WebhookId).collect();
        Ok(Reach { is_active, address: account.and_then(Account::address), settings, switches, webhooks })
    }

    async fn save_settings(&mut self, user: UserId, settings: &NotificationSettings) -> Result<(), StoreError> {
        use notification_settings::{Column, Entity};

        let transaction = self.take()?;
        let others = Column::iter().filter(|column| !matches!(column, Column::UserId));
        let overwrite = OnConflict::column(Column::UserId).update_columns(others).to_owned();
        let insert = Entity::insert(rows::settings_row(user, settings)).on_conflict(overwrite);
        self.call(insert.exec_without_returning(&transaction)).await?;
        self.put_back(transaction);
        Ok(())
    }

    async fn count_webhooks(&mut self, user: UserId) -> Result<u64, StoreError> {
        let transaction = self.take()?;
        let held = users::Entity::find_by_id(user.0).select_only().column(users::Column::Id).lock_exclusive();
        let _: Option<Uuid> = self.call(held.into_tuple().one(&transaction)).await?;
        let of_user = webhooks::Entity::find().filter(webhooks::Column::UserId.eq(user.0));
        let count = self.call(of_user.count(&transaction)).await?;
        self.put_back(transaction);
        Ok(count)
    }

    async fn add_webhook(&mut self, webhook: &Webhook) -> Result<(), StoreError> {
        let transaction = self.take()?;
        let insert = webhooks::Entity::insert(rows::webhook_row(webhook));
        self.call(insert.exec_without_returning(&transaction)).await?;
        self.put_back(transaction);
        Ok(())
    }

    async fn last_test(&mut self, user: UserId, id: WebhookId) -> Result<Option<LastTest>, StoreError> {
        use webhooks::{Column, Entity};

        let transaction = self.take()?;
        let held = Entity::find_by_id(id.0).filter(Column::UserId.eq(user.0)).filter(Column::DisabledAt.is_null());
        let hook = self.call(held.lock(LockType::NoKeyUpdate).one(&transaction)).await?;
        let waits = match hook.as_ref().and_then(|hook| hook.test_id) {
            Some(test) => self.call(waiting_test(id, test, false).count(&transaction)).await? > 0,
            None => false,
        };
        self.put_back(transaction);
        Ok(hook.map(|hook| LastTest { at: hook.tested_at.map(|Moment(at)| at), waits }))
    }

    async fn note_test(&mut self, id: WebhookId, test: NotificationId, now: OffsetDateTime) -> Result<(), StoreError> {
        use webhooks::{Column, Entity};

        let transaction = self.take()?;
        let before: Option<Option<Uuid>> =
            self.call(Entity::find_by_id(id.0).select_only().column(Column::TestId).into_tuple().one(&transaction)).await?;
        if let Some(before) = before.flatten() {
            let ids: Vec<Uuid> = self
                .call(
                    waiting_test(id, before, true)
                        .select_only()
                        .column(notification_deliveries::Column::Id)
                        .into_tuple()
                        .all(&transaction),
                )
                .await?;
            let gone = notification_deliveries::Entity::delete_many().filter(notification_deliveries::Column::Id.is_in(ids));
            self.call(gone.exec(&transaction)).await?;
        }
        let noted = webhooks::ActiveModel { test_id: Set(Some(test.0)), tested_at: Set(Some(Moment(now))), ..Default::default() };
        self.call(Entity::update_many().set(noted).filter(Column::Id.eq(id.0)).exec(&transaction)).await?;
        self.put_back(transaction);
        Ok(())
    }

    async fn remove_webhook(&mut self, user: UserId, id: WebhookId) -> Result<bool, StoreError> {
        use webhooks::{Column, Entity};

        let transaction = self.take()?;
        let remove = Entity::delete_many().filter(Column::UserId.eq(user.0)).filter(Column::Id.eq(id.0));
        let removed = self.call(remove.exec(&transaction)).await?.rows_affected;
        self.put_back(transaction);
        Ok(removed == 1)
    }
    async fn reseal_webhook(&mut self, id: WebhookId, from: &Sealed, to: &Sealed) -> Result<bool, StoreError> {
        use webhooks::{ActiveModel, Column, Entity};

        let transaction = self.take()?;
        let anew = ActiveModel { key_id: Set(to.key_id.clone()), secret: Set(to.bytes.clone()), ..Default::default() };
        let unchanged = Condition::all()
            .add(Column::Id.eq(id.0))
            .add(Column::KeyId.eq(&from.key_id))
            .add(Column::Secret.eq(from.bytes.clone()));
        let changed = self.call(Entity::update_many().set(anew).filter(unchanged).exec(&transaction)).await?.rows_affected;
        self.put_back(transaction);
        Ok(changed == 1)
    }
}
