use coinlink_domain::identity::{ClientInfo, Password, SecondFactor, SessionId, UserId};
use coinlink_ports::{identity::Enrolment, shared::Entropy};

use super::{SecondFactorError, SecondFactorParts};
use crate::identity::audit;

/// Makes the secret of an authenticator app. It is asked for only once a code of it was shown.
pub struct SetUpSecondFactor {
    /// What all of them work with.
    pub parts: SecondFactorParts,
}

impl SetUpSecondFactor {
    /// Makes one for `user`, in the place of an earlier one that was not confirmed.
    #[tracing::instrument(name = "identity.set_up_second_factor", skip_all)]
    pub async fn execute(
        &self,
        (user, session): (UserId, SessionId),
        password: &Password,
        client: &ClientInfo,
    ) -> Result<Enrolment, SecondFactorError> {
        let done = self.set_up((user, session), password, client).await;
        self.parts.failed(done, audit::SECOND_FACTOR_SETUP, Some(user), client).await
    }

    async fn set_up(
        &self,
        (user, session): (UserId, SessionId),
        password: &Password,
        client: &ClientInfo,
    ) -> Result<Enrolment, SecondFactorError> {
        let parts = &self.parts;
        let _place = parts.own.place()?;
        let account = parts.account(user).await?;
        if parts.factors.second_factor(user).await?.as_ref().is_some_and(SecondFactor::is_on) {
            return Err(SecondFactorError::AlreadyOn);
        }
        parts.check_password(&account, session, password).await?;
        let secret = draw(&*parts.entropy);
        let enrolment = parts.authenticators.enrol(&secret, &account.user.email)?;
        let sealed = parts.secrets.seal(&SecondFactor::context(user), &secret)?;
        let now = parts.clock.now();
        let mut tx = parts.store.begin().await?;
        parts.lock_checked(&mut *tx, (&account, session), now).await?;
        if !tx.second_factors().set_up(&SecondFactor::new(user, sealed, now)).await? {
            return Err(SecondFactorError::AlreadyOn);
        }
        let entry = audit::on_user(&*parts.entropy, now, audit::SECOND_FACTOR_SETUP, client).by(user.0).on(user.to_string());
        tx.audit().record(&entry).await?;
        tx.commit().await?;
        Ok(enrolment)
    }
}

fn draw(entropy: &dyn Entropy) -> [u8; SecondFactor::SECRET_LEN] {
    let key = entropy.key();
    let Some(secret) = key.last_chunk() else { unreachable!("a key has 32 bytes") };
    *secret
}
