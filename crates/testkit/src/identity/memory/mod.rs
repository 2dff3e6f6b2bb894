//! The identity store in memory. Like the real ones it keeps microseconds, puts writers in line, and lets a transaction that
//! failed once do nothing more.

mod api_keys;
mod directory;
mod mail_links;
mod second_factors;
mod state;
mod transaction;
mod wallets;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use coinlink_domain::{
    identity::{Email, Preferences, Session, SessionId, SessionPolicy, User, UserId},
    shared::{audit::AuditEntry, mail::OutgoingMail},
};
use coinlink_ports::{
    identity::{Account, IdentityStore, IdentityTx, SessionCounts},
    shared::StoreError,
};
use time::OffsetDateTime;
use tokio::sync::OwnedMutexGuard;

use self::{
    state::{State, micros},
    transaction::MemoryTx,
};
use crate::shared::{
    faults::{self, Faults, unavailable},
    lock,
};

/// How long a writer waits for the one before it: a real store gives up, too.
const PATIENCE: Duration = Duration::from_secs(2);

/// Keeps accounts and sessions as long as the test runs. Clones share what they keep.
#[derive(Clone, Default)]
pub struct MemoryIdentity {
    kept: Arc<Kept>,
}

#[derive(Default)]
struct Kept {
    committed: Mutex<State>,
    faults: Mutex<Faults>,
    /// Held by the transaction that is open, as SQLite holds its write lock.
    turn: Arc<tokio::sync::Mutex<()>>,
}

impl Kept {
    fn call(&self) -> Result<(), StoreError> {
        lock(&self.faults).call()
    }

    async fn turn(&self) -> Result<OwnedMutexGuard<()>, StoreError> {
        let turn = tokio::time::timeout(PATIENCE, self.turn.clone().lock_owned()).await;
        turn.map_err(|_| unavailable("another transaction is open for too long"))
    }
}

impl MemoryIdentity {
    /// With these accounts.
    pub fn with(accounts: impl IntoIterator<Item = Account>) -> Self {
        let store = Self::default();
        for account in accounts {
            store.put_account(&account);
        }
        store
    }

    /// Adds an account or replaces it, while no transaction is open.
    pub fn put_account(&self, account: &Account) {
        lock(&self.kept.committed).put_account(account);
    }

    /// Adds a session or replaces it, while no transaction is open.
    pub fn put_session(&self, session: &Session) {
        lock(&self.kept.committed).put_session(session);
    }

    /// Only the next call fails, with [`StoreError::Unavailable`].
    pub fn fail_next(&self) {
        lock(&self.kept.faults).fail_next();
    }

    /// `calls` more calls succeed, [`IdentityStore::begin`] and [`IdentityTx::commit`] counted, and all after them fail with
    /// [`StoreError::Unavailable`], until [`MemoryIdentity::recover`].
    pub fn fail_after(&self, calls: usize) {
        lock(&self.kept.faults).fail_after(calls);
    }

    /// No call fails any more.
    pub fn recover(&self) {
        lock(&self.kept.faults).recover();
    }

    /// How many calls were made, failed ones included.
    pub fn calls(&self) -> usize {
        lock(&self.kept.faults).calls()
    }

    /// Committed audit entries, oldest first.
    pub fn audit(&self) -> Vec<AuditEntry> {
        lock(&self.kept.committed).audit.clone()
    }

    /// Committed letters, oldest first.
    pub fn mails(&self) -> Vec<OutgoingMail> {
        lock(&self.kept.committed).mails.clone()
    }

    /// Committed accounts by id.
    pub fn accounts(&self) -> Vec<Account> {
        lock(&self.kept.committed).accounts.values().cloned().collect()
    }

    /// Committed users by id.
    pub fn users(&self) -> Vec<User> {
        self.accounts().into_iter().map(|account| account.user).collect()
    }

    /// Committed sessions by id.
    pub fn sessions(&self) -> Vec<Session> {
        lock(&self.kept.committed).sessions.values().cloned().collect()
    }

    fn read<T>(&self, look: impl FnOnce(&State) -> T) -> Result<T, StoreError> {
        self.kept.call()?;
        Ok(look(&lock(&self.kept.committed)))
    }
}

#[async_trait]
impl IdentityStore for MemoryIdentity {
    async fn begin(&self) -> Result<Box<dyn IdentityTx>, StoreError> {
        self.kept.call()?;
        let turn = self.kept.turn().await?;
        Ok(Box::new(MemoryTx::new(self.kept.clone(), turn)))
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

    async fn ended_since(&self, since: OffsetDateTime) -> Result<Vec<(SessionId, OffsetDateTime)>, StoreError> {
        let since = micros(since);
        self.read(|state| {
            let ended = state.sessions.values().filter_map(|session| Some((session.id, session.ended?.at)));
            ended.filter(|(_, at)| *at >= since).collect()
        })
    }

    async fn confirm(&self, session: SessionId, generation: u32) -> Result<(), StoreError> {
        self.kept.call()?;
        let _turn = self.kept.turn().await?;
        if let Some(session) = lock(&self.kept.committed).sessions.get_mut(&session) {
            session.confirm(generation);
        }
        Ok(())
    }

    async fn prune(&self, before: OffsetDateTime, policy: &SessionPolicy, limit: u64) -> Result<u64, StoreError> {
        self.kept.call()?;
        let _turn = self.kept.turn().await?;
        Ok(lock(&self.kept.committed).prune(before, policy, limit))
    }
}
