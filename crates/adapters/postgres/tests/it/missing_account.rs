//! What is said of a row that belongs to an account that is not there, and of one that something else is missing for.

use std::sync::Arc;

use coinlink_domain::{
    identity::{Preferences, SecretDigest},
    notifications::{Channel, Delivery, NotificationSettings, WebhookId},
    shared::user_id::UserId,
};
use coinlink_ports::{
    assistant::{FeedbackStore as _, UserConversations as _},
    identity::IdentityStore as _,
    notifications::NotificationsStore as _,
    shared::StoreError,
};
use coinlink_postgres::{Database, SqlFeedback, SqlIdentityStore, SqlNotificationsStore, SqlUserConversations};
use coinlink_testkit::{
    assistant::{an_exchange, feedback},
    identity::{a_session, an_account},
    notifications::{a_notification, a_webhook},
    shared::PlainSecretBox,
};
use uuid::Uuid;

use crate::databases::{Place, on_postgres, on_sqlite};

const NOBODY: UserId = UserId(Uuid::from_u128(0xdead));

struct Stores {
    accounts: SqlIdentityStore,
    notifications: SqlNotificationsStore,
    database: Database,
    _place: Place,
}

impl Stores {
    async fn on(place: Place) -> Self {
        let database = place.database().await;
        Self {
            accounts: SqlIdentityStore::new(database.clone(), Arc::new(PlainSecretBox::default())),
            notifications: SqlNotificationsStore::new(database.clone(), Arc::new(PlainSecretBox::default())),
            database,
            _place: place,
        }
    }
}

async fn on_each() -> [Stores; 2] {
    [Stores::on(on_postgres().await).await, Stores::on(on_sqlite().await).await]
}

#[tokio::test]
async fn what_belongs_to_an_account_that_is_not_there_is_told_apart_from_a_store_that_is_away() {
    for it in on_each().await {
        let mut refused = Vec::new();
        let mut tx = it.notifications.begin().await.unwrap();
        refused.push(tx.reaches().save_settings(NOBODY, &NotificationSettings::default()).await);
        let mut tx = it.notifications.begin().await.unwrap();
        refused.push(tx.reaches().add_webhook(&a_webhook(NOBODY, 1)).await);
        let mut tx = it.notifications.begin().await.unwrap();
        refused.push(tx.inbox().add(&a_notification(NOBODY, 1)).await);
        let mut tx = it.accounts.begin().await.unwrap();
        refused.push(tx.users().save_preferences(NOBODY, &Preferences::default()).await);
        let mut tx = it.accounts.begin().await.unwrap();
        refused.push(tx.sessions().add(&a_session(NOBODY)).await);
        refused.push(SqlFeedback::new(it.database.clone()).leave(&feedback(1, Some(NOBODY))).await);
        refused.push(SqlUserConversations::new(it.database.clone()).append(NOBODY, &an_exchange(1)).await);
        for (number, refused) in refused.into_iter().enumerate() {
            assert!(matches!(refused, Err(StoreError::NoAccount { .. })), "{number}: {refused:?}");
        }
    }
}

#[tokio::test]
async fn where_something_else_is_missing_than_an_account_nobody_is_told_that_theirs_is_gone() {
    for it in on_each().await {
        let account = an_account("ada@example.org");
        let user = account.user.id;
        let mut tx = it.accounts.begin().await.unwrap();
        tx.users().add(&account).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = it.accounts.begin().await.unwrap();
        let no_factor = tx.second_factors().replace_codes(user, &[SecretDigest([1; 32])]).await;
        let mut tx = it.notifications.begin().await.unwrap();
        let told = a_notification(user, 1);
        tx.inbox().add(&told).await.unwrap();
        let channel = Channel::Webhook(WebhookId(Uuid::from_u128(9)));
        let no_webhook = Delivery { notification: told.id, user, channel, fired: None, due: told.created_at };
        let no_webhook = tx.inbox().send(&no_webhook).await;
        for refused in [no_factor, no_webhook] {
            assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
        }
    }
}
