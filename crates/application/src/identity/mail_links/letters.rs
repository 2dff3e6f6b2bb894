use std::sync::Arc;

use coinlink_domain::{
    identity::{BrowserMark, ClientInfo, Email, LinkCode, LinkPurpose, MailLink, OneTimeSecret, SessionId, User, UserId},
    shared::mail::OutgoingMail,
};
use coinlink_ports::{
    identity::IdentityTx,
    shared::{Entropy, SecretBox, StoreError},
};
use time::{Duration, OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

use super::super::IdentityAdapters;

/// Letters of one purpose for one account to one address within an hour, unless none of their links goes on. Whoever asks for
/// more is not told.
const MOST_AN_HOUR: usize = 3;
/// The same for all accounts that ask for the address of somebody who may be none of theirs.
const MOST_FOR_ALL: usize = 10;
/// Notices of one kind to one address within an hour: who does the same over and over tells nobody anything new.
const MOST_NOTICES_AN_HOUR: u64 = 10;

/// Where a link is asked for: it can be used there without its code.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::identity) struct Asked {
    /// The mark of the browser.
    pub(in crate::identity) browser: Option<BrowserMark>,
    /// The session.
    pub(in crate::identity) session: Option<SessionId>,
}

/// Writes letters, with links and without.
#[derive(Clone)]
pub struct Letters {
    /// Ids, secrets and codes.
    pub entropy: Arc<dyn Entropy>,
    /// Encrypts the secrets of links that their session may use by the code alone.
    pub secrets: Arc<dyn SecretBox>,
    /// Where this server is reached; without a slash at its end.
    pub public_url: String,
}

fn rfc3339(at: OffsetDateTime) -> String {
    // Only years before 0 and after 9999 cannot be written.
    at.to_offset(UtcOffset::UTC).format(&Rfc3339).unwrap_or_default()
}

/// What the template and the page of a purpose are called.
const fn names(purpose: LinkPurpose) -> (&'static str, &'static str) {
    match purpose {
        LinkPurpose::VerifyEmail => ("verify_email", "verify"),
        LinkPurpose::ResetPassword => ("reset_password", "reset"),
        LinkPurpose::ChangeEmail => ("confirm_email_change", "change"),
        LinkPurpose::UndoEmailChange => ("undo_email_change", "undo"),
    }
}

impl Letters {
    pub(in crate::identity) fn new(adapters: &IdentityAdapters) -> Self {
        let IdentityAdapters { entropy, secrets, public_url, .. } = adapters.clone();
        Self { entropy, secrets, public_url }
    }

    /// A letter to `to`, nothing filled in.
    pub(in crate::identity) fn letter(&self, to: &Email, template: &'static str, now: OffsetDateTime) -> OutgoingMail {
        OutgoingMail::new(self.entropy.id(), to.as_str(), template, now)
    }

    /// Tells the owner of an account what was done to it, from where. Who merely claims an address is told nothing there.
    pub(in crate::identity) async fn notice(
        &self,
        tx: &mut dyn IdentityTx,
        user: &User,
        template: &'static str,
        client: &ClientInfo,
        now: OffsetDateTime,
    ) -> Result<(), StoreError> {
        self.notice_of(tx, user, (template, &[]), client, now).await
    }

