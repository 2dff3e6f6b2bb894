use async_trait::async_trait;
use coinlink_domain::{
    identity::{Attempts, Email, GuardKey, GuardPolicies, Preferences, Role, Session, SessionId, SessionPolicy, User, UserId},
    shared::audit::AuditEntry,
};
use coinlink_ports::{
    identity::{Account, IdentityTx, Sessions, SignInGuards, Users},
    shared::{AuditLog, StoreError},
};
use time::OffsetDateTime;

use super::MemoryTx;
use crate::shared::{faults::unavailable, memory::conflict};

#[async_trait]
impl IdentityTx for MemoryTx {
    async fn commit(mut self: Box<Self>) -> Result<(), StoreError> {
        self.end()
    }
}

#[async_trait]
impl Users for MemoryTx {
    async fn add(&mut self, account: &Account) -> Result<(), StoreError> {
        self.call(|draft| {
            if draft.is_taken(&account.user) {
                return Err(conflict("users.email"));
            }
            if draft.accounts.contains_key(&account.user.id) {
                return Err(conflict("users.id"));
            }
            draft.put_account(account);
            Ok(())
        })
    }

    async fn lock(&mut self, id: UserId) -> Result<Option<Account>, StoreError> {
        self.call(|draft| Ok(draft.accounts.get(&id).cloned()))
    }

    async fn lock_by_email(&mut self, email: &Email) -> Result<Option<Account>, StoreError> {
        self.call(|draft| Ok(draft.account(email).cloned()))
    }

    async fn lock_claimants(&mut self, email: &Email, limit: u64) -> Result<Vec<Account>, StoreError> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        self.call(|draft| {
            let claims = |user: &User| user.email == *email && !user.owns_email && user.is_active;
            Ok(draft.accounts.values().filter(|account| claims(&account.user)).take(limit).cloned().collect())
        })
    }

    async fn save(&mut self, account: &Account) -> Result<(), StoreError> {
        self.call(|draft| {
            let kept = draft.accounts.get(&account.user.id).ok_or_else(|| unavailable("no such account"))?;
            let user = User { created_at: kept.user.created_at, ..account.user.clone() };
            if draft.is_taken(&user) {
                return Err(conflict("users.email"));
            }
            draft.put_account(&Account { user, password: account.password.clone() });
            Ok(())
        })
    }

    async fn save_preferences(&mut self, user: UserId, preferences: &Preferences) -> Result<(), StoreError> {
        self.call(|draft| {
            draft.accounts.get(&user).ok_or_else(|| unavailable("no such account"))?;
            draft.preferences.insert(user, preferences.clone());
            Ok(())
        })
    }

    async fn lock_active_admins(&mut self) -> Result<Vec<UserId>, StoreError> {
        self.call(|draft| {
            let users = draft.accounts.values().map(|account| &account.user);
            Ok(users.filter(|user| user.is_active && user.role == Role::Admin).map(|user| user.id).collect())
        })
    }
}

#[async_trait]
impl Sessions for MemoryTx {
    async fn add(&mut self, session: &Session) -> Result<(), StoreError> {
        self.call(|draft| {
            draft.accounts.get(&session.user).ok_or_else(|| unavailable("no such account"))?;
            if draft.sessions.contains_key(&session.id) {
                return Err(conflict("sessions.id"));
            }
            draft.put_session(session);
            Ok(())
        })
    }

    async fn lock(&mut self, id: SessionId) -> Result<Option<Session>, StoreError> {
        self.call(|draft| Ok(draft.sessions.get(&id).cloned()))
    }

    async fn lock_live(&mut self, user: UserId, now: OffsetDateTime, policy: &SessionPolicy) -> Result<Vec<Session>, StoreError> {
        self.call(|draft| Ok(draft.live(user, now, policy)))
    }

    async fn save(&mut self, session: &Session) -> Result<bool, StoreError> {
        self.call(|draft| {
            let Some(kept) = draft.sessions.get(&session.id).filter(|kept| kept.ended.is_none()) else {
                return Ok(false);
            };
            let Session { user, family_key, created_at, .. } = *kept;
            draft.put_session(&Session { user, family_key, created_at, ..session.clone() });
            Ok(true)
        })
    }
}

#[async_trait]
impl SignInGuards for MemoryTx {
    async fn reserve(
        &mut self,
        keys: &[GuardKey],
        now: OffsetDateTime,
        policies: &GuardPolicies,
    ) -> Result<Result<(), OffsetDateTime>, StoreError> {
        self.call(|draft| {
            let known = |key| draft.guards.get(key).copied().unwrap_or_default();
            let mut reserved: Vec<(&GuardKey, Attempts)> = keys.iter().map(|key| (key, known(key))).collect();
            if let Some(until) = reserved.iter().filter_map(|(_, attempts)| attempts.admit(now).err()).max() {
                return Ok(Err(until));
            }
            for (key, attempts) in &mut reserved {
                attempts.reserve(now, policies.of(key));
                draft.put_attempts(key, *attempts);
            }
            Ok(Ok(()))
        })
    }

    async fn give_back(
        &mut self,
        keys: &[GuardKey],
        reserved_at: OffsetDateTime,
        policies: &GuardPolicies,
    ) -> Result<(), StoreError> {
        self.call(|draft| {
            for key in keys {
                if let Some(attempts) = draft.guards.get_mut(key) {
                    attempts.give_back(reserved_at, policies.of(key));
                }
            }
            Ok(())
        })
    }

    async fn forget(&mut self, keys: &[GuardKey]) -> Result<(), StoreError> {
        self.call(|draft| {
            draft.guards.retain(|key, _| !keys.contains(key));
            Ok(())
        })
    }

    async fn attempts(&mut self, key: &GuardKey) -> Result<Attempts, StoreError> {
        self.call(|draft| Ok(draft.guards.get(key).copied().unwrap_or_default()))
    }
}

#[async_trait]
impl AuditLog for MemoryTx {
    async fn record(&mut self, entry: &AuditEntry) -> Result<(), StoreError> {
        self.call(|draft| {
            draft.audit.push(entry.clone());
            Ok(())
        })
    }
}
