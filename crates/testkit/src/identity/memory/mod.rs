//! The identity store in memory. Like the real ones it keeps microseconds.

mod api_keys;
mod directory;
mod mail_links;
mod second_factors;
mod state;
mod transaction;
mod wallets;

use std::sync::Arc;

use async_trait::async_trait;
use coinlink_domain::{
    identity::{Email, Preferences, Session, SessionId, SessionPolicy, User, UserId},
    shared::{audit::AuditEntry, mail::OutgoingMail},
};
use coinlink_ports::{
    identity::{Account, IdentityStore, IdentityTx, SessionCounts},
    shared::{Clock, StoreError},
};
use time::{Duration, OffsetDateTime};

use self::state::{State, StoreClock};
use crate::shared::memory::{self, MemoryStore};

/// Keeps accounts and sessions.
pub type MemoryIdentity = MemoryStore<State>;
type MemoryTx = memory::MemoryTx<State>;

impl MemoryIdentity {
    /// With these accounts.
    pub fn with(accounts: impl IntoIterator<Item = Account>) -> Self {
        let store = Self::default();
        for account in accounts {
            store.put_account(&account);
        }
        store
    }

    /// With this clock of its own; otherwise it goes by the machine's.
    #[must_use]
    pub fn by(clock: Arc<dyn Clock>) -> Self {
        let store = Self::default();
        store.committed().clock = StoreClock(clock);
        store
    }

    /// Adds an account or replaces it, while no transaction is open.
    pub fn put_account(&self, account: &Account) {
        self.committed().put_account(account);
    }

    /// Adds a session or replaces it, while no transaction is open.
    pub fn put_session(&self, session: &Session) {
        self.committed().put_session(session);
    }

    /// Committed audit entries, oldest first.
    pub fn audit(&self) -> Vec<AuditEntry> {
        self.committed().audit.clone()
    }

    /// Committed letters, oldest first.
    pub fn mails(&self) -> Vec<OutgoingMail> {
        self.committed().mails.clone()
    }

    /// Committed accounts by id.
    pub fn accounts(&self) -> Vec<Account> {
        self.committed().accounts.values().cloned().collect()
    }

    /// Committed users by id.
    pub fn users(&self) -> Vec<User> {
        self.accounts().into_iter().map(|account| account.user).collect()
    }

    /// Committed sessions by id.
    pub fn sessions(&self) -> Vec<Session> {
        self.committed().sessions.values().cloned().collect()
    }
}

#[async_trait]
impl IdentityStore for MemoryIdentity {
    async fn begin(&self) -> Result<Box<dyn IdentityTx>, StoreError> {
        Ok(self.open().await?)
    }

    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        self.read(|state| state.accounts.get(&id).map(|account| account.user.clone()))
    }

    async fn account(&self, email: &Email) -> Result<Option<Account>, StoreError> {
        self.read(|state| state.account(email).cloned())
    }

    async fn account_of(&self, user: UserId) -> Result<Option<Account>, StoreError> {
        self.read(|state| state.accounts.get(&user).cloned())
    }

    async fn preferences(&self, user: UserId) -> Result<Option<Preferences>, StoreError> {
        self.read(|state| state.preferences.get(&user).cloned())
    }

    async fn session(&self, id: SessionId) -> Result<Option<Session>, StoreError> {
        self.read(|state| state.sessions.get(&id).cloned())
    }

    async fn live_sessions(&self, user: UserId, now: OffsetDateTime, policy: &SessionPolicy) -> Result<Vec<Session>, StoreError> {
        let mut live = self.read(|state| state.live(user, now, policy))?;
        live.sort_by_key(|session| std::cmp::Reverse((session.rotated_at, session.id)));
        Ok(live)
    }

    async fn count_sessions(
        &self,
        user: UserId,
        now: OffsetDateTime,
        policy: &SessionPolicy,
    ) -> Result<SessionCounts, StoreError> {
        self.read(|state| {
            let total = state.sessions.values().filter(|session| session.user == user).count();
            SessionCounts { live: state.live(user, now, policy).len() as u64, total: total as u64 }
        })
    }

    async fn ended_within(&self, span: Duration) -> Result<Vec<SessionId>, StoreError> {
        self.read(|state| state.ended_within(span))
    }

    async fn confirm(&self, session: SessionId, generation: u32) -> Result<(), StoreError> {
        self.change(|state| {
            if let Some(session) = state.sessions.get_mut(&session) {
                session.confirm(generation);
            }
        })
        .await
    }

    async fn prune(&self, before: OffsetDateTime, policy: &SessionPolicy, limit: u64) -> Result<u64, StoreError> {
        self.change(|state| state.prune(before, policy, limit)).await
    }
}
