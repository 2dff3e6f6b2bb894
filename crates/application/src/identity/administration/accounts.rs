use std::sync::Arc;

use coinlink_domain::{
    identity::{ClientInfo, EndReason, GuardKey, Role, SessionId, SessionPolicy, User, UserId},
    shared::{
        audit::{AuditEntry, AuditStatus},
        mail::OutgoingMail,
        reason::Reason,
    },
};
use coinlink_ports::{
    identity::{Account, IdentityStore, IdentityTx},
    shared::{Clock, Entropy, StoreError},
};
use time::OffsetDateTime;

use super::{
    super::{EndedSessions, audit, end_sessions},
    Administrator,
};

/// What became of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Administered {
    /// The account as it is now.
    pub user: User,
    /// Whether that is new.
    pub changed: bool,
    /// Sessions that were ended.
    pub ended: usize,
}

/// The account stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum AdministerError {
    /// There is none.
    #[error("there is no such account")]
    NoAccount,
    /// Whoever asked is no administrator any more.
    #[error("the account is not an administrator's any more")]
    NotAdmin,
    /// Nobody would be left to administer.
    #[error("this is the last administrator")]
    LastAdmin,
    /// It is the account of whoever asked.
    #[error("nobody locks the own account")]
    OwnAccount,
    /// The store is not there.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AdministerError {
    /// For the audit log; `None` where nothing was decided.
    const fn reason(&self) -> Option<&'static str> {
        match self {
            Self::NoAccount => Some("no_account"),
            Self::NotAdmin => Some("not_admin"),
            Self::LastAdmin => Some("last_admin"),
            Self::OwnAccount => Some("own_account"),
            Self::Store(_) => None,
        }
    }
}

/// Locks accounts, unlocks them and ends their sessions.
pub struct AdministerAccounts {
    /// Accounts and sessions.
    pub store: Arc<dyn IdentityStore>,
    /// Told which sessions are over.
    pub ended: EndedSessions,
    /// How long sessions live.
    pub policy: SessionPolicy,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Ids of audit entries and letters.
    pub entropy: Arc<dyn Entropy>,
}

/// What is done, by whom, to whom and why.
#[derive(Debug, Clone, Copy)]
struct Act<'a> {
    action: &'static str,
    admin: Administrator,
    target: UserId,
    reason: &'a Reason,
    client: &'a ClientInfo,
    now: OffsetDateTime,
}

impl AdministerAccounts {
    /// Keeps an account from signing in, ends all of its sessions and revokes its keys; nobody is told its password, and none is set. One that is
    /// locked already stays so.
    #[tracing::instrument(name = "identity.lock_account", skip_all)]
    pub async fn lock(
        &self,
        admin: Administrator,
        target: UserId,
        reason: &Reason,
        client: &ClientInfo,
    ) -> Result<Administered, AdministerError> {
        let act = Act { action: audit::ADMIN_USER_LOCK, admin, target, reason, client, now: self.clock.now() };
        let locked = self.lock_in_tx(&act).await;
        self.told(&act, locked).await
    }

    /// Lets an account sign in again, and forgets the guesses that were counted against it. One that is not locked stays so.
    #[tracing::instrument(name = "identity.unlock_account", skip_all)]
    pub async fn unlock(
        &self,
        admin: Administrator,
        target: UserId,
        reason: &Reason,
        client: &ClientInfo,
    ) -> Result<Administered, AdministerError> {
        let act = Act { action: audit::ADMIN_USER_UNLOCK, admin, target, reason, client, now: self.clock.now() };
        let unlocked = self.unlock_in_tx(&act).await;
        self.told(&act, unlocked).await
    }

    /// Ends all sessions of an account, which may sign in again.
    #[tracing::instrument(name = "identity.revoke_sessions", skip_all)]
    pub async fn revoke_sessions(
        &self,
        admin: Administrator,
        target: UserId,
        reason: &Reason,
        client: &ClientInfo,
    ) -> Result<Administered, AdministerError> {
        let act = Act { action: audit::ADMIN_SESSIONS_REVOKE, admin, target, reason, client, now: self.clock.now() };
        let revoked = self.revoke_in_tx(&act).await;
        self.told(&act, revoked).await
    }

