use std::sync::Arc;

use coinlink_domain::identity::{
    ClientInfo, Email, EndReason, LinkPurpose, OneTimeSecret, Password, SessionId, SessionPolicy, StoredPassword, UserId,
};
use coinlink_ports::{
    identity::{HashError, IdentityStore, IdentityTx, PasswordHasher},
    shared::{Clock, Entropy, StoreError},
};
use time::OffsetDateTime;

use super::{
    super::{
        EndedSessions,
        audit::{self, masked},
        end_sessions,
    },
    Asked, Letters, LinkError, OpenLink, Opening,
    reclaim::reclaim,
    verify_email::taken,
};

/// The change stays.
#[derive(Debug, thiserror::Error)]
pub enum UndoEmailChangeError {
    /// The link leads nowhere.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// No password that nobody knows could be made.
    #[error(transparent)]
    Hash(#[from] HashError),
}

impl From<StoreError> for UndoEmailChangeError {
    fn from(error: StoreError) -> Self {
        Self::Link(error.into())
    }
}

/// Takes a change of the address back, by the link that went to the address of before. Whoever made the change knew the
/// password: the account gets one that nobody knows, and the address of before a link to set another.
pub struct UndoEmailChange {
    /// Accounts.
    pub store: Arc<dyn IdentityStore>,
    /// Opens links.
    pub links: OpenLink,
    /// Hashes passwords.
    pub hasher: Arc<dyn PasswordHasher>,
    /// Writes the letters.
    pub letters: Letters,
    /// Told which sessions are over.
    pub ended: EndedSessions,
    /// How long sessions live.
    pub policy: SessionPolicy,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Ids of audit entries, and the password that nobody knows.
    pub entropy: Arc<dyn Entropy>,
}

impl UndoEmailChange {
    /// Takes the change back by `opening`.
    #[tracing::instrument(name = "identity.undo_email_change", skip_all)]
    pub async fn execute(&self, opening: &Opening, client: &ClientInfo) -> Result<(), UndoEmailChangeError> {
        let _place = self.hasher.place()?;
        let (link, _) = self.links.check(opening, LinkPurpose::UndoEmailChange, self.clock.now()).await?;
        let unknown = OneTimeSecret { id: self.entropy.id(), secret: self.entropy.key() };
        let hashed = self.hasher.hash(&Password::new(unknown.to_text())).await?;
        let ended = self.carry_out(opening, link.user, hashed, client).await?;
        self.ended.announce(&ended, self.clock.now()).await;
        Ok(())
    }

    async fn carry_out(
        &self,
        opening: &Opening,
        user: UserId,
        hashed: StoredPassword,
        client: &ClientInfo,
    ) -> Result<Vec<SessionId>, UndoEmailChangeError> {
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let locked = tx.users().lock(user).await?.filter(|account| account.user.is_active);
        let mut account = locked.ok_or(LinkError::Invalid)?;
        let link = OpenLink::spend(&mut *tx, opening, LinkPurpose::UndoEmailChange, now).await?;
        let mut ended = self.displace_squatter(&mut *tx, user, &link.email, now).await?;
        let was = std::mem::replace(&mut account.user.email, link.email.clone());
        account.user.owns_email = true;
        account.user.is_verified = true;
        account.user.updated_at = now;
        account.password = hashed;
        tx.users().save(&account).await.map_err(taken)?;
        ended.extend(end_sessions::all_but(&mut *tx, user, None, EndReason::EmailChanged, now, &self.policy).await?);
        // Those who had the account before still take it back: the one who lost it first wins.
        tx.mail_links().void(user, link.created_at, now).await?;
        let to = (&account.user, &link.email, None);
        self.letters.send_link(&mut *tx, to, LinkPurpose::ResetPassword, Asked::default(), now).await?;
        tx.mail().post(&self.letters.letter(&link.email, "email_changed_back", now)).await?;
        let entry = audit::on_user(&*self.entropy, now, audit::EMAIL_CHANGE_UNDO, client)
            .by(user.0)
            .on(user.to_string())
            .detail("email", masked(&link.email))
            .detail("was", masked(&was))
            .detail("sessions_ended", ended.len().to_string());
        tx.audit().record(&entry).await?;
        tx.commit().await?;
        Ok(ended)
    }

    /// Whoever opened an account with the address meanwhile, without showing to receive its mail, does not keep it from its owner.
    async fn displace_squatter(
        &self,
        tx: &mut dyn IdentityTx,
        user: UserId,
        email: &Email,
        now: OffsetDateTime,
    ) -> Result<Vec<SessionId>, StoreError> {
        let squatter = tx.users().lock_by_email(email).await?;
        let Some(mut squatter) = squatter.filter(|found| found.user.id != user && !found.user.is_verified) else {
            return Ok(Vec::new());
        };
        squatter.user.owns_email = false;
        squatter.user.is_active = false;
        squatter.user.updated_at = now;
        tx.users().save(&squatter).await?;
        reclaim(tx, squatter.user.id, now, &self.policy).await
    }
}
