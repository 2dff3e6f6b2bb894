use async_trait::async_trait;
use coinlink_domain::identity::{Email, LinkPurpose, MailLink, UserId};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::shared::StoreError;

/// Links in mail, in a transaction.
#[async_trait]
pub trait MailLinks: Send {
    /// Adds one. Of the same user and purpose no other goes on after that, but those that take changes of an address back.
    async fn add(&mut self, link: &MailLink) -> Result<(), StoreError>;

    /// Loads one, good for something or not, and holds it until the transaction ends.
    async fn lock(&mut self, id: Uuid) -> Result<Option<MailLink>, StoreError>;

    /// Stores what of a link may change: its failures and its end.
    async fn save(&mut self, link: &MailLink) -> Result<(), StoreError>;

    /// Ends the links of a user that are not over. Of those that take a change of the address back, such as were sent before
    /// `spared` stay: whoever changed it must not void them by what they do next.
    async fn void(&mut self, user: UserId, spared: OffsetDateTime, now: OffsetDateTime) -> Result<(), StoreError>;

    /// How many of this purpose were sent to an address at `since` or later, over or not.
    async fn sent_since(&mut self, email: &Email, purpose: LinkPurpose, since: OffsetDateTime) -> Result<u64, StoreError>;
}

/// Links in mail as they are committed, for looking at.
#[async_trait]
pub trait MailLinkStore: Send + Sync {
    /// One, good for something or not.
    async fn mail_link(&self, id: Uuid) -> Result<Option<MailLink>, StoreError>;
}
