//! The fake does what real stores of notifications do.

use std::sync::Arc;

use coinlink_domain::shared::user_id::UserId;
use coinlink_testkit::notifications::{MemoryNotifications, NotificationsUnderTest};
use uuid::Uuid;

fn it() -> NotificationsUnderTest {
    let store = MemoryNotifications::default();
    let users = [1, 2, 3].map(|n| UserId(Uuid::from_u128(n)));
    store.put_address(users[0], "one@example.org");
    store.put_address(users[1], "two@example.org");
    NotificationsUnderTest { store: Arc::new(store.clone()), queue: Arc::new(store), users, place: Arc::new(()) }
}

coinlink_testkit::notifications_store_contract!(it());
