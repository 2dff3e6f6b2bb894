use async_trait::async_trait;
use coinlink_domain::identity::{ApiKey, ApiKeyId, UserId};
use coinlink_ports::{
    identity::{ApiKeyPlace, ApiKeyReads, ApiKeys},
    shared::StoreError,
};
use time::OffsetDateTime;

use super::{MemoryIdentity, MemoryTx, state::State};
use crate::shared::{
    faults::unavailable,
    memory::{conflict, micros},
};

impl State {
    fn put_api_key(&mut self, key: &ApiKey) {
        let key = ApiKey {
            created_at: micros(key.created_at),
            expires_at: key.expires_at.map(micros),
            last_used_at: key.last_used_at.map(micros),
            revoked_at: key.revoked_at.map(micros),
            ..key.clone()
        };
        self.api_keys.insert(key.id, key);
    }

    fn unrevoked(&mut self, user: UserId) -> impl Iterator<Item = &mut ApiKey> {
        self.api_keys.values_mut().filter(move |key| key.user == user && key.revoked_at.is_none())
    }
}

impl MemoryIdentity {
    /// Adds a key or replaces it, while no transaction is open.
    pub fn put_api_key(&self, key: &ApiKey) {
        self.committed().put_api_key(key);
    }

    /// Committed keys by id.
    pub fn api_keys(&self) -> Vec<ApiKey> {
        self.committed().api_keys.values().cloned().collect()
    }
}

#[async_trait]
impl ApiKeys for MemoryTx {
    async fn add(&mut self, key: &ApiKey) -> Result<(), StoreError> {
        self.call(|draft| {
            draft.accounts.get(&key.user).ok_or_else(|| unavailable("no such account"))?;
            if draft.api_keys.contains_key(&key.id) {
                return Err(conflict("api_keys.id"));
            }
            draft.put_api_key(key);
            Ok(())
        })
    }

    async fn count_live(&mut self, user: UserId, now: OffsetDateTime) -> Result<u64, StoreError> {
        let now = micros(now);
        self.call(|draft| Ok(draft.unrevoked(user).filter(|key| key.is_live(now)).count() as u64))
    }

    async fn count_made(&mut self, user: UserId, since: OffsetDateTime) -> Result<u64, StoreError> {
        let since = micros(since);
        self.call(|draft| {
            let made = draft.api_keys.values().filter(|key| key.user == user && key.created_at > since);
            Ok(made.count() as u64)
        })
    }

    async fn revoke(&mut self, user: UserId, id: ApiKeyId, at: OffsetDateTime) -> Result<bool, StoreError> {
        self.call(|draft| {
            let found = draft.unrevoked(user).find(|key| key.id == id);
            Ok(found.map(|key| key.revoked_at = Some(micros(at))).is_some())
        })
    }

    async fn purge(&mut self, user: UserId, at: OffsetDateTime) -> Result<u64, StoreError> {
        self.call(|draft| Ok(draft.unrevoked(user).map(|key| key.revoked_at = Some(micros(at))).count() as u64))
    }
}

#[async_trait]
impl ApiKeyReads for MemoryIdentity {
    async fn usable(&self, id: ApiKeyId) -> Result<Option<ApiKey>, StoreError> {
        self.read(|state| {
            let key = state.api_keys.get(&id).filter(|key| key.revoked_at.is_none())?;
            state.accounts.get(&key.user).is_some_and(|account| account.user.is_active).then(|| key.clone())
        })
    }

    async fn keys_of(&self, user: UserId, before: Option<ApiKeyPlace>, limit: u32) -> Result<Vec<ApiKey>, StoreError> {
        let before = before.map(|ApiKeyPlace { at, id }| (micros(at), id));
        self.read(|state| {
            let unrevoked = state.api_keys.values().filter(|key| key.user == user && key.revoked_at.is_none());
            let behind = unrevoked.filter(|key| before.is_none_or(|before| (key.created_at, key.id) < before));
            let mut keys: Vec<_> = behind.cloned().collect();
            keys.sort_by_key(|key| std::cmp::Reverse((key.created_at, key.id)));
            keys.truncate(limit as usize);
            keys
        })
    }

    async fn note_use(&self, id: ApiKeyId, at: OffsetDateTime) -> Result<(), StoreError> {
        let at = micros(at);
        self.change(|state| {
            if let Some(key) = state.api_keys.get_mut(&id)
                && key.last_used_at.is_none_or(|last| last <= at - ApiKey::NOTED_EVERY)
            {
                key.last_used_at = Some(at);
            }
        })
        .await
    }

    async fn prune_keys(&self, before: OffsetDateTime, limit: u64) -> Result<u64, StoreError> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let over = |key: &&ApiKey| key.revoked_at.into_iter().chain(key.expires_at).any(|at| at < micros(before));
        self.change(|state| {
            let ids: Vec<_> = state.api_keys.values().filter(over).map(|key| key.id).take(limit).collect();
            state.api_keys.retain(|id, _| !ids.contains(id));
            ids.len() as u64
        })
        .await
    }
}
