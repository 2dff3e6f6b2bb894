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

/// A place among those whose passwords may be hashed; given back when dropped.
#[must_use = "the place is given back when this is dropped"]
pub struct HashPlace(#[expect(dead_code, reason = "kept for its drop")] Box<dyn Held>);

trait Held: Send + Sync {}

impl<T: Send + Sync> Held for T {}

impl HashPlace {
    /// A place that is given back when `held` is dropped.
    pub fn new(held: impl Send + Sync + 'static) -> Self {
        Self(Box::new(held))
    }
}

/// Passwords as they are kept. Each call runs beside the requests, in a pool of its own, and is dropped when the caller is.
#[async_trait]
pub trait PasswordHasher: Send + Sync {
    /// A place, to be taken before anything else is done for a request that will hash: one too many is told at once, and costs
    /// neither a connection to the store nor a wait.
    fn place(&self) -> Result<HashPlace, HashError>;

    /// What to keep of a new password.
    async fn hash(&self, password: &Password) -> Result<StoredPassword, HashError>;

    /// Whether `password` is what was `stored`. `None` stands for an account that is not there: it does not match. Whatever does
    /// not match is the same work, be it stored at the cost of new passwords, at a lower one, unreadable or not there, so that
    /// time does not tell which accounts exist. What matches may be less work: a caller whose answer must not tell whether it
    /// matched gives `None`. What is stored at a higher cost than that of new passwords is more work.
    async fn check(&self, password: &Password, stored: Option<&StoredPassword>) -> Result<PasswordCheck, HashError>;
}
