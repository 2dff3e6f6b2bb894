use std::sync::Arc;

use coinlink_domain::identity::{
    ClientInfo, GuardKey, LinkCode, LinkPresented, LinkProof, LinkPurpose, MailLink, OneTimeSecret, Password, PasswordFault,
    SessionId, SessionPolicy, StoredPassword, User, UserId,
};
use coinlink_ports::{
    identity::{Account, HashError, IdentityStore, MailLinkStore, PasswordHasher},
    shared::{Clock, Entropy, SecretBox, StoreError},
};

use super::{
    super::{EndedSessions, audit},
    LinkError, OpenLink, Opening,
    reclaim::{Displacement, displace_claimants, reclaim},
};

/// The address is not verified.
#[derive(Debug, thiserror::Error)]
pub enum VerifyEmailError {
    /// The link leads nowhere.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// Whoever opened the account may be somebody else: it takes another password.
    #[error("it takes another password")]
    PasswordRequired,
    /// The password does not do.
    #[error("the password does not do")]
    WeakPassword(Vec<PasswordFault>),
    /// The password could not be hashed.
    #[error(transparent)]
    Hash(#[from] HashError),
}

impl From<StoreError> for VerifyEmailError {
    fn from(error: StoreError) -> Self {
        Self::Link(error.into())
    }
}

/// Makes the address of an account its owner's.
///
/// Receiving the mail shows whose the address is, and not who opened the account. Where the link is opened in the browser or the
/// session that opened the account, both are the same. Anywhere else the account gets another password, and everything that
/// could open it before goes: a stranger who opened it in somebody's name has nothing of it.
pub struct VerifyEmail {
    /// Accounts.
    pub store: Arc<dyn IdentityStore>,
    /// Opens links.
    pub links: OpenLink,
    /// The same links, where the one of a session is looked for.
    pub sent: Arc<dyn MailLinkStore>,
    /// Reads the secrets that are kept of those.
    pub secrets: Arc<dyn SecretBox>,
    /// Hashes passwords.
    pub hasher: Arc<dyn PasswordHasher>,
    /// Told which sessions are over.
    pub ended: EndedSessions,
    /// How long sessions live.
    pub policy: SessionPolicy,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Ids of audit entries.
    pub entropy: Arc<dyn Entropy>,
}

impl VerifyEmail {
    /// Verifies by `opening`, with another password where it takes one. Whether the account has that one now.
    #[tracing::instrument(name = "identity.verify_email", skip_all)]
    pub async fn execute(
        &self,
        opening: &Opening,
        password: Option<&Password>,
        client: &ClientInfo,
    ) -> Result<bool, VerifyEmailError> {
        let (link, presented) = self.links.check(opening, LinkPurpose::VerifyEmail, self.clock.now()).await?;
        let account = self.store.account_of(link.user).await?.filter(|account| account.user.is_active);
        let account = account.filter(|account| account.user.email == link.email).ok_or(LinkError::Invalid)?;
        let taken_over = match presented {
            LinkPresented::FromWhereAsked => None,
            LinkPresented::ByCode | LinkPresented::WrongCode(_) => Some(self.hashed(password, &account).await?),
        };
        let is_taken_over = taken_over.is_some();
        let ended = self.carry_out(opening, &account.user, taken_over, client).await?;
        self.ended.announce(&ended).await;
        Ok(is_taken_over)
    }

    /// Verifies by the code alone, which `user` typed in the session that asked for the letter; `None` is no code.
    #[tracing::instrument(name = "identity.verify_email_by_code", skip_all)]
    pub async fn by_code(
        &self,
        (user, session): (UserId, SessionId),
        code: Option<LinkCode>,
        client: &ClientInfo,
    ) -> Result<(), VerifyEmailError> {
        let sent = self.sent.open_link(user, session, LinkPurpose::VerifyEmail).await?;
        let (id, kept) = sent.and_then(|link| Some((link.id, link.kept?))).ok_or(LinkError::Invalid)?;
        // One that was encrypted with a key that is gone is as good as none: another letter mends that.
        let secret = self.secrets.open(&MailLink::context(id), &kept).ok().and_then(|secret| secret.try_into().ok());
        let secret = secret.map(|secret| OneTimeSecret { id, secret });
        let proof = LinkProof { session: Some(session), code, by_session: true, ..LinkProof::default() };
        self.execute(&Opening { secret, proof }, None, client).await.map(drop)
    }

    async fn hashed(&self, password: Option<&Password>, account: &Account) -> Result<StoredPassword, VerifyEmailError> {
        let password = password.ok_or(VerifyEmailError::PasswordRequired)?;
        password.check(&account.user.email).map_err(VerifyEmailError::WeakPassword)?;
        let _place = self.hasher.place()?;
        Ok(self.hasher.hash(password).await?)
    }

    async fn carry_out(
        &self,
        opening: &Opening,
        known: &User,
        taken_over: Option<StoredPassword>,
        client: &ClientInfo,
    ) -> Result<Vec<SessionId>, VerifyEmailError> {
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let user = known.id;
        let act = Displacement { owner: user, client, now, policy: &self.policy, entropy: &*self.entropy };
        let mut ended = displace_claimants(&mut *tx, &known.email, &act).await?;
        let locked = tx.users().lock(user).await?.filter(|account| account.user.is_active);
        let mut account = locked.ok_or(LinkError::Invalid)?;
        let link = OpenLink::spend(&mut *tx, opening, LinkPurpose::VerifyEmail, now).await?;
        // Of several links that go on, one verifies: no other may take a verified account over.
        if account.user.is_verified || account.user.email != link.email || account.user.email != known.email {
            return Err(LinkError::Invalid.into());
        }
        let by = if taken_over.is_some() { "code" } else { "browser" };
        if let Some(password) = taken_over {
            account.password = password;
            ended.extend(reclaim(&mut *tx, &mut account, now, &self.policy).await?);
            tx.guards().forget(&[GuardKey::Account(account.user.email.clone())]).await?;
        }
        account.user.is_verified = true;
        account.user.owns_email = true;
        account.user.updated_at = now;
        tx.users().save(&account).await.map_err(taken)?;
        let entry = audit::on_user(&*self.entropy, now, audit::EMAIL_VERIFY, client)
            .by(user.0)
            .on(user.to_string())
            .detail("by", by)
            .detail("sessions_ended", ended.len().to_string());
        tx.audit().record(&entry).await?;
        tx.commit().await?;
        Ok(ended)
    }
}

/// Somebody else has shown that the address is theirs.
pub(super) fn taken(error: StoreError) -> LinkError {
    match error {
        StoreError::Conflict { .. } => LinkError::Invalid,
        error => LinkError::Store(error),
    }
}
