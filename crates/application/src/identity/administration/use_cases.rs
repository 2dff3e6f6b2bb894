use std::sync::Arc;

use super::{
    super::{EndedSessions, IdentityAdapters},
    AdministerAccounts, AuthorizeAdmin, ReadAccounts,
};

/// What administrators do of other people's accounts.
#[derive(Clone)]
pub struct AdministrationUseCases {
    /// Finds out who may.
    pub authorize: Arc<AuthorizeAdmin>,
    /// Locks, unlocks and ends sessions.
    pub accounts: Arc<AdministerAccounts>,
    /// Lists accounts.
    pub directory: Arc<ReadAccounts>,
}

impl AdministrationUseCases {
    /// All of them; sessions that end are told to `ended`.
    pub(in crate::identity) fn new(adapters: &IdentityAdapters, ended: &EndedSessions) -> Self {
        let IdentityAdapters { store, accounts, factors, policy, clock, entropy, .. } = adapters.clone();
        Self {
            authorize: Arc::new(AuthorizeAdmin {
                store: store.clone(),
                factors,
                policy,
                clock: clock.clone(),
                entropy: entropy.clone(),
            }),
            accounts: Arc::new(AdministerAccounts {
                store: store.clone(),
                ended: ended.clone(),
                policy,
                clock: clock.clone(),
                entropy: entropy.clone(),
            }),
            directory: Arc::new(ReadAccounts { accounts, store, clock, entropy }),
        }
    }
}
