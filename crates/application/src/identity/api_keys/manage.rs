use std::sync::Arc;

use coinlink_domain::{
    identity::{
        ApiKey, ApiKeyId, ApiKeyName, ApiScope, ApiScopes, ClientInfo, IpRange, Password, SessionId, SessionPolicy, UserId,
    },
    shared::audit::{AuditEntry, AuditStatus},
};
use coinlink_ports::{
    identity::{Account, ApiKeyCodec, ApiKeyPlace, ApiKeyReads, ApiKeyText, HashError, IdentityStore, IdentityTx},
    shared::{Clock, Entropy, StoreError},
};
use time::OffsetDateTime;

use super::{
    super::{
        Letters, VerifiedEmail, audit,
        own_password::OwnPassword,
        second_factor::{FactorError, require_fresh},
    },
    KnownKeys,
};

/// A key that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewApiKey {
    /// What it is called.
    pub name: ApiKeyName,
    /// What it may do.
    pub scopes: ApiScopes,
    /// Where it may be used from; at most [`ApiKey::MAX_NETWORKS`].
    pub networks: Vec<IpRange>,
    /// From when on it is good for nothing.
    pub expires_at: Option<OffsetDateTime>,
}

/// There is no new key.
#[derive(Debug, thiserror::Error)]
pub enum CreateApiKeyError {
    /// The account is gone or switched off, or the session is over.
    #[error("there is no such account, or its session is over")]
    NoAccount,
    /// It would be over from the start.
    #[error("the key would be over from the start")]
    Expired,
    /// Its owner's address is not known to be its owner's.
    #[error("the address of the account is not verified")]
    EmailNotVerified,
    /// The second factor was not shown lately.
    #[error("the second factor was not shown lately")]
    FactorMissing,
    /// The password is another, or was guessed at too often.
    #[error("the password is another")]
    WrongPassword,
    /// The account has as many as it may.
    #[error("the account has as many keys as it may")]
    TooMany,
    /// As many were made within a day as may be, whatever became of them.
    #[error("as many keys were made within a day as may be")]
    TooManyToday,
    /// The password could not be checked.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The store is not there.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<FactorError> for CreateApiKeyError {
    fn from(error: FactorError) -> Self {
        match error {
            FactorError::Missing => Self::FactorMissing,
            FactorError::Store(error) => Self::Store(error),
        }
    }
}

impl CreateApiKeyError {
    /// As in the audit log, and how the act ended; nothing of what is wrong with the store or with nobody.
    const fn reason(&self) -> Option<(&'static str, AuditStatus)> {
        match self {
            Self::EmailNotVerified => Some(("email_not_verified", AuditStatus::Denied)),
            Self::FactorMissing => Some(("second_factor_required", AuditStatus::Denied)),
            Self::WrongPassword => Some(("wrong_password", AuditStatus::Failure)),
            Self::TooMany => Some(("too_many_keys", AuditStatus::Failure)),
            Self::TooManyToday => Some(("too_many_keys_today", AuditStatus::Failure)),
            Self::NoAccount | Self::Expired | Self::Hash(_) | Self::Store(_) => None,
        }
    }
}

/// Makes keys. A key makes no keys: this takes a session, and the password: a key outlives whatever a stolen token opens.
pub struct CreateApiKey {
    /// Accounts, sessions and keys.
    pub store: Arc<dyn IdentityStore>,
    /// Makes their texts.
    pub codec: Arc<dyn ApiKeyCodec>,
    /// Tells the owner.
    pub letters: Letters,
    /// Asks for the password once more.
    pub(in crate::identity) own: OwnPassword,
    /// Whether an account may have keys.
    pub verified_email: Arc<VerifiedEmail>,
    /// How long a second factor does.
    pub policy: SessionPolicy,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Ids and secrets.
    pub entropy: Arc<dyn Entropy>,
}

impl CreateApiKey {
    /// Makes a key for `user`, who asks in `session` and knows the password. Its text is told once and not kept.
    #[tracing::instrument(name = "identity.create_api_key", skip_all)]
    pub async fn execute(
        &self,
        caller @ (user, _): (UserId, SessionId),
        password: &Password,
        new: NewApiKey,
        client: &ClientInfo,
    ) -> Result<(ApiKey, ApiKeyText), CreateApiKeyError> {
        let made = self.make(caller, password, new, client).await;
        let now = self.clock.now();
        if let Some((reason, status)) = made.as_ref().err().and_then(CreateApiKeyError::reason) {
            let entry = on_keys(&*self.entropy, now, audit::API_KEY_CREATE, user, client).detail("reason", reason).ended(status);
            audit::record_alone(&*self.store, &entry).await?;
        }
        made
    }

