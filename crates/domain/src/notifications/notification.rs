//! What lies in a user's inbox.

use std::fmt;

use time::OffsetDateTime;
use uuid::Uuid;

use crate::shared::user_id::UserId;

/// One notification. Version 7, so that newer ones sort last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NotificationId(pub Uuid);

impl fmt::Display for NotificationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a notification is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NotificationKind {
    /// A price did what a rule of the user's waits for.
    PriceAlert,
    /// News of the market.
    NewsUpdate,
    /// The service itself.
    SystemAlert,
    /// The user's portfolio.
    TradeUpdate,
    /// The user's account.
    SecurityAlert,
}

impl NotificationKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::PriceAlert, Self::NewsUpdate, Self::SystemAlert, Self::TradeUpdate, Self::SecurityAlert];

    /// The name on the wire and in the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::PriceAlert => "price_alert",
            Self::NewsUpdate => "news_update",
            Self::SystemAlert => "system_alert",
            Self::TradeUpdate => "trade_update",
            Self::SecurityAlert => "security_alert",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// How much a notification may disturb.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Priority {
    /// Good to know.
    Low,
    /// Worth a look.
    Medium,
    /// Worth a look now.
    High,
    /// Quiet hours do not hold it back.
    Critical,
}

impl Priority {
    /// Every priority, the lowest first.
    pub const ALL: [Self; 4] = [Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The name on the wire and in the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The priority of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|priority| priority.name() == name)
    }
}

/// One thing a user is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// Its name, the same on every way it takes to the user.
    pub id: NotificationId,
    /// Whose inbox it lies in.
    pub user: UserId,
    /// What it is about.
    pub kind: NotificationKind,
    /// A few words; plain text.
    pub title: String,
    /// A sentence or two; plain text.
    pub message: String,
    /// How much it may disturb.
    pub priority: Priority,
    /// The user has seen it.
    pub is_read: bool,
    /// When it was left.
    pub created_at: OffsetDateTime,
    /// From then on it is not shown any more.
    pub expires_at: Option<OffsetDateTime>,
    /// Where a click leads: a path of the front end or an `https://` address.
    pub action_url: Option<String>,
    /// Further facts by name, such as the symbol and the price of an alert.
    pub facts: Vec<(String, String)>,
}
