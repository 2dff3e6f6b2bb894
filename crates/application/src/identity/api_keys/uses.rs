use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use coinlink_domain::identity::{ApiKey, ApiKeyId};
use coinlink_ports::{identity::ApiKeyReads, shared::StoreError};
use time::OffsetDateTime;

/// Beyond it uses are not noted until the store took those that wait.
const MOST: usize = 10_000;

/// Keys that were used here, and when, until the store knows.
#[derive(Default)]
pub struct KeyUses(Mutex<HashMap<ApiKeyId, OffsetDateTime>>);

impl KeyUses {
    /// A key was used; noted where the store's note is old enough.
    pub(super) fn add(&self, key: &ApiKey, now: OffsetDateTime) {
        if key.last_used_at.is_some_and(|last| now - last < ApiKey::NOTED_EVERY) {
            return;
        }
        let mut uses = self.uses();
        if uses.len() < MOST {
            uses.entry(key.id).or_insert(now);
        }
    }

    fn take(&self) -> HashMap<ApiKeyId, OffsetDateTime> {
        std::mem::take(&mut *self.uses())
    }

    fn uses(&self) -> MutexGuard<'_, HashMap<ApiKeyId, OffsetDateTime>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes down when keys were used, beside the requests that use them.
pub struct NoteKeyUses {
    /// Keys.
    pub keys: Arc<dyn ApiKeyReads>,
    /// What waits.
    pub uses: Arc<KeyUses>,
}

impl NoteKeyUses {
    /// Writes what waits. What the store does not take is noted with the next use.
    pub async fn execute(&self) -> Result<(), StoreError> {
        for (key, at) in self.uses.take() {
            self.keys.note_use(key, at).await?;
        }
        Ok(())
    }
}