    async fn make(
        &self,
        caller @ (user, session): (UserId, SessionId),
        password: &Password,
        new: NewApiKey,
        client: &ClientInfo,
    ) -> Result<(ApiKey, ApiKeyText), CreateApiKeyError> {
        if new.expires_at.is_some_and(|end| end <= self.clock.now()) {
            return Err(CreateApiKeyError::Expired);
        }
        let _place = self.own.place()?;
        // Before the password is compared: whoever can make no key has no use for the answer but to find it out.
        let mut tx = self.store.begin().await?;
        let account = self.admitted(&mut *tx, caller, self.clock.now()).await?;
        drop(tx);
        if !self.own.is_right::<CreateApiKeyError>(&account, session, password).await? {
            return Err(CreateApiKeyError::WrongPassword);
        }

        // The hash took its time.
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let locked = self.admitted(&mut *tx, caller, now).await?;
        if locked.password != account.password {
            return Err(CreateApiKeyError::WrongPassword);
        }
        let id = ApiKeyId(self.entropy.id());
        let (text, digest) = self.codec.mint(id, &self.entropy.key());
        let NewApiKey { name, scopes, networks, expires_at } = new;
        let (last_used_at, revoked_at) = (None, None);
        let key = ApiKey { id, user, name, digest, scopes, networks, created_at: now, expires_at, last_used_at, revoked_at };
        tx.api_keys().add(&key).await?;
        let scopes: Vec<&str> = key.scopes.iter().map(ApiScope::name).collect();
        let entry = on_keys(&*self.entropy, now, audit::API_KEY_CREATE, user, client).on(id.to_string());
        tx.audit().record(&entry.detail("scopes", scopes.join(" "))).await?;
        // Who has not shown to receive the mail puts no words into it.
        let name = if locked.user.is_verified { key.name.as_str() } else { "" };
        let notice = ("api_key_created", &[("name", name)][..]);
        self.letters.notice_of(&mut *tx, &locked.user, notice, client, now).await?;
        tx.commit().await?;
        Ok((key, text))
    }

    /// The account of a caller who may make a key at `now`, held.
    async fn admitted(
        &self,
        tx: &mut dyn IdentityTx,
        (user, session): (UserId, SessionId),
        now: OffsetDateTime,
    ) -> Result<Account, CreateApiKeyError> {
        let account = tx.users().lock(user).await?.filter(|account| account.user.is_active);
        let account = account.ok_or(CreateApiKeyError::NoAccount)?;
        // One that was ended a moment ago leaves no key behind.
        let held = tx.sessions().lock(session).await?.filter(|held| held.user == user && held.is_live(now, &self.policy));
        held.ok_or(CreateApiKeyError::NoAccount)?;
        if !self.verified_email.accepts(&account.user) {
            return Err(CreateApiKeyError::EmailNotVerified);
        }
        require_fresh(tx, user, session, now, &self.policy).await?;
        if tx.api_keys().count_live(user, now).await? >= ApiKey::MAX_LIVE {
            return Err(CreateApiKeyError::TooMany);
        }
        if tx.api_keys().count_made(user, now - ApiKey::DAY).await? >= ApiKey::MAX_A_DAY {
            return Err(CreateApiKeyError::TooManyToday);
        }
        Ok(account)
    }
}

/// A part of a list of keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeyPage {
    /// Newest first.
    pub keys: Vec<ApiKey>,
    /// Where the last of them stands, where there are more.
    pub next: Option<ApiKeyPlace>,
}

/// Shows a user's keys, without their secrets.
pub struct ListApiKeys {
    /// Keys.
    pub keys: Arc<dyn ApiKeyReads>,
}

impl ListApiKeys {
    /// At most `limit` of those that were not revoked, newest first, behind the place `before`; expired ones too.
    #[tracing::instrument(name = "identity.list_api_keys", skip_all)]
    pub async fn execute(&self, user: UserId, before: Option<ApiKeyPlace>, limit: u32) -> Result<ApiKeyPage, StoreError> {
        let mut keys = self.keys.keys_of(user, before, limit.saturating_add(1)).await?;
        let more = keys.len() > limit as usize;
        keys.truncate(limit as usize);
        let next = keys.last().filter(|_| more).map(|key| ApiKeyPlace { at: key.created_at, id: key.id });
        Ok(ApiKeyPage { keys, next })
    }
}

/// Revokes keys.
pub struct RevokeApiKey {
    /// Keys.
    pub store: Arc<dyn IdentityStore>,
    /// What this node knows of keys.
    pub known: Arc<KnownKeys>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Ids of audit entries.
    pub entropy: Arc<dyn Entropy>,
}

impl RevokeApiKey {
    /// Revokes a key of `user`. Whether there was one. This node refuses it from now on, the others within a second.
    #[tracing::instrument(name = "identity.revoke_api_key", skip_all)]
    pub async fn execute(&self, user: UserId, id: ApiKeyId, client: &ClientInfo) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        if !tx.api_keys().revoke(user, id, now).await? {
            return Ok(false);
        }
        let entry = on_keys(&*self.entropy, now, audit::API_KEY_REVOKE, user, client).on(id.to_string());
        tx.audit().record(&entry).await?;
        tx.commit().await?;
        self.known.remember_nobodys(id, self.clock.monotonic());
        Ok(true)
    }
}

/// Something done by `user` to a key.
fn on_keys(entropy: &dyn Entropy, now: OffsetDateTime, action: &'static str, user: UserId, client: &ClientInfo) -> AuditEntry {
    AuditEntry::new(entropy.id(), now, action, "api_key").by(user.0).from(client.ip, client.user_agent.as_deref())
}
