//! Notifications on their way to a user.

use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{NotificationId, WebhookId, alerts::FiredAlert};
use crate::shared::user_id::UserId;

/// Which way. Letters go through the outbox of mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Channel {
    /// To every open socket of the user.
    Socket,
    /// To one webhook.
    Webhook(WebhookId),
}

/// One notification that is to go one way. It is stored with the notification, and goes with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// What is to go.
    pub notification: NotificationId,
    /// Whose it is.
    pub user: UserId,
    /// Which way.
    pub channel: Channel,
    /// The firing behind it, for sockets.
    pub fired: Option<FiredAlert>,
    /// Not before.
    pub due: OffsetDateTime,
}

impl Delivery {
    /// The same for one notification on one way: it cannot be left twice.
    #[must_use]
    pub fn id(&self) -> Uuid {
        match self.channel {
            Channel::Socket => self.notification.0,
            Channel::Webhook(hook) => both(self.notification.0, hook.0),
        }
    }
}

/// A name made of two (RFC 9562, version 8): the first half of a digest of both.
fn both(one: Uuid, other: Uuid) -> Uuid {
    let digest = Sha256::new().chain_update(one.as_bytes()).chain_update(other.as_bytes()).finalize();
    let mut half = [0; 16];
    half.copy_from_slice(&digest[..16]);
    uuid::Builder::from_custom_bytes(half).into_uuid()
}

impl Channel {
    /// The name in the store and of metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Socket => "socket",
            Self::Webhook(_) => "webhook",
        }
    }
}
