use coinlink_domain::identity::{ClientInfo, EndReason, Password, SecondFactor, SessionId, UserId};
use coinlink_ports::identity::Account;
use time::OffsetDateTime;

use super::{FactorProof, SecondFactorError, SecondFactorParts, parts::Guess};
use crate::identity::{audit, end_sessions};

/// Removes a second factor.
pub struct DisableSecondFactor {
    /// What all of them work with.
    pub parts: SecondFactorParts,
}

impl DisableSecondFactor {
    /// Removes that of `user`, who shows both factors once more, and ends all sessions but this one.
    #[tracing::instrument(name = "identity.disable_second_factor", skip_all)]
    pub async fn execute(
        &self,
        (user, session): (UserId, SessionId),
        password: &Password,
        proof: FactorProof,
        client: &ClientInfo,
    ) -> Result<(), SecondFactorError> {
        let done = self.disable((user, session), password, proof, client).await;
        self.parts.failed(done, audit::SECOND_FACTOR_DISABLE, Some(user), client).await
    }

    async fn disable(
        &self,
        (user, session): (UserId, SessionId),
        password: &Password,
        proof: FactorProof,
        client: &ClientInfo,
    ) -> Result<(), SecondFactorError> {
        let parts = &self.parts;
        let _place = parts.own.place()?;
        let account = parts.account(user).await?;
        let factor = parts.factors.second_factor(user).await?.filter(SecondFactor::is_on);
        factor.ok_or(SecondFactorError::NotSetUp)?;
        parts.check_password(&account, session, password).await?;
        let now = parts.clock.now();
        let guess = parts.count(session, proof, now).await?;
        let done = self.turn_off((&account, session), (&guess, proof), client, now).await;
        parts.judged(&guess, done).await
    }

    async fn turn_off(
        &self,
        (account, session): (&Account, SessionId),
        (guess, proof): (&Guess, FactorProof),
        client: &ClientInfo,
        now: OffsetDateTime,
    ) -> Result<(), SecondFactorError> {
        let (parts, user) = (&self.parts, account.user.id);
        let mut tx = parts.store.begin().await?;
        let mut own = parts.lock_checked(&mut *tx, (account, session), now).await?;
        let factor = tx.second_factors().lock(user).await?.filter(SecondFactor::is_on);
        let factor = factor.ok_or(SecondFactorError::NotSetUp)?;
        parts.prove(&mut *tx, (&account.user, &factor), (guess, proof), client, now).await?;
        tx.second_factors().remove(user).await?;
        own.second_factor_at = None;
        tx.sessions().save(&own).await?;
        let reason = EndReason::SecondFactorChanged;
        let ended = end_sessions::all_but(&mut *tx, user, Some(session), reason, now, &parts.policy).await?;
        parts.letters.notice(&mut *tx, &account.user, "second_factor_disabled", client, now).await?;
        let entry = audit::on_user(&*parts.entropy, now, audit::SECOND_FACTOR_DISABLE, client)
            .by(user.0)
            .on(user.to_string())
            .detail("sessions_ended", ended.len().to_string());
        tx.audit().record(&entry).await?;
        tx.commit().await?;
        parts.ended.announce(&ended).await;
        Ok(())
    }
}
