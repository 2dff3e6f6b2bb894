use std::{
    hash::{BuildHasher, RandomState},
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use async_trait::async_trait;
use coinlink_ports::shared::{Clock, Dice, Pause};
use time::{Duration, OffsetDateTime};

/// This machine's clocks.
pub struct SystemClock {
    started: Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self { started: Instant::now() }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc()
    }

    fn monotonic(&self) -> Duration {
        Duration::try_from(self.started.elapsed()).unwrap_or(Duration::MAX)
    }
}

/// Waits on the tokio timer.
pub struct TokioPause;

#[async_trait]
impl Pause for TokioPause {
    async fn pause(&self, wait: Duration) {
        if let Ok(wait) = std::time::Duration::try_from(wait) {
            tokio::time::sleep(wait).await;
        }
    }
}

/// A keyed hash (`SipHash`) of a counter, under a key the operating system drew: cannot fail, never repeats between
/// processes, and good enough to spread load.
#[derive(Default)]
pub struct SystemDice {
    key: RandomState,
    rolls: AtomicU64,
}

impl Dice for SystemDice {
    fn roll(&self) -> u64 {
        self.key.hash_one(self.rolls.fetch_add(1, Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_monotonic_clock_runs_and_starts_near_zero() {
        let clock = SystemClock::default();
        let first = clock.monotonic();
        assert!(first >= Duration::ZERO && first < Duration::MINUTE);
        assert!(clock.monotonic() >= first);
    }

    #[tokio::test]
    async fn a_pause_waits_and_takes_no_time_at_all_where_what_is_asked_is_not_positive() {
        let moment = std::time::Duration::from_millis(20);
        assert!(tokio::time::timeout(moment, TokioPause.pause(Duration::DAY)).await.is_err());
        for at_once in [Duration::ZERO, -Duration::DAY] {
            assert!(tokio::time::timeout(moment, TokioPause.pause(at_once)).await.is_ok());
        }
    }

    #[test]
    fn rolls_are_spread_and_differ_between_dice() {
        let (one, other) = (SystemDice::default(), SystemDice::default());
        let mut faces = [0_u32; 8];
        for _ in 0..8_000 {
            faces[usize::try_from(one.roll() % 8).unwrap()] += 1;
        }
        assert!(faces.iter().all(|&count| (800..1_200).contains(&count)), "{faces:?}");
        assert_ne!(one.roll(), other.roll());
    }
}
