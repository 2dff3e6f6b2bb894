//! The fake keeps alert rules as the real stores do.

use std::sync::Arc;

use coinlink_domain::shared::user_id::UserId;
use coinlink_testkit::notifications::{AlertsUnderTest, MemoryNotifications};
use uuid::Uuid;

fn it() -> AlertsUnderTest {
    let store = MemoryNotifications::default();
    let users = [1, 2].map(|n| UserId(Uuid::from_u128(n)));
    AlertsUnderTest { store: Arc::new(store.clone()), reads: Arc::new(store), users, place: Arc::new(()) }
}

coinlink_testkit::alert_rules_contract!(it());
