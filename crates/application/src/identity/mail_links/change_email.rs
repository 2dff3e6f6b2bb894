use std::sync::Arc;

use coinlink_domain::{
    identity::{BrowserMark, ClientInfo, Email, EndReason, LinkPurpose, Password, SessionId, SessionPolicy, UserId},
    shared::audit::AuditStatus,
};
use coinlink_ports::{
    identity::{HashError, IdentityStore},
    shared::{Clock, Entropy, StoreError},
};
use time::Duration;

use super::{
    super::{
        EndedSessions,
        audit::{self, masked},
        end_sessions,
        own_password::OwnPassword,
        second_factor::{FactorError, require_fresh},
    },
    Asked, Letters, LinkError, OpenLink, Opening,
    reclaim::{Displacement, displace_claimants},
    verify_email::taken,
};

/// A change of the address is not begun.
#[derive(Debug, thiserror::Error)]
pub enum ChangeEmailError {
    /// The account is gone, or the session is over.
    #[error("there is no such account, or its session is over")]
    NoAccount,
    /// The password is another, or was guessed at too often.
    #[error("the password is another")]
    WrongPassword,
    /// The new address is the present one.
    #[error("the new address is the present one")]
    Unchanged,
    /// The account has a second factor, and it was not shown lately.
    #[error("a second factor was not shown lately")]
    SecondFactorRequired,
    /// The password could not be checked.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The store is not there.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<FactorError> for ChangeEmailError {
    fn from(error: FactorError) -> Self {
        match error {
            FactorError::Missing => Self::SecondFactorRequired,
            FactorError::Store(error) => Self::Store(error),
        }
    }
}

/// Gives an account another address: asked for in a session, with the password; done with a link that goes to the new one.
pub struct ChangeEmail {
    /// Accounts.
    pub store: Arc<dyn IdentityStore>,
    /// Opens links.
    pub links: OpenLink,
    /// Asks for the password once more.
    pub(in crate::identity) own: OwnPassword,
    /// Writes the letters.
    pub letters: Letters,
    /// Told which sessions are over.
    pub ended: EndedSessions,
    /// How long sessions live.
    pub policy: SessionPolicy,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Ids of audit entries.
    pub entropy: Arc<dyn Entropy>,
}

impl ChangeEmail {
    /// Sends a link to `new`. Where another account owns that address its owner is told instead, and nobody else is.
    #[tracing::instrument(name = "identity.ask_to_change_email", skip_all)]
    pub async fn ask(
        &self,
        (user, session): (UserId, SessionId),
        new: &Email,
        password: &Password,
        browser: BrowserMark,
        client: &ClientInfo,
    ) -> Result<(), ChangeEmailError> {
        let _place = self.own.place()?;
        let account = self.store.account_of(user).await?.filter(|account| account.user.is_active);
        let account = account.ok_or(ChangeEmailError::NoAccount)?;
        // Before the password is compared: whoever may not change the address has no use for the answer but to find it out.
        let mut tx = self.store.begin().await?;
        tx.users().lock(user).await?;
        require_fresh(&mut *tx, user, session, self.clock.now(), &self.policy).await?;
        drop(tx);
        if !self.own.is_right::<ChangeEmailError>(&account, session, password).await? {
            let entry = audit::on_user(&*self.entropy, self.clock.now(), audit::EMAIL_CHANGE, client)
                .by(user.0)
                .on(user.to_string())
                .detail("reason", "wrong_password")
                .ended(AuditStatus::Failure);
            audit::record_alone(&*self.store, &entry).await?;
            return Err(ChangeEmailError::WrongPassword);
        }
        if *new == account.user.email {
            return Err(ChangeEmailError::Unchanged);
        }
        // Looked up, not held: its owner may ask for this account's address at the same time, holding theirs.
        let owner = self.store.account(new).await?;

        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let locked = tx.users().lock(user).await?.filter(|now| now.password == account.password && now.user.is_active);
        let locked = locked.ok_or(ChangeEmailError::NoAccount)?;
        let own = tx.sessions().lock(session).await?;
        if !own.is_some_and(|own| own.user == user && own.is_live(now, &self.policy)) {
            return Err(ChangeEmailError::NoAccount);
        }
        if !Letters::is_flooded(&mut *tx, (user, new), LinkPurpose::ChangeEmail, now).await? {
            let asked = Asked { browser: Some(browser), session: Some(session) };
            let to = (&locked.user, new, Some(&locked.user.email));
            match owner {
                None => self.letters.send_link(&mut *tx, to, LinkPurpose::ChangeEmail, asked, now).await?,
                Some(_) => self.letters.tell_owner(&mut *tx, (&locked.user, new), LinkPurpose::ChangeEmail, asked, now).await?,
            }
        }
        let entry = audit::on_user(&*self.entropy, now, audit::EMAIL_CHANGE, client)
            .by(user.0)
            .on(user.to_string())
            .detail("step", "asked")
            .detail("new_email", masked(new));
        tx.audit().record(&entry).await?;
        Ok(tx.commit().await?)
    }

    /// Changes the address by the link that went to the new one, where the change was asked for: in that browser or by the same
    /// account. The old one gets a link to take that back with where it was verified, and is told otherwise.
    #[tracing::instrument(name = "identity.change_email", skip_all)]
    pub async fn confirm(&self, opening: &Opening, client: &ClientInfo) -> Result<(), LinkError> {
        let (link, _) = self.links.check(opening, LinkPurpose::ChangeEmail, self.clock.now()).await?;
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let act = Displacement { owner: link.user, client, now, policy: &self.policy, entropy: &*self.entropy };
        let mut ended = displace_claimants(&mut *tx, &link.email, &act).await?;
        let locked = tx.users().lock(link.user).await?.filter(|account| account.user.is_active);
        let mut account = locked.ok_or(LinkError::Invalid)?;
        let link = OpenLink::spend(&mut *tx, opening, LinkPurpose::ChangeEmail, now).await?;
        let old = account.user.clone();
        if Some(&old.email) != link.other_email.as_ref() {
            return Err(LinkError::Invalid);
        }
        account.user.email = link.email.clone();
        account.user.owns_email = true;
        account.user.is_verified = true;
        account.user.updated_at = now;
        tx.users().save(&account).await.map_err(taken)?;
        let kept = link.session;
        ended.extend(end_sessions::all_but(&mut *tx, old.id, kept, EndReason::EmailChanged, now, &self.policy).await?);
        // What takes an earlier change back stays.
        tx.mail_links().void(old.id, now + Duration::DAY, now).await?;
        if old.is_verified && old.owns_email {
            let to = (&account.user, &old.email, Some(&account.user.email));
            self.letters.send_link(&mut *tx, to, LinkPurpose::UndoEmailChange, Asked::default(), now).await?;
        } else {
            // Whose it is was never shown: a typing error must not give the account away.
            self.letters.notice(&mut *tx, &old, "email_changed", client, now).await?;
        }
        let entry = audit::on_user(&*self.entropy, now, audit::EMAIL_CHANGE, client)
            .by(old.id.0)
            .on(old.id.to_string())
            .detail("step", "done")
            .detail("old_email", masked(&old.email))
            .detail("new_email", masked(&account.user.email))
            .detail("sessions_ended", ended.len().to_string());
        tx.audit().record(&entry).await?;
        tx.commit().await?;
        self.ended.announce(&ended).await;
        Ok(())
    }
}
