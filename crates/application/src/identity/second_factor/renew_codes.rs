use coinlink_domain::identity::{ClientInfo, Password, RecoveryCode, SecondFactor, SessionId, UserId};
use coinlink_ports::identity::{Account, IdentityTx};

use super::{SecondFactorError, SecondFactorParts, codes, require_fresh};
use crate::identity::audit;

/// Gives an account new recovery codes and voids the earlier ones.
pub struct RenewRecoveryCodes {
    /// What all of them work with.
    pub parts: SecondFactorParts,
}

impl RenewRecoveryCodes {
    /// New ones for `user`, who showed the second factor in `session` lately.
    #[tracing::instrument(name = "identity.renew_recovery_codes", skip_all)]
    pub async fn execute(
        &self,
        (user, session): (UserId, SessionId),
        password: &Password,
        client: &ClientInfo,
    ) -> Result<Vec<RecoveryCode>, SecondFactorError> {
        let done = self.renew((user, session), password, client).await;
        self.parts.failed(done, audit::SECOND_FACTOR_CODES, Some(user), client).await
    }

    async fn renew(
        &self,
        (user, session): (UserId, SessionId),
        password: &Password,
        client: &ClientInfo,
    ) -> Result<Vec<RecoveryCode>, SecondFactorError> {
        let parts = &self.parts;
        let _place = parts.own.place()?;
        let account = parts.account(user).await?;
        // Before the password is compared: whoever cannot go on has no use for the answer but to find it out.
        let mut tx = parts.store.begin().await?;
        self.require_factor(&mut *tx, &account, session).await?;
        drop(tx);
        parts.check_password(&account, session, password).await?;
        let mut tx = parts.store.begin().await?;
        self.require_factor(&mut *tx, &account, session).await?;
        let codes = codes::renew(&mut *tx, user, &*parts.entropy).await?;
        let now = parts.clock.now();
        parts.letters.notice(&mut *tx, &account.user, "recovery_codes_renewed", client, now).await?;
        let entry = audit::on_user(&*parts.entropy, now, audit::SECOND_FACTOR_CODES, client);
        tx.audit().record(&entry.by(user.0).on(user.to_string())).await?;
        tx.commit().await?;
        Ok(codes)
    }

    async fn require_factor(
        &self,
        tx: &mut dyn IdentityTx,
        account: &Account,
        session: SessionId,
    ) -> Result<(), SecondFactorError> {
        let (user, now) = (account.user.id, self.parts.clock.now());
        self.parts.lock_checked(tx, (account, session), now).await?;
        let factor = tx.second_factors().lock(user).await?.filter(SecondFactor::is_on);
        factor.ok_or(SecondFactorError::NotSetUp)?;
        Ok(require_fresh(tx, user, session, now, &self.parts.policy).await?)
    }
}
