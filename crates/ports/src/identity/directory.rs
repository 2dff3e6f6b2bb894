use async_trait::async_trait;
use coinlink_domain::identity::{EmailPrefix, Role, SessionPolicy, User, UserId};
use time::OffsetDateTime;

use crate::shared::StoreError;

/// Which accounts are looked for: those for which all of it holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccountFilter {
    /// Their address begins so, whether they own it or claim it.
    pub email: Option<EmailPrefix>,
    /// They have this role.
    pub role: Option<Role>,
    /// Whether they may sign in.
    pub active: Option<bool>,
    /// Whether their address is known to be theirs.
    pub verified: Option<bool>,
}

/// Accounts and sessions in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AccountCounts {
    /// Accounts.
    pub total: u64,
    /// Whose address is known to be theirs.
    pub verified: u64,
    /// That may sign in.
    pub active: u64,
    /// Administrators that may sign in.
    pub admins: u64,
    /// Opened in the last 24 hours.
    pub new_in_a_day: u64,
    /// Opened in the last seven days.
    pub new_in_a_week: u64,
    /// With a second factor.
    pub with_second_factor: u64,
    /// Sessions that go on.
    pub live_sessions: u64,
}

/// Accounts as an administrator looks at them; nothing here tells a password, a hash or a token.
#[async_trait]
pub trait AccountDirectory: Send + Sync {
    /// At most `limit` accounts as `filter` wants them whose id is below `below`, highest first: those opened last come first.
    async fn accounts(&self, filter: &AccountFilter, below: Option<UserId>, limit: u32) -> Result<Vec<User>, StoreError>;

    /// All of it in numbers.
    async fn count(&self, now: OffsetDateTime, policy: &SessionPolicy) -> Result<AccountCounts, StoreError>;
}
