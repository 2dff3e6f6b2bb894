//! What every store in memory is made of. Like the real ones it puts writers in line, and lets a transaction that failed once do
//! nothing more.

use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use async_trait::async_trait;
use coinlink_domain::shared::mail::OutgoingMail;
use coinlink_ports::shared::{MailOutbox, StoreError};
use time::OffsetDateTime;
use tokio::sync::OwnedMutexGuard;

use super::{
    faults::{Faults, unavailable},
    lock,
};

/// How long a writer waits for the one before it: a real store gives up, too.
const PATIENCE: Duration = Duration::from_secs(2);

/// Keeps a `State` as long as the test runs. Clones share what they keep.
#[derive(Clone, Default)]
pub struct MemoryStore<State> {
    kept: Arc<Kept<State>>,
}

#[derive(Default)]
struct Kept<State> {
    committed: Mutex<State>,
    faults: Mutex<Faults>,
    /// Held by the transaction that is open, as SQLite holds its write lock.
    turn: Arc<tokio::sync::Mutex<()>>,
}

impl<State> MemoryStore<State> {
    /// Only the next call fails, with [`StoreError::Unavailable`].
    pub fn fail_next(&self) {
        lock(&self.kept.faults).fail_next();
    }

    /// `calls` more calls succeed, the beginning and the commit of a transaction counted, and all after them fail with
    /// [`StoreError::Unavailable`], until [`MemoryStore::recover`].
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

    /// What is kept, for a test to look at or to change while no transaction is open: no call, and never a fault.
    pub(crate) fn committed(&self) -> MutexGuard<'_, State> {
        lock(&self.kept.committed)
    }

    pub(crate) fn read<T>(&self, look: impl FnOnce(&State) -> T) -> Result<T, StoreError> {
        self.call()?;
        Ok(look(&self.committed()))
    }

    /// A change outside of a transaction.
    pub(crate) async fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> Result<T, StoreError> {
        self.call()?;
        let _turn = self.turn().await?;
        Ok(change(&mut self.committed()))
    }

    fn call(&self) -> Result<(), StoreError> {
        lock(&self.kept.faults).call()
    }

    async fn turn(&self) -> Result<OwnedMutexGuard<()>, StoreError> {
        let turn = tokio::time::timeout(PATIENCE, self.kept.turn.clone().lock_owned()).await;
        turn.map_err(|_| unavailable("another transaction is open for too long"))
    }
}

impl<State: Clone> MemoryStore<State> {
    pub(crate) async fn open(&self) -> Result<Box<MemoryTx<State>>, StoreError> {
        self.call()?;
        let turn = Some(self.turn().await?);
        let draft = self.committed().clone();
        Ok(Box::new(MemoryTx { store: self.clone(), draft, turn }))
    }
}

/// What is going to be, until it is committed or dropped.
pub(crate) struct MemoryTx<State> {
    store: MemoryStore<State>,
    draft: State,
    /// Until a call failed.
    turn: Option<OwnedMutexGuard<()>>,
}

impl<State: Default> MemoryTx<State> {
    /// After one call that failed, all others do, and nobody has to wait for it any more.
    pub(crate) fn call<T>(&mut self, change: impl FnOnce(&mut State) -> Result<T, StoreError>) -> Result<T, StoreError> {
        if self.turn.is_none() {
            return Err(unavailable("the transaction has failed"));
        }
        let done = self.store.call().and_then(|()| change(&mut self.draft));
        if done.is_err() {
            self.turn = None;
        }
        done
    }

    /// Makes all of it true at once.
    pub(crate) fn end(&mut self) -> Result<(), StoreError> {
        let draft = self.call(|draft| Ok(std::mem::take(draft)))?;
        *self.store.committed() = draft;
        Ok(())
    }
}

#[async_trait]
impl<State: AsMut<Vec<OutgoingMail>> + Default + Send> MailOutbox for MemoryTx<State> {
    async fn post(&mut self, mail: &OutgoingMail) -> Result<(), StoreError> {
        self.call(|draft| {
            draft.as_mut().push(mail.clone());
            Ok(())
        })
    }

    async fn posted_within(
        &mut self,
        to: &str,
        template: &str,
        since: OffsetDateTime,
        until: OffsetDateTime,
    ) -> Result<u64, StoreError> {
        let within = micros(since)..=micros(until);
        let counts = |mail: &&OutgoingMail| mail.to == to && mail.template == template && within.contains(&mail.created_at);
        self.call(|draft| Ok(draft.as_mut().iter().filter(counts).count() as u64))
    }
}

/// To the microsecond, which is what every store keeps.
pub(crate) fn micros(moment: OffsetDateTime) -> OffsetDateTime {
    moment.replace_microsecond(moment.microsecond()).unwrap_or(moment)
}

pub(crate) fn conflict(constraint: &str) -> StoreError {
    StoreError::Conflict { constraint: constraint.to_owned() }
}
