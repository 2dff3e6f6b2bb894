mod expiring;

use std::{
    hash::{Hash, RandomState},
    sync::{Arc, Mutex, MutexGuard},
};

use async_trait::async_trait;
use coinlink_domain::shared::{
    rate_limit::Charge,
    sliding_window::{SlidingWindow, WindowPolicy},
};
use coinlink_ports::shared::{Admission, Admitted, BusError, Clock, RequestGate, WindowState};
use expiring::{Expiring, shard_of};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::lock;

const SHARDS: usize = 64;

/// Windows and ended sessions in this process; a restart forgets them. Time is monotonic: a wall clock that is set back
/// neither stretches nor empties a window.
///
/// At most [`EmbeddedGate::MOST_SUBJECTS`] subjects are counted at once, which bounds the memory whatever addresses come: beyond
/// that those are forgotten whose last request is longest ago, and get a new window. Ended sessions are never forgotten early;
/// each took a sign-in to make.
pub struct EmbeddedGate {
    clock: Arc<dyn Clock>,
    /// Keyed by chance, so that nobody can aim at one shard.
    hasher: RandomState,
    shards: Box<[Mutex<Shard>]>,
}

struct Shard {
    windows: Expiring<Charge, SlidingWindow>,
    revoked: Expiring<Uuid, ()>,
}

impl EmbeddedGate {
    /// The most subjects that are counted at once.
    pub const MOST_SUBJECTS: usize = 200_000;

    /// A gate through which nobody came yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let hasher = RandomState::new();
        let shard = || Shard {
            windows: Expiring::at_most(Self::MOST_SUBJECTS / SHARDS, hasher.clone()),
            revoked: Expiring::at_most(usize::MAX, hasher.clone()),
        };
        let shards = std::iter::repeat_with(|| Mutex::new(shard())).take(SHARDS).collect();
        Self { clock, hasher, shards }
    }

    /// Subjects in memory, some of which may have had no request for a window's length.
    pub fn subjects(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).windows.len()).sum()
    }

    /// Ended sessions in memory, some of whose marks may have lapsed.
    pub fn ended_sessions(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).revoked.len()).sum()
    }

    fn shard(&self, key: &impl Hash) -> MutexGuard<'_, Shard> {
        lock(&self.shards[shard_of(&self.hasher, key, SHARDS)])
    }

    /// To be read under a shard's lock, so that its moments are in order.
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::UNIX_EPOCH.saturating_add(self.clock.monotonic())
    }

    /// How full the window is afterwards, and whether it was full before.
    fn count(&self, charge: Charge, policy: WindowPolicy) -> (WindowState, bool) {
        let mut shard = self.shard(&charge);
        let now = self.now();
        let entry = shard.windows.get_or_new(charge, now);
        let full = entry.value.take(now, policy).is_err();
        if !full {
            entry.over = entry.over.max(now.saturating_add(policy.window));
        }
        (state(&entry.value, now, policy), full)
    }

    fn is_revoked(&self, session: Uuid) -> bool {
        let shard = self.shard(&session);
        shard.revoked.get(&session).is_some_and(|mark| mark.over > self.now())
    }
}

fn state(window: &SlidingWindow, now: OffsetDateTime, policy: WindowPolicy) -> WindowState {
    WindowState {
        remaining: policy.limit.saturating_sub(window.taken(now, policy)),
        next_free_in: window.next_free_in(now, policy),
    }
}

#[async_trait]
impl RequestGate for EmbeddedGate {
    async fn admit(&self, admission: &Admission) -> Result<Admitted, BusError> {
        let mut windows = Vec::with_capacity(admission.charges.len());
        let mut limited = false;
        for &(charge, policy) in &admission.charges {
            let (state, full) = self.count(charge, policy);
            windows.push(state);
            if full {
                limited = true;
                break;
            }
        }
        let revoked = admission.session.is_some_and(|session| self.is_revoked(session));
        Ok(Admitted { windows, limited, revoked })
    }

    async fn peek(&self, charges: &[(Charge, WindowPolicy)]) -> Result<Vec<WindowState>, BusError> {
        let peek = |&(charge, policy): &(Charge, WindowPolicy)| {
            let shard = self.shard(&charge);
            let empty = WindowState { remaining: policy.limit, next_free_in: policy.window };
            shard.windows.get(&charge).map_or(empty, |entry| state(&entry.value, self.now(), policy))
        };
        Ok(charges.iter().map(peek).collect())
    }

    async fn revoke(&self, sessions: &[Uuid], keep: Duration) -> Result<(), BusError> {
        if !keep.is_positive() {
            return Ok(());
        }
        for &session in sessions {
            let mut shard = self.shard(&session);
            let now = self.now();
            shard.revoked.get_or_new(session, now).over = now.saturating_add(keep);
        }
        Ok(())
    }
}
