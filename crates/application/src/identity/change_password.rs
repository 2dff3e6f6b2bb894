use std::sync::Arc;

use coinlink_domain::{
    identity::{ClientInfo, EndReason, Password, PasswordFault, SessionId, SessionPolicy, UserId},
    shared::audit::AuditStatus,
};
use coinlink_ports::{
    identity::{Account, HashError, IdentityStore, IdentityTx, PasswordHasher},
    shared::{Clock, Entropy, StoreError},
};
use time::Duration;

use super::{
    EndedSessions, Letters, audit, end_sessions,
    own_password::OwnPassword,
    second_factor::{FactorError, require_fresh},
};

/// The password stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum ChangePasswordError {
    /// The account is gone, or the session is over.
    #[error("there is no such account, or its session is over")]
    NoAccount,
    /// The present password is another, or was guessed at too often.
    #[error("the present password is another")]
    WrongPassword,
    /// The new password does not do.
    #[error("the new password does not do")]
    WeakPassword(Vec<PasswordFault>),
    /// The new password is the present one.
    #[error("the new password is the present one")]
    Unchanged,
    /// The account has a second factor, and it was not shown lately.
    #[error("a second factor was not shown lately")]
    SecondFactorRequired,
    /// A password could not be hashed or checked.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The store is not there.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<FactorError> for ChangePasswordError {
    fn from(error: FactorError) -> Self {
        match error {
            FactorError::Missing => Self::SecondFactorRequired,
            FactorError::Store(error) => Self::Store(error),
        }
    }
}

/// Gives an account another password and ends its other sessions.
pub struct ChangePassword {
    /// Accounts and sessions.
    pub store: Arc<dyn IdentityStore>,
    /// Hashes and checks passwords.
    pub hasher: Arc<dyn PasswordHasher>,
    /// Writes the letter that tells of it.
    pub letters: Letters,
    /// Told which sessions are over.
    pub ended: EndedSessions,
    /// Checks the present password.
    pub(super) own: OwnPassword,
    /// How long sessions live.
    pub policy: SessionPolicy,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Ids of audit entries.
    pub entropy: Arc<dyn Entropy>,
}

impl ChangePassword {
    /// Changes `present` to `new` for `user`, whose `session` goes on, and revokes the API keys where `revoke_keys` says so. Tells
    /// how many other sessions were ended.
    #[tracing::instrument(name = "identity.change_password", skip_all)]
    pub async fn execute(
        &self,
        (user, session): (UserId, SessionId),
        present: &Password,
        new: &Password,
        revoke_keys: bool,
        client: &ClientInfo,
    ) -> Result<usize, ChangePasswordError> {
        let _place = self.hasher.place()?;
        let account = self.account(user).await?;
        new.check(&account.user.email).map_err(ChangePasswordError::WeakPassword)?;
        // Before the password is compared: whoever cannot change it has no use for the answer but to find it out.
        let mut tx = self.store.begin().await?;
        self.require_factor(&mut *tx, (user, session)).await?;
        drop(tx);
        if !self.own.is_right::<ChangePasswordError>(&account, session, present).await? {
            self.record_failure(user, client, "wrong_password").await?;
            return Err(ChangePasswordError::WrongPassword);
        }
        if present == new {
            self.record_failure(user, client, "unchanged").await?;
            return Err(ChangePasswordError::Unchanged);
        }
        let hashed = self.hasher.hash(new).await?;

        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let locked = tx.users().lock(user).await?.filter(|account| account.user.is_active);
        let locked = locked.ok_or(ChangePasswordError::NoAccount)?;
        // The hashes took their time: whoever was signed out meanwhile changes nothing any more.
        let own = tx.sessions().lock(session).await?;
        if !own.is_some_and(|own| own.user == user && own.is_live(now, &self.policy)) {
            return Err(ChangePasswordError::NoAccount);
        }
        if locked.password != account.password {
            return Err(ChangePasswordError::WrongPassword);
        }
        require_fresh(&mut *tx, user, session, now, &self.policy).await?;
        let mut changed = Account { password: hashed, ..locked };
        changed.user.updated_at = now;
        tx.users().save(&changed).await?;
        // What takes a change of the address back stays: whoever changed it may be who changes the password.
        tx.mail_links().void(user, now + Duration::DAY, now).await?;
        let ended = end_sessions::all_but(&mut *tx, user, Some(session), EndReason::PasswordChanged, now, &self.policy).await?;
        let entry = audit::on_user(&*self.entropy, now, audit::PASSWORD_CHANGE, client)
            .by(user.0)
            .on(user.to_string())
            .detail("sessions_ended", ended.len().to_string());
        let entry = if revoke_keys { end_sessions::with_keys(&mut *tx, user, now, entry).await? } else { entry };
        tx.audit().record(&entry).await?;
        self.letters.notice(&mut *tx, &changed.user, "password_changed", client, now).await?;
        tx.commit().await?;
        self.ended.announce(&ended).await;
        Ok(ended.len())
    }

    async fn require_factor(
        &self,
        tx: &mut dyn IdentityTx,
        (user, session): (UserId, SessionId),
    ) -> Result<(), ChangePasswordError> {
        tx.users().lock(user).await?;
        Ok(require_fresh(tx, user, session, self.clock.now(), &self.policy).await?)
    }

    async fn account(&self, user: UserId) -> Result<Account, ChangePasswordError> {
        let account = self.store.account_of(user).await?;
        account.filter(|account| account.user.is_active).ok_or(ChangePasswordError::NoAccount)
    }

    async fn record_failure(&self, user: UserId, client: &ClientInfo, reason: &'static str) -> Result<(), StoreError> {
        let entry = audit::on_user(&*self.entropy, self.clock.now(), audit::PASSWORD_CHANGE, client)
            .by(user.0)
            .on(user.to_string())
            .detail("reason", reason)
            .ended(AuditStatus::Failure);
        audit::record_alone(&*self.store, &entry).await
    }
}