    /// [`Letters::notice`], with more to fill in.
    pub(in crate::identity) async fn notice_of(
        &self,
        tx: &mut dyn IdentityTx,
        user: &User,
        (template, more): (&'static str, &[(&'static str, &str)]),
        client: &ClientInfo,
        now: OffsetDateTime,
    ) -> Result<(), StoreError> {
        if !user.owns_email
            || tx.mail().posted_within(user.email.as_str(), template, now - Duration::HOUR, now).await? >= MOST_NOTICES_AN_HOUR
        {
            return Ok(());
        }
        let letter = self
            .letter(&user.email, template, now)
            .with("when", rfc3339(now))
            .with("ip", client.ip.map_or_else(|| "unknown".to_owned(), |ip| ip.to_string()))
            .with("device", client.device())
            .with("reset_link", self.reset_link());
        tx.mail().post(&more.iter().fold(letter, |letter, (name, value)| letter.with(name, *value))).await
    }

    /// Where a password is reset, without a link of its own.
    fn reset_link(&self) -> String {
        format!("{}/account/reset", self.public_url)
    }

    /// The letter that leads to where a password is reset, without a link of its own.
    pub(in crate::identity) async fn point_to_reset(
        &self,
        tx: &mut dyn IdentityTx,
        to: &Email,
        template: &'static str,
        now: OffsetDateTime,
    ) -> Result<(), StoreError> {
        let letter = self.letter(to, template, now).with("reset_link", self.reset_link());
        tx.mail().post(&letter).await
    }

    /// Whether no letter of this purpose goes to this address for `user` for now. An account is not kept from its only way in:
    /// where strangers asked for letters, there is one whose link goes on, or another is sent.
    pub(in crate::identity) async fn is_flooded(
        tx: &mut dyn IdentityTx,
        (user, to): (UserId, &Email),
        purpose: LinkPurpose,
        now: OffsetDateTime,
    ) -> Result<bool, StoreError> {
        let sent = tx.mail_links().sent_since(to, purpose, now - Duration::HOUR).await?;
        let own: Vec<_> = sent.iter().filter(|link| link.user == user).collect();
        let enough = own.len() >= MOST_AN_HOUR && own.iter().any(|link| link.is_live(now));
        // Only its owner's account resets the password of an address.
        Ok(enough || (purpose != LinkPurpose::ResetPassword && sent.len() >= MOST_FOR_ALL))
    }

    /// Sends `user`, whose account `tx` holds, a link to `to`. `other` is the other address of a change.
    pub(in crate::identity) async fn send_link(
        &self,
        tx: &mut dyn IdentityTx,
        to: (&User, &Email, Option<&Email>),
        purpose: LinkPurpose,
        asked: Asked,
        now: OffsetDateTime,
    ) -> Result<(), StoreError> {
        self.send_link_in(tx, to, (purpose, names(purpose).0), asked, now).await
    }

    /// [`Letters::send_link`] in another letter than the usual one.
    pub(in crate::identity) async fn send_link_in(
        &self,
        tx: &mut dyn IdentityTx,
        (user, to, other): (&User, &Email, Option<&Email>),
        (purpose, template): (LinkPurpose, &'static str),
        asked: Asked,
        now: OffsetDateTime,
    ) -> Result<(), StoreError> {
        let (secret, code, link) = self.draw((user, to), purpose, asked, now)?;
        let link = MailLink { other_email: other.cloned(), ..link };
        tx.mail_links().add(&link).await?;
        let (_, page) = names(purpose);
        let letter = self
            .letter(to, template, now)
            .with("link", format!("{}/account/{page}?token={}", self.public_url, secret.to_text()))
            .with("code", code.to_text())
            .with("expires", rfc3339(link.expires_at));
        let letter = match (purpose, other) {
            (LinkPurpose::ChangeEmail, Some(old)) => letter.with("old_email", old.as_str()),
            (LinkPurpose::UndoEmailChange, Some(new)) => letter.with("new_email", new.as_str()),
            _ => letter,
        };
        tx.mail().post(&letter).await
    }

    /// Sends whoever opened or uses the account of `user`, which `tx` holds, a link to show that its address is theirs. Where
    /// another account owns the address, its owner is told instead; the same is written either way.
    pub(in crate::identity) async fn send_verification(
        &self,
        tx: &mut dyn IdentityTx,
        user: &User,
        asked: Asked,
        now: OffsetDateTime,
    ) -> Result<(), StoreError> {
        let owner = if user.owns_email { None } else { tx.users().lock_by_email(&user.email).await? };
        if Self::is_flooded(tx, (user.id, &user.email), LinkPurpose::VerifyEmail, now).await? {
            return Ok(());
        }
        match owner {
            None => self.send_link(tx, (user, &user.email, None), LinkPurpose::VerifyEmail, asked, now).await,
            Some(_) => self.tell_owner(tx, (user, &user.email), LinkPurpose::VerifyEmail, asked, now).await,
        }
    }

    /// Tells the owner of an address that `user` would like to have it. The link that the owner does not get is kept like one
    /// that was sent, so that it is counted, costs the same and answers the same; nobody knows its secret or its code.
    pub(in crate::identity) async fn tell_owner(
        &self,
        tx: &mut dyn IdentityTx,
        (user, email): (&User, &Email),
        purpose: LinkPurpose,
        asked: Asked,
        now: OffsetDateTime,
    ) -> Result<(), StoreError> {
        let (_, _, link) = self.draw((user, email), purpose, asked, now)?;
        tx.mail_links().add(&link).await?;
        self.point_to_reset(tx, email, "already_registered", now).await
    }

    fn draw(
        &self,
        (user, to): (&User, &Email),
        purpose: LinkPurpose,
        asked: Asked,
        now: OffsetDateTime,
    ) -> Result<(OneTimeSecret, LinkCode, MailLink), StoreError> {
        let secret = OneTimeSecret { id: self.entropy.id(), secret: self.entropy.key() };
        let mut bits = [0; 8];
        bits.copy_from_slice(&self.entropy.key()[24..]);
        let code = LinkCode::new(bits);
        let by_code_alone = purpose == LinkPurpose::VerifyEmail && asked.session.is_some();
        let seal = || self.secrets.seal(&MailLink::context(secret.id), &secret.secret);
        let kept = by_code_alone.then(seal).transpose().map_err(|error| StoreError::Unavailable(Box::new(error)))?;
        let browser = asked.browser.map(|browser| browser.digest());
        let link = MailLink::new(&secret, &code, (user.id, to.clone()), purpose, now);
        Ok((secret, code, MailLink { kept, browser, session: asked.session, ..link }))
    }
}
