use std::sync::Arc;

use coinlink_domain::identity::{LinkPresented, LinkProof, LinkPurpose, LinkRefusal, MailLink, OneTimeSecret};
use coinlink_ports::{
    identity::{IdentityStore, IdentityTx},
    shared::StoreError,
};
use time::OffsetDateTime;

/// A link leads nowhere.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// Unknown, used, void or expired: whoever shows it is not told which.
    #[error("the link is not valid")]
    Invalid,
    /// It was asked for elsewhere.
    #[error("the link takes its code")]
    CodeRequired,
    /// It does nothing but where it was asked for.
    #[error("the link does nothing but where it was asked for")]
    AskedElsewhere,
    /// The code is another. So many more may be tried.
    #[error("the code is another")]
    WrongCode(u32),
    /// The store is not there.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<LinkRefusal> for LinkError {
    fn from(refusal: LinkRefusal) -> Self {
        match refusal {
            LinkRefusal::Invalid => Self::Invalid,
            LinkRefusal::CodeRequired => Self::CodeRequired,
            LinkRefusal::AskedElsewhere => Self::AskedElsewhere,
        }
    }
}

/// What somebody opens a link with.
#[derive(Debug, Clone)]
pub struct Opening {
    /// The link's text; `None` where what was sent is none.
    pub secret: Option<OneTimeSecret>,
    /// Beside it.
    pub proof: LinkProof,
}

impl Opening {
    /// With the text of a link, whatever it is.
    #[must_use]
    pub fn new(token: &str, proof: LinkProof) -> Self {
        Self { secret: OneTimeSecret::from_text(token), proof }
    }
}

/// Opens links.
#[derive(Clone)]
pub struct OpenLink {
    /// Where they are.
    pub store: Arc<dyn IdentityStore>,
}

impl OpenLink {
    /// The link, as it could be used now, and how. It stays usable: what takes time comes between this and [`OpenLink::spend`].
    /// A wrong code is counted.
    pub(super) async fn check(
        &self,
        opening: &Opening,
        purpose: LinkPurpose,
        now: OffsetDateTime,
    ) -> Result<(MailLink, LinkPresented), LinkError> {
        let secret = opening.secret.ok_or(LinkError::Invalid)?;
        let mut tx = self.store.begin().await?;
        let mut link = tx.mail_links().lock(secret.id).await?.ok_or(LinkError::Invalid)?;
        let presented = link.present(&secret, purpose, &opening.proof, now)?;
        if let LinkPresented::WrongCode(left) = presented {
            tx.mail_links().save(&link).await?;
            tx.commit().await?;
            return Err(LinkError::WrongCode(left));
        }
        Ok((link, presented))
    }

    /// Uses the link that [`OpenLink::check`] found, in the transaction of what it is for, which holds the account.
    pub(super) async fn spend(
        tx: &mut dyn IdentityTx,
        opening: &Opening,
        purpose: LinkPurpose,
        now: OffsetDateTime,
    ) -> Result<MailLink, LinkError> {
        let secret = opening.secret.ok_or(LinkError::Invalid)?;
        let mut link = tx.mail_links().lock(secret.id).await?.ok_or(LinkError::Invalid)?;
        // It was checked before: what is another now was changed by somebody faster.
        if matches!(link.present(&secret, purpose, &opening.proof, now)?, LinkPresented::WrongCode(_)) {
            return Err(LinkError::Invalid);
        }
        tx.mail_links().save(&link).await?;
        Ok(link)
    }
}
