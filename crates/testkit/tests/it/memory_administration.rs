//! The fake does for administrators what the real stores do.

use std::sync::Arc;

use coinlink_testkit::identity::{MemoryIdentity, administration_contract::AdministrationUnderTest};

fn in_memory() -> AdministrationUnderTest {
    let store = Arc::new(MemoryIdentity::default());
    AdministrationUnderTest { store: store.clone(), accounts: store.clone(), audit: store, place: Arc::new(()) }
}

coinlink_testkit::administration_contract!(in_memory());
