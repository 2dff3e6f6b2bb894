//! Inboxes, settings, webhooks and deliveries: the contract on each database.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::{any::Any, sync::Arc, time::Duration};

use coinlink_domain::identity::{Preferences, User};
use coinlink_migration::{Migrator, MigratorTrait};
use coinlink_ports::identity::{Account, IdentityStore as _};
use coinlink_postgres::{ConnectSettings, Database, SqlIdentityStore, SqlNotificationsStore};
use coinlink_testkit::{
    identity::an_account,
    notifications::{NotificationsUnderTest, a_webhook},
    servers::fresh_database,
    shared::PlainSecretBox,
};

mod postgres {
    coinlink_testkit::notifications_store_contract!(crate::notifications_store::on_postgres().await);
}

mod sqlite {
    coinlink_testkit::notifications_store_contract!(crate::notifications_store::on_sqlite().await);
}

async fn on_postgres() -> NotificationsUnderTest {
    let place = fresh_database().await;
    under_test(&place.url.clone(), place).await
}

async fn on_sqlite() -> NotificationsUnderTest {
    let place = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", place.path().join("coinlink.db").display());
    let database = Database::connect(&ConnectSettings::new(&url)).await.unwrap();
    database.with_migration_lock(async |connection| Migrator::up(connection, None).await).await.unwrap();
    under_test(&url, place).await
}

/// Patient: many callers at once on a busy machine are no fault.
async fn under_test(url: &str, place: impl Any + Send + Sync) -> NotificationsUnderTest {
    let (acquire_timeout, statement_timeout) = (Duration::from_secs(10), Duration::from_secs(10));
    let settings = ConnectSettings { acquire_timeout, statement_timeout, ..ConnectSettings::new(url) };
    let database = Database::connect(&settings).await.unwrap();
    let accounts = SqlIdentityStore::new(database.clone(), Arc::new(PlainSecretBox::default()));
    let mut users = Vec::new();
    for (address, is_verified) in [("one@example.org", true), ("two@example.org", true), ("three@example.org", false)] {
        let Account { user, password } = an_account(address);
        let account = Account { user: User { is_verified, ..user }, password };
        let mut tx = accounts.begin().await.unwrap();
        tx.users().add(&account).await.unwrap();
        tx.commit().await.unwrap();
        users.push(account.user.id);
    }
    let locked = an_account("locked@example.org");
    let locked = Account { user: User { is_active: false, is_verified: true, ..locked.user }, ..locked };
    let secured = an_account("secured@example.org");
    let secured_at = Some(a_webhook(secured.user.id, 2).created_at);
    let secured = Account { user: User { secured_at, ..secured.user }, ..secured };
    let mut tx = accounts.begin().await.unwrap();
    for account in [&locked, &secured] {
        tx.users().add(account).await.unwrap();
    }
    let preferences = Preferences { email_alerts: false, news_notifications: false, ..Preferences::default() };
    tx.users().save_preferences(secured.user.id, &preferences).await.unwrap();
    tx.commit().await.unwrap();
    let (locked, secured) = (locked.user.id, secured.user.id);
    let store = Arc::new(SqlNotificationsStore::new(database, Arc::new(PlainSecretBox::default())));
    let (store, queue) = (Arc::clone(&store) as _, store as _);
    NotificationsUnderTest { store, queue, users: users.try_into().unwrap(), locked, secured, place: Arc::new(place) }
}
