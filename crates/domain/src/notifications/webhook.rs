//! An address of a user's own that is told of notifications.

use std::fmt;

use time::OffsetDateTime;
use uuid::Uuid;

use crate::shared::{sealed::Sealed, user_id::UserId};

/// A webhook. Version 7.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WebhookId(pub Uuid);

impl fmt::Display for WebhookId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Its name.
    pub id: WebhookId,
    /// Whose.
    pub user: UserId,
    /// Where notifications go.
    pub url: String,
    /// The host of `url`: one that is slow holds up no other.
    pub host: String,
    /// What its requests are signed with.
    pub secret: Sealed,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// Notifications that were given up since one was taken.
    pub failures: u32,
    /// Since when nothing is sent to it any more.
    pub disabled_at: Option<OffsetDateTime>,
}

impl Webhook {
    /// A user has no more.
    pub const MOST: u64 = 5;
    /// After so many notifications in a row that were given up, nothing more is sent.
    pub const MOST_FAILURES: u32 = 5;

    /// What only the secret of this webhook opens in.
    #[must_use]
    pub fn secret_context(id: WebhookId) -> String {
        format!("webhook {id}")
    }
}
