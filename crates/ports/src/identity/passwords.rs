use async_trait::async_trait;
use coinlink_domain::identity::{Password, StoredPassword};
use time::Duration;

/// What checking a password found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordCheck {
    /// Whether it is the one that was stored.
    pub matches: bool,
    /// Whether what is stored should be made anew: it was made at another cost.
    pub outdated: bool,
}

/// A password could be neither made nor checked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    /// Others are waiting already, or the wait was too long.
    #[error("too many passwords wait to be checked")]
    Busy {
        /// When to come back.
        retry_after: Duration,
    },
    /// The hash could not be computed.
    #[error("a password could not be hashed: {0}")]
    Failed(String),
}

/// Passwords as they are kept. Each call is exactly one computation of the slow hash, whatever it finds; it runs beside the
/// requests, in a pool of its own, and is dropped when the caller is.
#[async_trait]
pub trait PasswordHasher: Send + Sync {
    /// What to keep of a new password.
    async fn hash(&self, password: &Password) -> Result<StoredPassword, HashError>;

    /// Whether `password` is what was `stored`. `None` stands for an account that is not there: it takes as long and does
    /// not match.
    async fn check(&self, password: &Password, stored: Option<&StoredPassword>) -> Result<PasswordCheck, HashError>;
}
