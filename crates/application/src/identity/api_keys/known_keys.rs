use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use coinlink_domain::identity::{ApiKey, ApiKeyId};
use time::Duration;

/// How long what the store said of a key is taken for true: half of the second within which a revoked key is refused everywhere.
const FRESH_FOR: Duration = Duration::milliseconds(500);
/// How long a key that is over, or never was, is refused without another look: no key becomes good again but with its account.
const NOBODYS_FOR: Duration = Duration::seconds(5);
/// Keys of which something is remembered, good ones and others apart: whoever makes keys up pushes no good one out.
const MOST: usize = 10_000;

/// What this node read about keys, each with the moment at which it began to read it.
#[derive(Default)]
pub struct KnownKeys {
    keys: RwLock<HashMap<ApiKeyId, Known>>,
    nobodys: RwLock<HashMap<ApiKeyId, Duration>>,
}

struct Known {
    key: Arc<ApiKey>,
    read_at: Duration,
}

/// What is remembered of a key.
pub(super) enum Remembered {
    /// Nothing.
    Nothing,
    /// That it was nobody's a moment ago.
    Nobodys,
    /// It was so a while ago: its secret never changes, the rest may have.
    Once(Arc<ApiKey>),
    /// It is so.
    Fresh(Arc<ApiKey>),
}

impl KnownKeys {
    /// What is known at `now` (monotonic).
    pub(super) fn look(&self, id: ApiKeyId, now: Duration) -> Remembered {
        let nobodys_since = self.nobodys_since(id, now);
        match (self.read().get(&id), nobodys_since) {
            // A read that was under way while the key was revoked may end, with the key as it was, after the revocation did.
            (Some(known), Some(since)) if since >= known.read_at => Remembered::Nobodys,
            (None, Some(_)) => Remembered::Nobodys,
            (None, None) => Remembered::Nothing,
            (Some(known), _) if is_fresh(known, now) => Remembered::Fresh(Arc::clone(&known.key)),
            (Some(known), _) => Remembered::Once(Arc::clone(&known.key)),
        }
    }

    /// Remembers a key that was begun to be read at `read_at` (monotonic).
    pub(super) fn remember(&self, key: Arc<ApiKey>, read_at: Duration) {
        let mut keys = self.write();
        if keys.len() >= MOST && !keys.contains_key(&key.id) {
            keys.retain(|_, known| is_fresh(known, read_at));
            if keys.len() >= MOST {
                // More are in use at once than fit: each costs a read again.
                keys.clear();
            }
        }
        keys.insert(key.id, Known { key, read_at });
    }

    /// Forgets all: each key is read again when it is used next. Answers how many were known.
    pub fn clear(&self) -> usize {
        std::mem::take(&mut *self.write()).len()
    }

    /// It is over.
    pub(super) fn forget(&self, id: ApiKeyId) {
        self.write().remove(&id);
    }

    /// It is over, or never was: so the store said at `read_at` (monotonic).
    pub(super) fn remember_nobodys(&self, id: ApiKeyId, read_at: Duration) {
        self.forget(id);
        let mut nobodys = self.nobodys.write().unwrap_or_else(PoisonError::into_inner);
        if nobodys.len() >= MOST {
            nobodys.clear();
        }
        let since = nobodys.entry(id).or_insert(read_at);
        *since = read_at.max(*since);
    }

    fn nobodys_since(&self, id: ApiKeyId, now: Duration) -> Option<Duration> {
        let nobodys = self.nobodys.read().unwrap_or_else(PoisonError::into_inner);
        nobodys.get(&id).copied().filter(|read_at| now - *read_at < NOBODYS_FOR)
    }

    fn read(&self) -> RwLockReadGuard<'_, HashMap<ApiKeyId, Known>> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<ApiKeyId, Known>> {
        self.keys.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_fresh(known: &Known, now: Duration) -> bool {
    now - known.read_at < FRESH_FOR
}

#[cfg(test)]
mod tests {
    use super::*;
    use coinlink_domain::identity::UserId;
    use coinlink_testkit::identity::an_api_key;
    use uuid::Uuid;

    fn a_key() -> Arc<ApiKey> {
        Arc::new(an_api_key(UserId(Uuid::nil())))
    }

    #[test]
    fn what_was_read_is_true_for_half_a_second_from_when_the_read_began() {
        let (keys, key) = (KnownKeys::default(), a_key());
        keys.remember(key.clone(), Duration::SECOND);
        let look = |millis| keys.look(key.id, Duration::milliseconds(millis));
        assert!(matches!(look(1_499), Remembered::Fresh(_)));
        assert!(matches!(look(1_500), Remembered::Once(_)));
        keys.forget(key.id);
        assert!(matches!(look(1_000), Remembered::Nothing));
    }

    #[test]
    fn what_is_nobodys_stays_so_for_five_seconds_and_pushes_out_nothing_else() {
        let (keys, key) = (KnownKeys::default(), a_key());
        keys.remember(key.clone(), Duration::ZERO);
        for _ in 0..2 * MOST {
            keys.remember_nobodys(a_key().id, Duration::ZERO);
        }
        assert!(keys.nobodys.read().unwrap().len() <= MOST);
        assert!(matches!(keys.look(key.id, Duration::ZERO), Remembered::Fresh(_)));
        keys.remember_nobodys(key.id, Duration::ZERO);
        assert!(matches!(keys.look(key.id, Duration::milliseconds(4_999)), Remembered::Nobodys));
        assert!(matches!(keys.look(key.id, Duration::seconds(5)), Remembered::Nothing));
    }

    #[test]
    fn a_read_that_a_revocation_overtook_makes_no_key_good_again() {
        let (keys, key) = (KnownKeys::default(), a_key());
        keys.remember_nobodys(key.id, Duration::SECOND);
        keys.remember(key.clone(), Duration::milliseconds(999));
        assert!(matches!(keys.look(key.id, Duration::milliseconds(1_001)), Remembered::Nobodys));
        keys.remember(key.clone(), Duration::milliseconds(1_001));
        assert!(matches!(keys.look(key.id, Duration::milliseconds(1_002)), Remembered::Fresh(_)));
    }

    #[test]
    fn no_more_than_so_many_are_remembered() {
        let keys = KnownKeys::default();
        for second in 0..2 * MOST {
            keys.remember(a_key(), Duration::milliseconds(i64::try_from(second).unwrap()));
            assert!(keys.read().len() <= MOST);
        }
    }
}
