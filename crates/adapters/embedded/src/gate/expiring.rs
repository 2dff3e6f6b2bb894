use std::{
    collections::HashMap,
    hash::{BuildHasher as _, Hash, RandomState},
};

use time::{Duration, OffsetDateTime};

/// However few there are, what is over is removed this often, when the next one comes.
const SWEEP_EVERY: Duration = Duration::MINUTE;

/// Below this many, only time brings about a sweep.
const TOO_FEW_TO_SWEEP: usize = 64;

/// Values that are over at some moment. Those are removed when their number has doubled since the last time, so that a sweep
/// costs each newcomer a constant, and memory stays in proportion to those that are not over.
pub(super) struct Expiring<K, V> {
    entries: HashMap<K, Entry<V>, RandomState>,
    most: usize,
    sweep_at: usize,
    swept: OffsetDateTime,
}

pub(super) struct Entry<V> {
    pub(super) value: V,
    /// From when on it says nothing that its absence would not say.
    pub(super) over: OffsetDateTime,
}

impl<K: Eq + Hash, V: Default> Expiring<K, V> {
    /// None yet, never more than `most`: for a newcomer beyond that, the eighth that would be over first is given up.
    pub(super) fn at_most(most: usize, hasher: RandomState) -> Self {
        let entries = HashMap::with_hasher(hasher);
        Self { entries, most, sweep_at: TOO_FEW_TO_SWEEP.min(most), swept: OffsetDateTime::UNIX_EPOCH }
    }

    /// What is kept for `key`, over or not.
    pub(super) fn get(&self, key: &K) -> Option<&Entry<V>> {
        self.entries.get(key)
    }

    /// What is kept for `key`; where that is nothing, a new value that is over already.
    pub(super) fn get_or_new(&mut self, key: K, now: OffsetDateTime) -> &mut Entry<V> {
        if !self.entries.contains_key(&key) {
            self.make_room(now);
        }
        self.entries.entry(key).or_insert_with(|| Entry { value: V::default(), over: now })
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    fn make_room(&mut self, now: OffsetDateTime) {
        if self.entries.len() < self.sweep_at && now - self.swept < SWEEP_EVERY {
            return;
        }
        self.entries.retain(|_, entry| entry.over > now);
        if self.entries.len() >= self.most {
            self.give_up_an_eighth();
        }
        let twice = self.entries.len() * 2;
        self.entries.shrink_to(twice);
        self.sweep_at = twice.max(TOO_FEW_TO_SWEEP).min(self.most);
        self.swept = now;
    }

    fn give_up_an_eighth(&mut self) {
        let mut moments: Vec<_> = self.entries.values().map(|entry| entry.over).collect();
        if moments.is_empty() {
            return;
        }
        let mut going = (moments.len() / 8).max(1);
        let (_, &mut last_to_go, _) = moments.select_nth_unstable(going - 1);
        self.entries.retain(|_, entry| {
            let goes = going > 0 && entry.over <= last_to_go;
            going -= usize::from(goes);
            !goes
        });
    }
}

/// Which of `shards` holds `key`.
pub(super) fn shard_of(hasher: &RandomState, key: &impl Hash, shards: usize) -> usize {
    // The map inside uses the lower bits and the top seven.
    usize::try_from(hasher.hash_one(key) >> 40).unwrap_or(0) % shards
}
