use async_trait::async_trait;
use time::{Duration, OffsetDateTime};

/// What time it is.
pub trait Clock: Send + Sync {
    /// The wall clock, UTC. May jump.
    fn now(&self) -> OffsetDateTime;

    /// Time since some fixed moment of this process. Never goes back, keeps running while the process is frozen.
    fn monotonic(&self) -> Duration;
}

/// Waiting.
#[async_trait]
pub trait Pause: Send + Sync {
    /// Returns after `wait`; at once where it is not positive.
    async fn pause(&self, wait: Duration);
}

/// Randomness for spreading load; not for secrets.
pub trait Dice: Send + Sync {
    /// A uniformly random number.
    fn roll(&self) -> u64;
}
