use std::sync::Arc;

use coinlink_domain::identity::{LinkPurpose, MailLink};
use coinlink_ports::{
    identity::{IdentityStore, MailLinkStore},
    shared::{Clock, StoreError},
};
use time::OffsetDateTime;

use super::{super::audit::masked, Opening};

/// What may be told of a link to whoever holds its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkView {
    /// The address it went to, all but its first letter and its host left out.
    pub email: String,
    /// Whether it can be used here, by its code or without.
    pub usable_here: bool,
    /// Whether using it here takes the code that came with it.
    pub code_needed: bool,
    /// Until when it is good.
    pub expires_at: OffsetDateTime,
}

/// Looks at links; nothing changes.
pub struct LookAtLink {
    /// Accounts.
    pub store: Arc<dyn IdentityStore>,
    /// Links.
    pub links: Arc<dyn MailLinkStore>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

impl LookAtLink {
    /// A link that could be used for `purpose`; `None` for any other text.
    #[tracing::instrument(name = "identity.look_at_link", skip_all)]
    pub async fn execute(&self, opening: &Opening, purpose: LinkPurpose) -> Result<Option<LinkView>, StoreError> {
        let Some(link) = self.link(opening).await? else { return Ok(None) };
        let good = opening.secret.is_some_and(|secret| link.is_opened_by(&secret, purpose, self.clock.now()));
        let asked_here = link.was_asked_for_by(&opening.proof);
        Ok(good.then(|| LinkView {
            email: masked(&link.email),
            usable_here: asked_here || link.takes_code(),
            code_needed: !asked_here && link.takes_code(),
            expires_at: link.expires_at,
        }))
    }

    /// Whether the address that a link is to verify is verified, by that link or otherwise; `None` where the text is no such
    /// link, or one that is good for nothing and was good for nothing.
    #[tracing::instrument(name = "identity.is_verified_by", skip_all)]
    pub async fn is_verified(&self, opening: &Opening) -> Result<Option<bool>, StoreError> {
        let Some(link) = self.link(opening).await? else { return Ok(None) };
        let now = self.clock.now();
        // Used links tell their holder what became of them.
        let as_if_live = MailLink { ended_at: None, expires_at: now + LinkPurpose::VerifyEmail.life(), ..link.clone() };
        if !opening.secret.is_some_and(|secret| as_if_live.is_opened_by(&secret, LinkPurpose::VerifyEmail, now)) {
            return Ok(None);
        }
        let user = self.store.user(link.user).await?;
        let verified = user.is_some_and(|user| user.is_active && user.is_verified && user.email == link.email);
        Ok((verified || link.is_live(now)).then_some(verified))
    }

    async fn link(&self, opening: &Opening) -> Result<Option<MailLink>, StoreError> {
        match opening.secret {
            Some(secret) => self.links.mail_link(secret.id).await,
            None => Ok(None),
        }
    }
}
