use coinlink_domain::identity::{ClientInfo, SecondFactor, SessionId, UserId};
use time::OffsetDateTime;

use super::{FactorProof, SecondFactorError, SecondFactorParts, parts::Guess};
use crate::identity::audit;

/// Notes that somebody who is signed in showed the second factor again: sensitive acts ask for it.
pub struct StepUp {
    /// What all of them work with.
    pub parts: SecondFactorParts,
}

impl StepUp {
    /// Takes `proof` in `session`. Answers until when it does.
    #[tracing::instrument(name = "identity.step_up", skip_all)]
    pub async fn execute(
        &self,
        (user, session): (UserId, SessionId),
        proof: FactorProof,
        client: &ClientInfo,
    ) -> Result<OffsetDateTime, SecondFactorError> {
        let done = self.show((user, session), proof, client).await;
        self.parts.failed(done, audit::SECOND_FACTOR_VERIFY, Some(user), client).await
    }

    async fn show(
        &self,
        (user, session): (UserId, SessionId),
        proof: FactorProof,
        client: &ClientInfo,
    ) -> Result<OffsetDateTime, SecondFactorError> {
        let parts = &self.parts;
        // Who has no factor guesses at none.
        let factor = parts.factors.second_factor(user).await?.filter(SecondFactor::is_on);
        factor.ok_or(SecondFactorError::NotSetUp)?;
        let now = parts.clock.now();
        let guess = parts.count(session, proof, now).await?;
        let done = self.prove((user, session), (&guess, proof), client, now).await;
        parts.judged(&guess, done).await
    }

    async fn prove(
        &self,
        (user, session): (UserId, SessionId),
        (guess, proof): (&Guess, FactorProof),
        client: &ClientInfo,
        now: OffsetDateTime,
    ) -> Result<OffsetDateTime, SecondFactorError> {
        let parts = &self.parts;
        let mut tx = parts.store.begin().await?;
        let (account, mut own) = parts.lock(&mut *tx, (user, session), now).await?;
        let factor = tx.second_factors().lock(user).await?.filter(SecondFactor::is_on);
        let factor = factor.ok_or(SecondFactorError::NotSetUp)?;
        parts.prove(&mut *tx, (&account.user, &factor), (guess, proof), client, now).await?;
        own.second_factor_at = Some(now);
        tx.sessions().save(&own).await?;
        tx.commit().await?;
        Ok(now + parts.policy.factor_fresh)
    }
}
