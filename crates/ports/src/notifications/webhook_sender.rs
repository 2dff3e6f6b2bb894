use async_trait::async_trait;
use coinlink_domain::notifications::Notification;
use time::OffsetDateTime;

use super::SendError;

/// An address that webhooks may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookAddress {
    /// As it is kept: written as browsers write it.
    pub url: String,
    /// Its host.
    pub host: String,
}

/// Why an address is refused, for whoever asked for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WebhookRefused {
    /// It cannot be read, or is too long.
    #[error("it is no address, or is longer than 2048 characters")]
    Unreadable,
    /// Neither `https` nor, where this server allows it, `http`.
    #[error("it does not begin with https://")]
    Scheme,
    /// It holds a user name or password.
    #[error("it holds a user name or a password")]
    Credentials,
    /// It holds a part after `#`.
    #[error("it has a part after #")]
    Fragment,
    /// Its port is none that is used for this.
    #[error("its port is neither 443 nor 8443")]
    Port,
    /// Its host is none of the public internet.
    #[error("its host is not in the public internet")]
    Host,
    /// It is one for networks that are allowed beside the public internet, and its host is not known, or is in none of them.
    #[error("over http, or on that port, only networks that this server allows are called, and its host is in none of them")]
    NotAllowed,
}

/// One notification for one webhook.
#[derive(Clone, Copy)]
pub struct WebhookCall<'a> {
    /// Where it goes; checked again.
    pub url: &'a str,
    /// What it is signed with.
    pub secret: &'a [u8],
    /// What is told.
    pub notification: &'a Notification,
    /// When it is signed.
    pub at: OffsetDateTime,
}

/// Calls webhooks.
#[async_trait]
pub trait WebhookSender: Send + Sync {
    /// Whether a webhook may have this address, as far as can be told before it is called: a name in the public internet is looked up only then,
    /// one that has to be in an allowed network also here.
    async fn address(&self, url: &str) -> Result<WebhookAddress, WebhookRefused>;

    /// Hands a notification over, within 10 seconds: the host is looked up, and nothing is sent to an address that is not in the
    /// public internet, whatever the name says. An answer of success means that it was taken; its body is not read, and no redirect
    /// is followed. It may have been taken although an error says that it was not.
    async fn send(&self, call: WebhookCall<'_>) -> Result<(), SendError>;
}
