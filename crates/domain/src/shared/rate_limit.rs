//! Classes of requests and what is counted for each.

use std::net::IpAddr;

use time::Duration;
use uuid::Uuid;

use super::sliding_window::WindowPolicy;

/// The window of every class.
pub const WINDOW: Duration = Duration::seconds(60);

/// What a request is counted as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RateClass {
    /// Without credentials, by address.
    Anonymous,
    /// Signed in, by user.
    Authenticated,
    /// With an API key, by key.
    ApiKey,
    /// Where passwords and codes are tried, by address and by account.
    Credentials,
    /// Refreshing and ending a session, by session.
    Session,
    /// Talking to the assistant, by user or address.
    Chat,
    /// Asking for prices, by user or address.
    Price,
    /// Questions to the assistant without credentials, by address: see [`PromptQuota`].
    PromptsAnonymous,
    /// Questions to the assistant, by user: see [`PromptQuota`].
    PromptsUser,
}

impl RateClass {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Anonymous,
        Self::Authenticated,
        Self::ApiKey,
        Self::Credentials,
        Self::Session,
        Self::Chat,
        Self::Price,
        Self::PromptsAnonymous,
        Self::PromptsUser,
    ];

    /// As in keys, headers and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::Authenticated => "authenticated",
            Self::ApiKey => "api_key",
            Self::Credentials => "credentials",
            Self::Session => "session",
            Self::Chat => "chat",
            Self::Price => "price",
            Self::PromptsAnonymous => "prompts_anonymous",
            Self::PromptsUser => "prompts_user",
        }
    }
}

/// How many questions the assistant answers in a time that is longer than [`WINDOW`]: what a client is promised, while
/// [`RateClass::Chat`] keeps the pace. A limit of zero is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PromptQuota {
    /// See [`RateClass::PromptsAnonymous`].
    pub anonymous: WindowPolicy,
    /// See [`RateClass::PromptsUser`].
    pub user: WindowPolicy,
}

impl PromptQuota {
    /// As many as the pace allows.
    pub const OFF: Self = {
        let none = WindowPolicy { limit: 0, window: WINDOW };
        Self { anonymous: none, user: none }
    };
}

/// Requests of each class in any [`WINDOW`], and of questions in a time of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimits {
    /// See [`RateClass::Anonymous`].
    pub anonymous: u32,
    /// See [`RateClass::Authenticated`].
    pub authenticated: u32,
    /// See [`RateClass::ApiKey`].
    pub api_key: u32,
    /// See [`RateClass::Credentials`].
    pub credentials: u32,
    /// See [`RateClass::Session`].
    pub session: u32,
    /// See [`RateClass::Chat`].
    pub chat: u32,
    /// See [`RateClass::Price`].
    pub price: u32,
    /// Of questions to the assistant.
    pub prompts: PromptQuota,
}

impl RateLimits {
    /// The limit of one class.
    #[must_use]
    pub const fn of(&self, class: RateClass) -> WindowPolicy {
        let limit = match class {
            RateClass::Anonymous => self.anonymous,
            RateClass::Authenticated => self.authenticated,
            RateClass::ApiKey => self.api_key,
            RateClass::Credentials => self.credentials,
            RateClass::Session => self.session,
            RateClass::Chat => self.chat,
            RateClass::Price => self.price,
            RateClass::PromptsAnonymous => return self.prompts.anonymous,
            RateClass::PromptsUser => return self.prompts.user,
        };
        WindowPolicy { limit, window: WINDOW }
    }

    /// What one node allows by itself while the nodes cannot count together: half, and a third where credentials are tried,
    /// so that a few nodes counting apart do not allow much more than all together would. Never nothing.
    #[must_use]
    pub const fn on_one_node_alone(&self) -> Self {
        const fn part(limit: u32, of: u32) -> u32 {
            limit.div_ceil(of)
        }
        Self {
            anonymous: part(self.anonymous, 2),
            authenticated: part(self.authenticated, 2),
            api_key: part(self.api_key, 2),
            credentials: part(self.credentials, 3),
            session: part(self.session, 2),
            chat: part(self.chat, 2),
            price: part(self.price, 2),
            // Promised, and no defence: what this node counted so far counts on.
            prompts: self.prompts,
        }
    }
}

/// Whose requests are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RateSubject {
    /// A client's address (IPv6: its /64).
    Address(IpAddr),
    /// An account.
    User(Uuid),
    /// A session.
    Session(Uuid),
    /// Whatever address is tried to sign in with, known or not, as a digest.
    Account([u8; 16]),
    /// A device that signed in before.
    Device(Uuid),
    /// An API key.
    ApiKey(Uuid),
}

/// One count that a request adds to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Charge {
    /// As what.
    pub class: RateClass,
    /// For whom.
    pub subject: RateSubject,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_alone_is_stricter_and_still_open() {
        let policy = |limit, window| WindowPolicy { limit, window };
        let prompts = PromptQuota { anonymous: policy(5, Duration::hours(1)), user: policy(50, Duration::hours(12)) };
        let limits = RateLimits {
            anonymous: 100,
            authenticated: 120,
            api_key: 600,
            credentials: 10,
            session: 60,
            chat: 20,
            price: 1,
            prompts,
        };
        let alone = limits.on_one_node_alone();
        assert_eq!((alone.anonymous, alone.credentials, alone.price), (50, 4, 1));
        for class in RateClass::ALL {
            assert!((1..=limits.of(class).limit).contains(&alone.of(class).limit), "{class:?}");
        }
    }
}
