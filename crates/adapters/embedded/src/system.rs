use std::{
    hash::{BuildHasher, RandomState},
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use async_trait::async_trait;
use coinlink_ports::shared::{Clock, Dice, Entropy, Pause};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

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
    /// To the microsecond: a moment is the same before and after it was stored.
    fn now(&self) -> OffsetDateTime {
        let now = OffsetDateTime::now_utc();
        now.replace_microsecond(now.microsecond()).unwrap_or(now)
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

/// The operating system's randomness.
///
/// # Panics
/// Where the operating system has none to give, which it says before it runs programs or never: no id or key that somebody
/// could guess is ever handed out instead.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn id(&self) -> Uuid {
        Uuid::now_v7()
    }

    fn key(&self) -> [u8; 32] {
        let mut key = [0; 32];
        getrandom::fill(&mut key).expect("the operating system gives random bytes");
        key
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

    #[test]
    fn ids_are_of_version_seven_in_order_and_keys_never_come_twice() {
        let ids: Vec<_> = (0..1_000).map(|_| SystemEntropy.id()).collect();
        assert!(ids.is_sorted_by(|one, next| one < next) && ids.iter().all(|id| id.get_version_num() == 7));
        let keys: std::collections::HashSet<_> = (0..1_000).map(|_| SystemEntropy.key()).collect();
        assert_eq!(keys.len(), 1_000);
        let ones: u32 = keys.iter().flatten().map(|byte| byte.count_ones()).sum();
        assert!((126_000..130_000).contains(&ones), "of 256 000 bits {ones} are set");
    }
}
