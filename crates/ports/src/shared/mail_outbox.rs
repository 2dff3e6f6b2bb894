use async_trait::async_trait;
use coinlink_domain::shared::mail::OutgoingMail;

use time::OffsetDateTime;

use super::StoreError;

/// Where letters are left to be sent, in the transaction of the act that asks for them: whoever hears that it was done gets the
/// letter, and nobody else does.
#[async_trait]
pub trait MailOutbox: Send {
    /// Leaves one.
    async fn post(&mut self, mail: &OutgoingMail) -> Result<(), StoreError>;

    /// How many of this template were left for this address at `since` or later and at `until` or earlier, sent or not. One that
    /// waits for the end of quiet hours is left at that end.
    async fn posted_within(
        &mut self,
        to: &str,
        template: &str,
        since: OffsetDateTime,
        until: OffsetDateTime,
    ) -> Result<u64, StoreError>;
}
