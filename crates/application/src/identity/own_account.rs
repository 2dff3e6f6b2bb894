use std::sync::Arc;

use coinlink_domain::{
    identity::{ApiKeyId, ClientInfo, PersonName, Preferences, Session, SessionPolicy, User, UserId},
    shared::audit::AuditEntry,
};
use coinlink_ports::{
    identity::IdentityStore,
    shared::{Clock, Entropy, StoreError},
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::audit;

/// An account in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountStats {
    /// Sign-ins so far.
    pub logins: u32,
    /// The last one.
    pub last_login_at: Option<OffsetDateTime>,
    /// Whole days since it was opened.
    pub age_days: i64,
    /// Sessions that go on.
    pub live_sessions: u64,
    /// Sessions that are known, over or not.
    pub total_sessions: u64,
}

/// What becomes of one field.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Change<T> {
    /// It stays.
    #[default]
    Keep,
    /// It is emptied.
    Clear,
    /// It becomes this.
    Set(T),
}

impl<T> Change<T> {
    fn apply(self, field: &mut Option<T>) {
        match self {
            Self::Keep => {}
            Self::Clear => *field = None,
            Self::Set(value) => *field = Some(value),
        }
    }
}

/// What a user may change of the own account; nothing else is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProfileChange {
    /// Given name.
    pub first_name: Change<PersonName>,
    /// Family name.
    pub last_name: Change<PersonName>,
}

/// Who changes an account: its owner, or a key of theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Actor {
    /// Whose account.
    pub user: UserId,
    /// The key, where it is one that acts.
    pub key: Option<ApiKeyId>,
}

impl From<UserId> for Actor {
    fn from(user: UserId) -> Self {
        Self { user, key: None }
    }
}

impl Actor {
    fn did(self, entry: AuditEntry) -> AuditEntry {
        let entry = entry.by(self.user.0);
        match self.key {
            Some(key) => entry.detail("api_key", key.to_string()),
            None => entry,
        }
    }
}

/// What users see and change of their own accounts.
pub struct OwnAccount {
    /// Accounts and sessions.
    pub store: Arc<dyn IdentityStore>,
    /// How long sessions live.
    pub policy: SessionPolicy,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Ids of audit entries.
    pub entropy: Arc<dyn Entropy>,
}

impl OwnAccount {
    /// The account; `None` where it is gone or switched off.
    #[tracing::instrument(name = "identity.profile", skip_all)]
    pub async fn profile(&self, user: UserId) -> Result<Option<User>, StoreError> {
        Ok(self.store.user(user).await?.filter(|user| user.is_active))
    }

    /// Changes names.
    #[tracing::instrument(name = "identity.change_profile", skip_all)]
    pub async fn change_profile(
        &self,
        actor: impl Into<Actor>,
        change: ProfileChange,
        client: &ClientInfo,
    ) -> Result<Option<User>, StoreError> {
        let actor = actor.into();
        let (user, now) = (actor.user, self.clock.now());
        let mut tx = self.store.begin().await?;
        let Some(mut account) = tx.users().lock(user).await?.filter(|account| account.user.is_active) else {
            return Ok(None);
        };
        change.first_name.apply(&mut account.user.first_name);
        change.last_name.apply(&mut account.user.last_name);
        account.user.updated_at = now;
        tx.users().save(&account).await?;
        let entry = audit::on_user(&*self.entropy, now, audit::PROFILE_UPDATE, client).on(user.to_string());
        tx.audit().record(&actor.did(entry)).await?;
        tx.commit().await?;
        Ok(Some(account.user))
    }

    /// Whether accounts can be read at all.
    pub async fn answers(&self) -> bool {
        self.store.preferences(UserId(Uuid::nil())).await.is_ok()
    }

    /// What the user has set, or the defaults.
    #[tracing::instrument(name = "identity.preferences", skip_all)]
    pub async fn preferences(&self, user: UserId) -> Result<Preferences, StoreError> {
        Ok(self.store.preferences(user).await?.unwrap_or_default())
    }

    /// Stores what the user set; checked before ([`Preferences::check`]). Whether there is such an account.
    #[tracing::instrument(name = "identity.save_preferences", skip_all)]
    pub async fn save_preferences(
        &self,
        actor: impl Into<Actor>,
        preferences: &Preferences,
        client: &ClientInfo,
    ) -> Result<bool, StoreError> {
        let actor = actor.into();
        let (user, now) = (actor.user, self.clock.now());
        let mut tx = self.store.begin().await?;
        if !tx.users().lock(user).await?.is_some_and(|account| account.user.is_active) {
            return Ok(false);
        }
        tx.users().save_preferences(user, preferences).await?;
        let entry = audit::on_user(&*self.entropy, now, audit::PREFERENCES_UPDATE, client).on(user.to_string());
        tx.audit().record(&actor.did(entry)).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// The account in numbers; `None` where it is gone or switched off.
    #[tracing::instrument(name = "identity.account_stats", skip_all)]
    pub async fn stats(&self, user: UserId) -> Result<Option<AccountStats>, StoreError> {
        let Some(account) = self.profile(user).await? else { return Ok(None) };
        let now = self.clock.now();
        let sessions = self.store.count_sessions(user, now, &self.policy).await?;
        Ok(Some(AccountStats {
            logins: account.logins,
            last_login_at: account.last_login_at,
            age_days: (now - account.created_at).whole_days().max(0),
            live_sessions: sessions.live,
            total_sessions: sessions.total,
        }))
    }

    /// The sessions that go on, refreshed most recently first.
    #[tracing::instrument(name = "identity.sessions", skip_all)]
    pub async fn sessions(&self, user: UserId) -> Result<Vec<Session>, StoreError> {
        self.store.live_sessions(user, self.clock.now(), &self.policy).await
    }
}
