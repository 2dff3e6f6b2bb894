use std::sync::Mutex;

use coinlink_ports::shared::Clock;
use time::{Duration, OffsetDateTime};

use super::lock;

/// A clock that moves only when told to.
#[derive(Debug)]
pub struct StoppedClock(Mutex<(OffsetDateTime, Duration)>);

impl StoppedClock {
    /// Shows `now`; no monotonic time has passed.
    pub fn at(now: OffsetDateTime) -> Self {
        Self(Mutex::new((now, Duration::ZERO)))
    }

    /// Time passes, on both clocks.
    pub fn advance(&self, by: Duration) {
        let mut clock = lock(&self.0);
        clock.0 += by;
        clock.1 += by;
    }

    /// Somebody sets the wall clock; the monotonic one does not notice.
    pub fn set(&self, now: OffsetDateTime) {
        lock(&self.0).0 = now;
    }
}

impl Clock for StoppedClock {
    fn now(&self) -> OffsetDateTime {
        lock(&self.0).0
    }

    fn monotonic(&self) -> Duration {
        lock(&self.0).1
    }
}