    async fn lock_in_tx(&self, act: &Act<'_>) -> Result<(Administered, Vec<SessionId>), AdministerError> {
        let (mut tx, admins, mut account) = self.begin(act).await?;
        if account.user.role == Role::Admin && admins == [act.target] {
            return Err(AdministerError::LastAdmin);
        }
        if act.target == act.admin.user {
            return Err(AdministerError::OwnAccount);
        }
        let changed = account.user.is_active;
        if changed {
            let mail = self.mail(act, &account.user, "account_locked").with("reason", act.reason.as_str());
            self.save(&mut *tx, &mut account, false, act.now, &mail).await?;
        }
        tx.api_keys().purge(act.target, act.now).await?;
        self.end_sessions(tx, act, account.user, changed).await
    }

    async fn unlock_in_tx(&self, act: &Act<'_>) -> Result<(Administered, Vec<SessionId>), AdministerError> {
        let (mut tx, _, mut account) = self.begin(act).await?;
        let changed = !account.user.is_active;
        if changed {
            let mail = self.mail(act, &account.user, "account_unlocked");
            self.save(&mut *tx, &mut account, true, act.now, &mail).await?;
        }
        // What is counted by address or by device is not the account's alone, and passes by itself.
        let guards = [GuardKey::Account(account.user.email.clone()), GuardKey::SecondFactor(act.target)];
        tx.guards().forget(&guards).await?;
        let entry = self.entry(act).detail("changed", changed.to_string());
        tx.audit().record(&entry).await?;
        tx.commit().await?;
        Ok((Administered { user: account.user, changed, ended: 0 }, Vec::new()))
    }

    async fn revoke_in_tx(&self, act: &Act<'_>) -> Result<(Administered, Vec<SessionId>), AdministerError> {
        let (tx, _, account) = self.begin(act).await?;
        self.end_sessions(tx, act, account.user, true).await
    }

    /// Holds every active administrator, in the order everybody takes, then the account. A sign-in holds the account as well: it
    /// is either before this, and its session is found, or after it, and finds what this leaves.
    async fn begin(&self, act: &Act<'_>) -> Result<(Box<dyn IdentityTx>, Vec<UserId>, Account), AdministerError> {
        let mut tx = self.store.begin().await?;
        let admins = tx.users().lock_active_admins().await?;
        if !admins.contains(&act.admin.user) {
            return Err(AdministerError::NotAdmin);
        }
        let account = tx.users().lock(act.target).await?.ok_or(AdministerError::NoAccount)?;
        Ok((tx, admins, account))
    }

    async fn save(
        &self,
        tx: &mut dyn IdentityTx,
        account: &mut Account,
        active: bool,
        now: OffsetDateTime,
        mail: &OutgoingMail,
    ) -> Result<(), StoreError> {
        account.user.is_active = active;
        account.user.updated_at = now;
        tx.users().save(account).await?;
        // An address that is merely claimed may be a stranger's.
        if account.user.owns_email { tx.mail().post(mail).await } else { Ok(()) }
    }

    async fn end_sessions(
        &self,
        mut tx: Box<dyn IdentityTx>,
        act: &Act<'_>,
        user: User,
        changed: bool,
    ) -> Result<(Administered, Vec<SessionId>), AdministerError> {
        let ended = end_sessions::all_but(&mut *tx, user.id, None, EndReason::Administered, act.now, &self.policy).await?;
        let entry = self.entry(act).detail("changed", changed.to_string()).detail("sessions", ended.len().to_string());
        tx.audit().record(&entry).await?;
        tx.commit().await?;
        Ok((Administered { user, changed, ended: ended.len() }, ended))
    }

    /// Announces what was done, or writes down that it was refused.
    async fn told(
        &self,
        act: &Act<'_>,
        done: Result<(Administered, Vec<SessionId>), AdministerError>,
    ) -> Result<Administered, AdministerError> {
        match done {
            Ok((administered, ended)) => {
                self.ended.announce(&ended).await;
                Ok(administered)
            }
            Err(refused) => {
                if let Some(reason) = refused.reason() {
                    let entry = self.entry(act).detail("refused", reason).ended(AuditStatus::Denied);
                    audit::record_alone(&*self.store, &entry).await?;
                }
                Err(refused)
            }
        }
    }

    fn entry(&self, act: &Act<'_>) -> AuditEntry {
        audit::on_user(&*self.entropy, act.now, act.action, act.client)
            .by(act.admin.user.0)
            .on(act.target.to_string())
            .detail("reason", act.reason.as_str())
    }

    fn mail(&self, act: &Act<'_>, to: &User, template: &'static str) -> OutgoingMail {
        OutgoingMail::new(self.entropy.id(), to.email.as_str(), template, act.now)
    }
}
