use std::{
    hash::{BuildHasher as _, RandomState},
    net::IpAddr,
    sync::atomic::{AtomicI64, AtomicU32, Ordering},
};

use time::Duration;

/// Keys that are not known here may cost this many reads of the store a minute and address.
const READS: u32 = 60;
const WINDOW: Duration = Duration::MINUTE;
/// Addresses are counted together where their numbers meet: whoever shares one with somebody who guesses can be held up for as long
/// as the guessing goes on, one address in this many. In return nobody can fill the memory.
const COUNTERS: usize = 4_096;

/// How often each address presented a key that nobody knows. In this process, so that it costs no I/O.
pub(super) struct BadKeys {
    /// Secret, so that nobody chooses whose counter they use up.
    numbers: RandomState,
    counts: Box<[AtomicU32]>,
    window: AtomicI64,
}

impl Default for BadKeys {
    fn default() -> Self {
        let counts = (0..COUNTERS).map(|_| AtomicU32::new(0)).collect();
        Self { numbers: RandomState::new(), counts, window: AtomicI64::new(0) }
    }
}

impl BadKeys {
    /// Counts a look at the store for a key from `ip`, at `now` (monotonic). The error is how long it takes until there may be one
    /// again.
    pub(super) fn reserve(&self, ip: IpAddr, now: Duration) -> Result<(), Duration> {
        let window = now.whole_seconds().div_euclid(WINDOW.whole_seconds());
        if self.window.swap(window, Ordering::AcqRel) != window {
            self.counts.iter().for_each(|count| count.store(0, Ordering::Release));
        }
        let add = |count: u32| (count < READS).then_some(count + 1);
        match self.count(ip).try_update(Ordering::AcqRel, Ordering::Acquire, add) {
            Ok(_) => Ok(()),
            Err(_) => Err(WINDOW * i32::try_from(window + 1).unwrap_or(i32::MAX) - now),
        }
    }

    /// The key was good after all.
    pub(super) fn give_back(&self, ip: IpAddr) {
        let _ = self.count(ip).try_update(Ordering::AcqRel, Ordering::Acquire, |count| count.checked_sub(1));
    }

    fn count(&self, ip: IpAddr) -> &AtomicU32 {
        let counters = self.counts.len() as u64;
        // Less than their number, which is a usize.
        let at = usize::try_from(self.numbers.hash_one(ip) % counters).unwrap_or_default();
        &self.counts[at]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const NOW: Duration = Duration::seconds(90);

    fn address(n: u32) -> IpAddr {
        Ipv4Addr::from_bits(n).into()
    }

    #[test]
    fn an_address_that_tries_too_many_waits_for_the_next_minute() {
        let bad = BadKeys::default();
        assert!((0..READS).all(|_| bad.reserve(address(1), NOW).is_ok()));
        assert_eq!(bad.reserve(address(1), NOW), Err(Duration::seconds(30)));
        assert_eq!(bad.reserve(address(1), NOW + Duration::seconds(30)), Ok(()));
    }

    #[test]
    fn a_key_that_was_good_does_not_count() {
        let bad = BadKeys::default();
        for _ in 0..READS * 10 {
            assert_eq!(bad.reserve(address(1), NOW), Ok(()));
            bad.give_back(address(1));
        }
        bad.give_back(address(1));
        assert!((0..READS).all(|_| bad.reserve(address(1), NOW).is_ok()));
    }

    #[test]
    fn the_memory_is_bounded_however_many_addresses_there_are_and_few_are_held_up() {
        let bad = BadKeys::default();
        while bad.reserve(address(0), NOW).is_ok() {}
        let held_up = (1..=10_000).filter(|n| bad.reserve(address(*n), NOW).is_err()).count();
        assert!(held_up < 40, "{held_up}");
    }

    #[test]
    fn of_many_at_once_no_more_than_the_limit_get_through() {
        let bad = BadKeys::default();
        let through = AtomicU32::new(0);
        bad.reserve(address(1), NOW).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..1_000 {
                        if bad.reserve(address(1), NOW).is_ok() {
                            through.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                });
            }
        });
        assert_eq!(through.into_inner(), READS - 1);
    }
}
