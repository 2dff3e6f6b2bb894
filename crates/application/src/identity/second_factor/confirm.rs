use coinlink_domain::identity::{ClientInfo, EndReason, RecoveryCode, SecondFactor, SessionId, TotpCode, UserId};
use time::OffsetDateTime;

use super::{FactorProof, SecondFactorError, SecondFactorParts, codes, parts::Guess};
use crate::identity::{audit, end_sessions};

/// Turns a second factor on, once its app has shown a code.
pub struct ConfirmSecondFactor {
    /// What all of them work with.
    pub parts: SecondFactorParts,
}

impl ConfirmSecondFactor {
    /// Confirms the factor of `user` with a `code` of it, ends all sessions but this one, and answers the recovery codes.
    #[tracing::instrument(name = "identity.confirm_second_factor", skip_all)]
    pub async fn execute(
        &self,
        (user, session): (UserId, SessionId),
        code: TotpCode,
        client: &ClientInfo,
    ) -> Result<Vec<RecoveryCode>, SecondFactorError> {
        let done = self.confirm((user, session), code, client).await;
        self.parts.failed(done, audit::SECOND_FACTOR_ENABLE, Some(user), client).await
    }

    async fn confirm(
        &self,
        (user, session): (UserId, SessionId),
        code: TotpCode,
        client: &ClientInfo,
    ) -> Result<Vec<RecoveryCode>, SecondFactorError> {
        let parts = &self.parts;
        is_waiting(parts.factors.second_factor(user).await?)?;
        let now = parts.clock.now();
        let guess = parts.count(session, FactorProof::Code(code), now).await?;
        let done = self.turn_on((user, session), (&guess, code), client, now).await;
        parts.judged(&guess, done).await
    }

    async fn turn_on(
        &self,
        (user, session): (UserId, SessionId),
        (guess, code): (&Guess, TotpCode),
        client: &ClientInfo,
        now: OffsetDateTime,
    ) -> Result<Vec<RecoveryCode>, SecondFactorError> {
        let parts = &self.parts;
        let mut tx = parts.store.begin().await?;
        let (account, mut own) = parts.lock(&mut *tx, (user, session), now).await?;
        let factor = is_waiting(tx.second_factors().lock(user).await?)?;
        let step = if guess.admitted { parts.step_of(&factor, code, now)? } else { None };
        let step = step.ok_or(SecondFactorError::InvalidCode)?;
        if !tx.second_factors().confirm(user, step, now).await? {
            return Err(SecondFactorError::AlreadyOn);
        }
        let codes = codes::renew(&mut *tx, user, &*parts.entropy).await?;
        own.second_factor_at = Some(now);
        tx.sessions().save(&own).await?;
        // Who is signed in elsewhere may be somebody else: they show the factor first.
        let reason = EndReason::SecondFactorChanged;
        let ended = end_sessions::all_but(&mut *tx, user, Some(session), reason, now, &parts.policy).await?;
        parts.give_back(&mut *tx, guess).await?;
        parts.letters.notice(&mut *tx, &account.user, "second_factor_enabled", client, now).await?;
        let entry = audit::on_user(&*parts.entropy, now, audit::SECOND_FACTOR_ENABLE, client)
            .by(user.0)
            .on(user.to_string())
            .detail("sessions_ended", ended.len().to_string());
        tx.audit().record(&entry).await?;
        tx.commit().await?;
        parts.ended.announce(&ended).await;
        Ok(codes)
    }
}

/// The factor, where it waits to be confirmed.
fn is_waiting(factor: Option<SecondFactor>) -> Result<SecondFactor, SecondFactorError> {
    let factor = factor.ok_or(SecondFactorError::NotSetUp)?;
    if factor.is_on() { Err(SecondFactorError::AlreadyOn) } else { Ok(factor) }
}
