use async_trait::async_trait;
use coinlink_domain::identity::{ApiKey, ApiKeyId, SecretDigest, UserId};
use time::OffsetDateTime;

use crate::shared::StoreError;

/// The text of a key, which its owner sees once.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKeyText(
    /// What the program sends.
    pub String,
);

impl std::fmt::Debug for ApiKeyText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ApiKeyText(…)")
    }
}

/// What a key's text claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PresentedApiKey {
    /// Which key it is.
    pub id: ApiKeyId,
    /// Of the secret that was presented.
    pub digest: SecretDigest,
}

/// Where a key stands in the list of its owner's, which is newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApiKeyPlace {
    /// When it was made.
    pub at: OffsetDateTime,
    /// The key.
    pub id: ApiKeyId,
}

/// Makes and reads the texts of keys. No I/O.
pub trait ApiKeyCodec: Send + Sync {
    /// The text of a key, and what to keep of its secret.
    fn mint(&self, id: ApiKeyId, secret: &[u8; 32]) -> (ApiKeyText, SecretDigest);

    /// What a text claims; `None` where no key has this text, such as one that was mistyped. Never panics, whatever is presented.
    fn open(&self, presented: &str) -> Option<PresentedApiKey>;

    /// Whether the secret is the one of which `kept` was kept. Takes the same time whatever the answer.
    fn proves(&self, presented: &PresentedApiKey, kept: &SecretDigest) -> bool;
}

/// Keys, in a transaction.
#[async_trait]
pub trait ApiKeys: Send {
    /// Adds a key of an account that is there.
    async fn add(&mut self, key: &ApiKey) -> Result<(), StoreError>;

    /// How many keys of a user are live at `now` ([`ApiKey::is_live`]). Exact only while the user's account is held.
    async fn count_live(&mut self, user: UserId, now: OffsetDateTime) -> Result<u64, StoreError>;

    /// How many keys were made for a user after `since`, whatever became of them. Exact only while the user's account is held.
    async fn count_made(&mut self, user: UserId, since: OffsetDateTime) -> Result<u64, StoreError>;

    /// Revokes a key of `user` at `at`. Whether there was one that was not revoked.
    async fn revoke(&mut self, user: UserId, id: ApiKeyId, at: OffsetDateTime) -> Result<bool, StoreError>;

    /// Revokes every key of `user` at `at`: it was locked, or whoever made them was not its owner. How many there were.
    async fn purge(&mut self, user: UserId, at: OffsetDateTime) -> Result<u64, StoreError>;
}

/// Keys, outside of transactions: what is committed.
#[async_trait]
pub trait ApiKeyReads: Send + Sync {
    /// A key that was not revoked, of an account that is not switched off. One read.
    async fn usable(&self, id: ApiKeyId) -> Result<Option<ApiKey>, StoreError>;

    /// At most `limit` of a user's keys that were not revoked, newest first; those behind the place `before`.
    async fn keys_of(&self, user: UserId, before: Option<ApiKeyPlace>, limit: u32) -> Result<Vec<ApiKey>, StoreError>;

    /// Notes that a key was used at `at`, where that is [`ApiKey::NOTED_EVERY`] or more after what was noted before.
    async fn note_use(&self, id: ApiKeyId, at: OffsetDateTime) -> Result<(), StoreError>;

    /// Forgets keys that were revoked or expired before `before`, at most `limit`. Answers how many.
    async fn prune_keys(&self, before: OffsetDateTime, limit: u64) -> Result<u64, StoreError>;
}
