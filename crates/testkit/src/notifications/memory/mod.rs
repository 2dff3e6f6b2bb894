//! The notifications store in memory. Like the real ones it keeps microseconds, puts writers in line, and lets a transaction that
//! failed once do nothing more. It knows no accounts: whoever is named exists.

mod alerts;
mod queue;
mod state;
mod transaction;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use coinlink_domain::{
    notifications::{Delivery, Notification, NotificationId, NotificationSettings, Switches, Webhook},
    shared::{mail::OutgoingMail, user_id::UserId},
};
use coinlink_ports::{
    notifications::{InboxQuery, NotificationsStore, NotificationsTx, Standing},
    shared::StoreError,
};
use time::OffsetDateTime;
use tokio::sync::OwnedMutexGuard;

use self::{
    state::{State, micros},
    transaction::MemoryTx,
};
use crate::shared::{
    faults::{Faults, unavailable},
    lock,
};

/// How long a writer waits for the one before it: a real store gives up, too.
const PATIENCE: Duration = Duration::from_secs(2);

/// Keeps inboxes as long as the test runs. Clones share what they keep.
#[derive(Clone, Default)]
pub struct MemoryNotifications {
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

impl MemoryNotifications {
    /// This user has an address that letters go to.
    pub fn put_address(&self, user: UserId, address: &str) {
        lock(&self.kept.committed).addresses.insert(user, address.to_owned());
    }

    /// This user's account is locked.
    pub fn put_locked(&self, user: UserId) {
        lock(&self.kept.committed).locked.insert(user);
    }

    /// This user's account was secured then.
    pub fn put_secured(&self, user: UserId, at: OffsetDateTime) {
        lock(&self.kept.committed).secured.insert(user, micros(at));
    }

    /// This is what is switched on in this user's preferences.
    pub fn put_switches(&self, user: UserId, switches: Switches) {
        lock(&self.kept.committed).switches.insert(user, switches);
    }

    /// Only the next call fails, with [`StoreError::Unavailable`].
    pub fn fail_next(&self) {
        lock(&self.kept.faults).fail_next();
    }

    /// `calls` more calls succeed, [`NotificationsStore::begin`] and [`NotificationsTx::commit`] counted, and all after them fail
    /// with [`StoreError::Unavailable`], until [`MemoryNotifications::recover`].
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

    /// Committed letters, oldest first.
    pub fn mails(&self) -> Vec<OutgoingMail> {
        lock(&self.kept.committed).mails.clone()
    }

    /// Committed notifications by id, of all users.
    pub fn notifications(&self) -> Vec<Notification> {
        lock(&self.kept.committed).notifications.values().cloned().collect()
    }

    /// Committed deliveries by id, whatever became of them.
    pub fn deliveries(&self) -> Vec<Delivery> {
        lock(&self.kept.committed).deliveries.values().map(|kept| kept.delivery.clone()).collect()
    }

    fn read<T>(&self, look: impl FnOnce(&State) -> T) -> Result<T, StoreError> {
        self.kept.call()?;
        Ok(look(&lock(&self.kept.committed)))
    }

    async fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> Result<T, StoreError> {
        self.kept.call()?;
        let _turn = self.kept.turn().await?;
        Ok(change(&mut lock(&self.kept.committed)))
    }
}

#[async_trait]
impl NotificationsStore for MemoryNotifications {
    async fn begin(&self) -> Result<Box<dyn NotificationsTx>, StoreError> {
        self.kept.call()?;
        let turn = self.kept.turn().await?;
        Ok(Box::new(MemoryTx::new(self.kept.clone(), turn)))
    }

    async fn inbox(&self, user: UserId, query: InboxQuery, now: OffsetDateTime) -> Result<Vec<Notification>, StoreError> {
        self.read(|state| {
            let asked =
                |one: &&Notification| query.kind.is_none_or(|kind| one.kind == kind) && !(query.unread_only && one.is_read);
            let mut found: Vec<_> = state.shown(user, now).filter(asked).cloned().collect();
            found.sort_by_key(|one| std::cmp::Reverse((one.created_at, one.id)));
            found.into_iter().skip(query.offset as usize).take(query.limit as usize).collect()
        })
    }

    async fn unread(&self, user: UserId, now: OffsetDateTime) -> Result<u64, StoreError> {
        self.read(|state| state.shown(user, now).filter(|one| !one.is_read).count() as u64)
    }

    async fn settings(&self, user: UserId) -> Result<Option<NotificationSettings>, StoreError> {
        self.read(|state| state.settings.get(&user).cloned())
    }

    async fn standings(&self, of: &[NotificationId]) -> Result<HashMap<NotificationId, Standing>, StoreError> {
        self.read(|state| {
            let left = of.iter().filter_map(|id| state.notifications.get(id));
            let standing = |one: &Notification| Standing {
                is_active: !state.locked.contains(&one.user),
                secured_at: state.secured.get(&one.user).copied(),
                settings: state.settings.get(&one.user).cloned().unwrap_or_default(),
                priority: one.priority,
            };
            left.map(|one| (one.id, standing(one))).collect()
        })
    }

    async fn webhooks(&self, user: UserId) -> Result<Vec<Webhook>, StoreError> {
        self.read(|state| state.webhooks_of(user))
    }

    async fn prune(&self, before: OffsetDateTime, keep: u64, limit: u64) -> Result<u64, StoreError> {
        self.change(|state| state.prune(micros(before), keep, limit)).await
    }
}
