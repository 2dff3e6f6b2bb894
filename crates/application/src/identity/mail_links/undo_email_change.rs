use std::sync::Arc;

use coinlink_domain::identity::{
    ClientInfo, Email, EndReason, LinkPurpose, MailLink, OneTimeSecret, Password, SecondFactor, SessionId, SessionPolicy,
    StoredPassword,
};
use coinlink_ports::{
    identity::{Account, HashError, IdentityStore, IdentityTx, PasswordHasher},
    shared::{Clock, Entropy, StoreError},
};

use super::{
    super::{
        EndedSessions,
        audit::{self, masked},
        end_sessions,
    },
    Asked, Letters, LinkError, OpenLink, Opening,
    reclaim::{Displacement, displace},
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
/// password: the account gets one that nobody knows, and the address of before a link to set another. Wallets and API keys go,
/// and a second factor that came with the change or after it.
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
        let ended = self.carry_out(opening, &link, hashed, client).await?;
        self.ended.announce(&ended).await;
        Ok(())
    }

    async fn carry_out(
        &self,
        opening: &Opening,
        known: &MailLink,
        hashed: StoredPassword,
        client: &ClientInfo,
    ) -> Result<Vec<SessionId>, UndoEmailChangeError> {
        let now = self.clock.now();
        let user = known.user;
        let squatter = self.store.account(&known.email).await?.map(|account| account.user.id).filter(|id| *id != user);
        let mut tx = self.store.begin().await?;
        // Accounts are held in the order of their ids.
        let before = if let Some(id) = squatter.filter(|id| *id < user) { tx.users().lock(id).await? } else { None };
        let locked = tx.users().lock(user).await?.filter(|account| account.user.is_active);
        let mut account = locked.ok_or(LinkError::Invalid)?;
        let after = if let Some(id) = squatter.filter(|id| *id > user) { tx.users().lock(id).await? } else { None };
        let link = OpenLink::spend(&mut *tx, opening, LinkPurpose::UndoEmailChange, now).await?;
        let act = Displacement { owner: user, client, now, policy: &self.policy, entropy: &*self.entropy };
        let mut ended = displace_squatter(&mut *tx, before.or(after), &link.email, &act).await?;
        let was = std::mem::replace(&mut account.user.email, link.email.clone());
        account.user.owns_email = true;
        account.user.is_verified = true;
        account.user.updated_at = now;
        account.user.secured_at = Some(now);
        account.password = hashed;
        tx.users().save(&account).await.map_err(taken)?;
        ended.extend(end_sessions::all_but(&mut *tx, user, None, EndReason::EmailChanged, now, &self.policy).await?);
        // What whoever made the change could come back with. A factor of before stays: its owner has it.
        let factor = tx.second_factors().lock(user).await?;
        let of_before = |factor: SecondFactor| factor.confirmed_at.is_some_and(|at| at < link.created_at);
        if !factor.is_none_or(of_before) {
            tx.second_factors().remove(user).await?;
        }
        tx.wallets().purge(user).await?;
        tx.api_keys().purge(user, now).await?;
        // Those who had the account before still take it back: the one who lost it first wins.
        tx.mail_links().void(user, link.created_at, now).await?;
        let to = (&account.user, &link.email, None);
        let reset = (LinkPurpose::ResetPassword, "email_changed_back");
        self.letters.send_link_in(&mut *tx, to, reset, Asked::default(), now).await?;
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
}

/// Whoever opened an account with the address meanwhile, without showing to receive its mail, does not keep it from its owner.
async fn displace_squatter(
    tx: &mut dyn IdentityTx,
    squatter: Option<Account>,
    email: &Email,
    act: &Displacement<'_>,
) -> Result<Vec<SessionId>, StoreError> {
    let squats = |found: &Account| found.user.owns_email && found.user.email == *email && !found.user.is_verified;
    let Some(mut squatter) = squatter.filter(squats) else { return Ok(Vec::new()) };
    squatter.user.owns_email = false;
    displace(tx, &mut squatter, act).await
}
