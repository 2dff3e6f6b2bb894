use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use coinlink_domain::identity::{GuardKey, GuardPolicies};
use coinlink_ports::{
    identity::{IdentityStore, IdentityTx},
    shared::StoreError,
};
use time::OffsetDateTime;

/// A guess that is counted as a failure until it is given back.
#[derive(Debug, Clone)]
pub(super) struct Reserved {
    /// Under what.
    pub(super) keys: Vec<GuardKey>,
    /// Since when.
    pub(super) at: OffsetDateTime,
}

impl Reserved {
    /// Counts it, unless it may not be checked now: whether it may.
    pub(super) async fn reserve(&self, store: &dyn IdentityStore, policies: &GuardPolicies) -> Result<bool, StoreError> {
        let mut tx = store.begin().await?;
        let admitted = tx.guards().reserve(&self.keys, self.at, policies).await?;
        tx.commit().await?;
        Ok(admitted.is_ok())
    }

    /// Whether this is the one with which an account takes no further guesses.
    pub(super) async fn locks(&self, tx: &mut dyn IdentityTx, policies: &GuardPolicies) -> Result<bool, StoreError> {
        let Some(account) = self.keys.iter().find(|key| matches!(key, GuardKey::Account(_))) else { return Ok(false) };
        let attempts = tx.guards().attempts(account).await?;
        // None is counted after the last one, and those before it were counted at another moment.
        let at = self.at.replace_microsecond(self.at.microsecond()).unwrap_or(self.at);
        Ok(attempts.is_locked(policies.of(account)) && attempts.last_at == Some(at))
    }

    /// Takes it back.
    pub(super) async fn give_back(&self, store: &dyn IdentityStore, policies: &GuardPolicies) -> Result<(), StoreError> {
        let mut tx = store.begin().await?;
        tx.guards().give_back(&self.keys, self.at, policies).await?;
        tx.commit().await
    }
}

/// Guesses that were right, or were never checked, and are still counted as failures because the store did not answer. Kept
/// until it does, so that trouble of ours is nobody's wrong password; a restart leaves them to be forgotten like any failure.
#[derive(Clone, Default)]
pub struct OwedGuesses(Arc<Mutex<Vec<Reserved>>>);

/// Beyond it the oldest trouble is forgotten: it ends by itself within a day.
const MOST: usize = 10_000;

impl OwedGuesses {
    /// Takes a guess back: now, or once the store answers.
    pub(super) async fn give_back(&self, guess: Reserved, store: &dyn IdentityStore, policies: &GuardPolicies) {
        if guess.give_back(store, policies).await.is_err() {
            self.add(guess);
        }
    }

    pub(super) fn add(&self, guess: Reserved) {
        let mut owed = self.owed();
        if owed.len() < MOST {
            owed.push(guess);
        }
    }

    pub(super) fn take(&self) -> Option<Reserved> {
        self.owed().pop()
    }

    fn owed(&self) -> MutexGuard<'_, Vec<Reserved>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
