use coinlink_domain::identity::{ClientInfo, GuardKey, OneTimeSecret, SecondFactor, SessionId, SignInTicket, UserId};
use coinlink_ports::{identity::PresentedDevice, shared::StoreError};
use time::OffsetDateTime;

use super::{FactorProof, SecondFactorError, SecondFactorParts, parts::Guess};
use crate::identity::{OpenSession, SignedIn, audit, open_session::Shown};

/// Signs somebody in who showed the first factor and now shows the second.
pub struct CompleteSignIn {
    /// What all of them work with.
    pub parts: SecondFactorParts,
    /// Opens sessions.
    pub sessions: OpenSession,
}

impl CompleteSignIn {
    /// The device that a client says it is, without asking anybody.
    pub fn device(&self, token: &str) -> Option<PresentedDevice> {
        self.sessions.devices.open(token)
    }

    /// Signs `client` in with the ticket of its first factor. Code and ticket are used up together with the session they open,
    /// or not at all.
    #[tracing::instrument(name = "identity.complete_sign_in", skip_all)]
    pub async fn execute(
        &self,
        secret: &OneTimeSecret,
        proof: FactorProof,
        device: Option<PresentedDevice>,
        client: ClientInfo,
    ) -> Result<SignedIn, SecondFactorError> {
        let parts = &self.parts;
        let tried = self.try_ticket(secret, proof, parts.clock.now()).await?;
        let Some((ticket, guess)) = tried else {
            return parts.failed(Err(SecondFactorError::InvalidTicket), audit::SECOND_FACTOR_VERIFY, None, &client).await;
        };
        let opened = self.open(&ticket, (&guess, proof), device, &client).await;
        match parts.judged(&guess, opened).await {
            Ok((signed_in, evicted)) => {
                parts.ended.announce(&evicted).await;
                Ok(signed_in)
            }
            Err(error) => self.give_up(error, ticket.user, &guess, &client).await,
        }
    }

    /// Counts a try with the ticket and one with the account, and keeps both counts whatever comes of it.
    async fn try_ticket(
        &self,
        secret: &OneTimeSecret,
        proof: FactorProof,
        now: OffsetDateTime,
    ) -> Result<Option<(SignInTicket, Guess)>, StoreError> {
        let mut tx = self.parts.store.begin().await?;
        let found = tx.tickets().try_once(secret.id, &SignInTicket::digest_of(secret), now).await?;
        let Some(ticket) = found else { return Ok(None) };
        let guess = self.parts.count_in(&mut *tx, GuardKey::SecondFactor(ticket.user), proof, now).await?;
        tx.commit().await?;
        Ok(Some((ticket, guess)))
    }

    async fn open(
        &self,
        ticket: &SignInTicket,
        (guess, proof): (&Guess, FactorProof),
        device: Option<PresentedDevice>,
        client: &ClientInfo,
    ) -> Result<(SignedIn, Vec<SessionId>), SecondFactorError> {
        let parts = &self.parts;
        let now = parts.clock.now();
        let mut tx = parts.store.begin().await?;
        let account = tx.users().lock(ticket.user).await?.filter(|account| account.user.is_active);
        let account = account.ok_or(SecondFactorError::InvalidTicket)?;
        let factor = tx.second_factors().lock(ticket.user).await?.filter(SecondFactor::is_on);
        let factor = factor.ok_or(SecondFactorError::InvalidTicket)?;
        // Neither a new password nor another factor is passed with what was shown before.
        let is_same = SignInTicket::state_of(&account.user, &account.password, &factor) == ticket.state;
        if !is_same || !tx.tickets().spend(ticket.id).await? {
            return Err(SecondFactorError::InvalidTicket);
        }
        parts.prove(&mut *tx, (&account.user, &factor), (guess, proof), client, now).await?;
        let known = device.filter(|device| device.user == ticket.user);
        let known = known.filter(|device| self.sessions.devices.belongs(device, &account.password)).map(|device| device.device);
        let shown = Shown { first_factor: ticket.first_factor, second_factor: true, device: ticket.device.or(known) };
        let opened = self.sessions.in_tx(&mut *tx, account, shown, client.clone(), now).await?;
        tx.commit().await?;
        Ok(opened)
    }

    /// Writes the failure down. Whoever guesses with tickets knows the password: the owner is told once, with the last guess.
    async fn give_up(
        &self,
        error: SecondFactorError,
        user: UserId,
        guess: &Guess,
        client: &ClientInfo,
    ) -> Result<SignedIn, SecondFactorError> {
        let parts = &self.parts;
        if guess.is_last && matches!(error, SecondFactorError::InvalidCode) {
            let mut tx = parts.store.begin().await?;
            if let Some(account) = tx.users().lock(user).await? {
                let now = parts.clock.now();
                parts.letters.notice(&mut *tx, &account.user, "second_factor_guessed", client, now).await?;
            }
            tx.commit().await?;
        }
        parts.failed(Err(error), audit::SECOND_FACTOR_VERIFY, Some(user), client).await
    }
}
