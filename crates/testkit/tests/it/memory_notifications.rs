//! The fake does what real stores of notifications do.

use std::sync::Arc;

use coinlink_domain::{notifications::Switches, shared::user_id::UserId};
use coinlink_testkit::notifications::{MemoryNotifications, NotificationsUnderTest, a_webhook};
use uuid::Uuid;

fn it() -> NotificationsUnderTest {
    let store = MemoryNotifications::default();
    let users = [1, 2, 3].map(|n| UserId(Uuid::from_u128(n)));
    store.put_address(users[0], "one@example.org");
    store.put_address(users[1], "two@example.org");
    let [locked, secured] = [4, 5].map(|n| UserId(Uuid::from_u128(n)));
    store.put_address(locked, "locked@example.org");
    store.put_locked(locked);
    store.put_secured(secured, a_webhook(secured, 2).created_at);
    store.put_switches(secured, Switches { alert_letters: false, news: false, ..Switches::default() });
    NotificationsUnderTest { store: Arc::new(store.clone()), queue: Arc::new(store), users, locked, secured, place: Arc::new(()) }
}

coinlink_testkit::notifications_store_contract!(it());
