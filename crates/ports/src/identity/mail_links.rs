use async_trait::async_trait;
use coinlink_domain::identity::{Email, LinkPurpose, MailLink, SessionId, UserId};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::shared::StoreError;

/// Links in mail, in a transaction.
#[async_trait]
pub trait MailLinks: Send {
    /// Adds one. Others of the same user and purpose that were asked for in the same browser, in the same session, or like it in
    /// neither, are over after that; of those that change the address all others. Those that take that back stay. So nobody voids
    /// what somebody else asked for.
    async fn add(&mut self, link: &MailLink) -> Result<(), StoreError>;

    /// Loads one, good for something or not, and holds it until the transaction ends.
    async fn lock(&mut self, id: Uuid) -> Result<Option<MailLink>, StoreError>;

    /// Stores what of a link may change: its failures, its rest and its end.
    async fn save(&mut self, link: &MailLink) -> Result<(), StoreError>;

    /// Ends the links of a user that are not over. Of those that take a change of the address back, such as were sent before
    /// `spared` stay: whoever changed it must not void them by what they do next.
    async fn void(&mut self, user: UserId, spared: OffsetDateTime, now: OffsetDateTime) -> Result<(), StoreError>;

    /// Those of this purpose that were sent to an address at `since` or later, over or not, newest first; at most 100.
    async fn sent_since(
        &mut self,
        email: &Email,
        purpose: LinkPurpose,
        since: OffsetDateTime,
    ) -> Result<Vec<MailLink>, StoreError>;
}

/// Links in mail as they are committed, for looking at.
#[async_trait]
pub trait MailLinkStore: Send + Sync {
    /// One, good for something or not.
    async fn mail_link(&self, id: Uuid) -> Result<Option<MailLink>, StoreError>;

    /// The newest of this user and purpose, asked for in this session, that was neither used nor voided, expired or not.
    async fn open_link(&self, user: UserId, session: SessionId, purpose: LinkPurpose) -> Result<Option<MailLink>, StoreError>;
}
