use std::sync::Arc;

use coinlink_domain::identity::{
    ClientInfo, EndReason, GuardKey, LinkPurpose, Password, PasswordFault, SessionId, SessionPolicy, StoredPassword, UserId,
};
use coinlink_ports::{
    identity::{DeviceTokens, HashError, IdentityStore, PasswordHasher, SigningError},
    shared::{Clock, Entropy, StoreError},
};
use time::Duration;

use super::{
    super::{DeviceSecret, EndedSessions, audit, end_sessions},
    Letters, LinkError, OpenLink, Opening,
    reclaim::reclaim,
};

/// The password stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum ResetPasswordError {
    /// The link leads nowhere.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The new password does not do.
    #[error("the new password does not do")]
    WeakPassword(Vec<PasswordFault>),
    /// The password could not be hashed.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The device's token could not be made.
    #[error(transparent)]
    Signing(#[from] SigningError),
}

impl From<StoreError> for ResetPasswordError {
    fn from(error: StoreError) -> Self {
        Self::Link(error.into())
    }
}

/// Sets another password for whoever receives the account's mail. Signs nobody in, and leaves the second factor of an account
/// whose address was verified before as it is.
pub struct ResetPassword {
    /// Accounts.
    pub store: Arc<dyn IdentityStore>,
    /// Opens links.
    pub links: OpenLink,
    /// Hashes passwords.
    pub hasher: Arc<dyn PasswordHasher>,
    /// Makes device tokens.
    pub devices: Arc<dyn DeviceTokens>,
    /// Writes the letters.
    pub letters: Letters,
    /// Told which sessions are over.
    pub ended: EndedSessions,
    /// How long sessions live.
    pub policy: SessionPolicy,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Ids of audit entries and devices.
    pub entropy: Arc<dyn Entropy>,
}

impl ResetPassword {
    /// Sets `password` by `opening`. The device that does it is known from now on, so that no attack on the account keeps its
    /// owner from signing in on it.
    #[tracing::instrument(name = "identity.reset_password", skip_all)]
    pub async fn execute(
        &self,
        opening: &Opening,
        password: &Password,
        client: &ClientInfo,
    ) -> Result<DeviceSecret, ResetPasswordError> {
        let _place = self.hasher.place()?;
        let (link, _) = self.links.check(opening, LinkPurpose::ResetPassword, self.clock.now()).await?;
        password.check(&link.email).map_err(ResetPasswordError::WeakPassword)?;
        let hashed = self.hasher.hash(password).await?;
        let device = DeviceSecret(self.devices.mint(link.user, self.entropy.id(), &hashed)?);
        let ended = self.carry_out(opening, link.user, hashed, client).await?;
        self.ended.announce(&ended).await;
        Ok(device)
    }

    async fn carry_out(
        &self,
        opening: &Opening,
        user: UserId,
        hashed: StoredPassword,
        client: &ClientInfo,
    ) -> Result<Vec<SessionId>, ResetPasswordError> {
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let locked = tx.users().lock(user).await?;
        let mut account = locked.filter(|account| account.user.is_active && account.user.owns_email).ok_or(LinkError::Invalid)?;
        let link = OpenLink::spend(&mut *tx, opening, LinkPurpose::ResetPassword, now).await?;
        if account.user.email != link.email {
            return Err(LinkError::Invalid.into());
        }
        let was_verified = account.user.is_verified;
        account.password = hashed;
        account.user.is_verified = true;
        account.user.updated_at = now;
        account.user.secured_at = Some(now);
        // Whoever resets a password does not know who has been in the account, and what they left behind.
        let revoked = tx.api_keys().purge(user, now).await?;
        let ended = if was_verified {
            // What takes a change of the address back stays: whoever changed it may be who resets the password.
            tx.mail_links().void(user, now + Duration::DAY, now).await?;
            end_sessions::all_but(&mut *tx, user, None, EndReason::PasswordChanged, now, &self.policy).await?
        } else {
            reclaim(&mut *tx, &mut account, now, &self.policy).await?
        };
        tx.users().save(&account).await?;
        let pair = client.ip.map(|ip| GuardKey::Pair(link.email.clone(), ip));
        let mut keys: Vec<_> = pair.into_iter().chain([GuardKey::Account(link.email.clone())]).collect();
        keys.sort();
        tx.guards().forget(&keys).await?;
        let entry = audit::on_user(&*self.entropy, now, audit::PASSWORD_RESET, client)
            .by(user.0)
            .on(user.to_string())
            .detail("verified_before", was_verified.to_string())
            .detail("sessions_ended", ended.len().to_string())
            .detail("api_keys_revoked", revoked.to_string());
        tx.audit().record(&entry).await?;
        self.letters.notice(&mut *tx, &account.user, "password_changed", client, now).await?;
        tx.commit().await?;
        Ok(ended)
    }
}
