use std::sync::{Mutex, MutexGuard, PoisonError};

use coinlink_domain::identity::GuardKey;

/// Guesses that were right, or were never checked, and are still counted as failures because the store did not answer. Kept
/// until it does, so that trouble of ours is nobody's wrong password; a restart leaves them to be forgotten like any failure.
#[derive(Default)]
pub struct OwedGuesses(Mutex<Vec<Vec<GuardKey>>>);

/// Beyond it the oldest trouble is forgotten: it ends by itself within a day.
const MOST: usize = 10_000;

impl OwedGuesses {
    pub(super) fn add(&self, keys: Vec<GuardKey>) {
        let mut owed = self.owed();
        if owed.len() < MOST {
            owed.push(keys);
        }
    }

    pub(super) fn take(&self) -> Option<Vec<GuardKey>> {
        self.owed().pop()
    }

    fn owed(&self) -> MutexGuard<'_, Vec<Vec<GuardKey>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
