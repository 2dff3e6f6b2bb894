use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use coinlink_domain::identity::SessionId;
use coinlink_ports::{
    identity::IdentityStore,
    shared::{Clock, RequestGate, StoreError},
};
use time::Duration;

/// The sessions this node knows to be over while access tokens of theirs may still be about.
///
/// The store is the truth; this is this node's copy of it, kept by [`FollowRevocations`]. Redis carries the news faster, but
/// may forget (a flush, a restart): a session that is in this list stays revoked whatever Redis says.
#[derive(Default)]
pub struct RevokedSessions {
    state: RwLock<State>,
}

#[derive(Default)]
struct State {
    /// When each was heard of last, on the monotonic clock: clocks of nodes differ. `None` until the next look at the store.
    ended: HashMap<SessionId, Option<Duration>>,
    /// The newest generation whose tokens were used here, for sessions that were refreshed moments ago.
    used: HashMap<SessionId, u32>,
    /// When the list was last as the store knows it, on the monotonic clock.
    synced_at: Option<Duration>,
}

/// Followed twice a second, a list this old has missed several turns.
const CURRENT_FOR: Duration = Duration::seconds(5);
/// Generations remembered as used; past it all are forgotten, which costs one statement each.
const USED_KEPT: usize = 100_000;

impl RevokedSessions {
    /// Whether the session is known to be over.
    pub fn contains(&self, session: SessionId) -> bool {
        self.read().ended.contains_key(&session)
    }

    /// Whether the list was as the store knows it a moment before `now` (monotonic).
    pub fn is_current(&self, now: Duration) -> bool {
        self.read().synced_at.is_some_and(|at| now - at <= CURRENT_FOR)
    }

    /// Adds sessions that ended a moment ago.
    pub fn add(&self, sessions: impl IntoIterator<Item = SessionId>) {
        self.write().ended.extend(sessions.into_iter().map(|session| (session, None)));
    }

    /// Whether it was noted that an access token of this generation was used.
    pub(super) fn was_used(&self, session: SessionId, generation: u32) -> bool {
        self.read().used.get(&session).is_some_and(|used| *used >= generation)
    }

    /// Notes that.
    pub(super) fn note_use(&self, session: SessionId, generation: u32) {
        let mut state = self.write();
        if state.used.len() >= USED_KEPT {
            state.used.clear();
        }
        state.used.insert(session, generation);
    }

    /// Adds what the store told at `synced_at`, and forgets what it has not told for `keep`.
    fn merge(&self, ended: Vec<SessionId>, keep: Duration, synced_at: Duration) {
        let mut state = self.write();
        state.ended.extend(ended.into_iter().map(|session| (session, Some(synced_at))));
        state.ended.retain(|_, heard| synced_at - *heard.get_or_insert(synced_at) <= keep);
        state.synced_at = Some(synced_at);
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps [`RevokedSessions`] as the store knows it.
pub struct FollowRevocations {
    store: Arc<dyn IdentityStore>,
    revoked: Arc<RevokedSessions>,
    clock: Arc<dyn Clock>,
    keep: Duration,
    /// When everything was last read, on the monotonic clock.
    read_all_at: Option<Duration>,
}

/// A look reads again what ended this long before it: a transaction takes its time to commit, and a look may fail.
const OVERLAP: Duration = Duration::seconds(90);
/// How often everything that matters is read again.
const READ_ALL_EVERY: Duration = Duration::seconds(60);

impl FollowRevocations {
    /// Follows `store`; `keep` is how long an access token can outlive its session, leeway included.
    pub fn new(store: Arc<dyn IdentityStore>, revoked: Arc<RevokedSessions>, clock: Arc<dyn Clock>, keep: Duration) -> Self {
        Self { store, revoked, clock, keep, read_all_at: None }
    }

    /// One look at the store; to be repeated twice a second.
    pub async fn execute(&mut self) -> Result<(), StoreError> {
        let started = self.clock.monotonic();
        let all = self.read_all_at.is_none_or(|at| started - at >= READ_ALL_EVERY);
        let within = if all { self.keep + OVERLAP } else { OVERLAP };
        let ended = self.store.ended_within(within).await?;
        self.revoked.merge(ended, self.keep, started);
        if all {
            self.read_all_at = Some(started);
        }
        Ok(())
    }
}

/// Tells everybody that sessions are over, once the store has it.
#[derive(Clone)]
pub struct EndedSessions {
    /// This node's list.
    pub revoked: Arc<RevokedSessions>,
    /// What the nodes share.
    pub gate: Arc<dyn RequestGate>,
    /// How long an access token can outlive its session, leeway included.
    pub keep: Duration,
}

impl EndedSessions {
    /// Tells it of `sessions`. Where the shared gate does not take it the nodes find it in the store within a second.
    pub async fn announce(&self, sessions: &[SessionId]) {
        if sessions.is_empty() {
            return;
        }
        self.revoked.add(sessions.iter().copied());
        let ids: Vec<_> = sessions.iter().map(|session| session.0).collect();
        if let Err(error) = self.gate.revoke(&ids, self.keep).await {
            tracing::warn!(%error, sessions = ids.len(), "the end of sessions could not be announced; nodes read it from the store");
        }
    }
}
