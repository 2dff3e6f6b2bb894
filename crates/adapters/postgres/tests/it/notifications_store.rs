//! Inboxes, settings, webhooks and deliveries: the contract on each database.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::sync::Arc;

use coinlink_domain::identity::{Preferences, User};
use coinlink_ports::identity::{Account, IdentityStore as _};
use coinlink_postgres::{SqlIdentityStore, SqlNotificationsStore};
use coinlink_testkit::{
    identity::an_account,
    notifications::{NotificationsUnderTest, a_webhook},
    shared::PlainSecretBox,
};

use crate::databases::{Place, on_each_database};

on_each_database!(notifications_store_contract, place => under_test(place).await);

async fn under_test(place: Place) -> NotificationsUnderTest {
    let database = place.patient_database().await;
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
