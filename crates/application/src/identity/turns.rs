use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use coinlink_domain::identity::SessionId;
use futures_util::lock::{Mutex as Queue, OwnedMutexGuard};

/// Lets the requests of one session, or of whatever `K` names, through one after the other on this node. The store puts them in
/// line anyway, each with a connection in its hand: a client that presents one token two hundred times at once would take all
/// of them. Other sessions do not wait.
pub(super) struct Turns<K: Copy + Eq + Hash = SessionId> {
    queues: Mutex<HashMap<K, Arc<Queue<()>>>>,
}

impl<K: Copy + Eq + Hash> Default for Turns<K> {
    fn default() -> Self {
        Self { queues: Mutex::default() }
    }
}

/// A session's turn; over when dropped.
pub(super) struct Turn<'a, K: Copy + Eq + Hash = SessionId> {
    turns: &'a Turns<K>,
    session: K,
    /// There until the turn is over.
    queue: Option<Arc<Queue<()>>>,
    held: Option<OwnedMutexGuard<()>>,
}

impl<K: Copy + Eq + Hash> Turns<K> {
    /// Waits for the turn of a request of `session`.
    pub(super) async fn of(&self, session: K) -> Turn<'_, K> {
        let queue = Arc::clone(self.queues().entry(session).or_default());
        let mut turn = Turn { turns: self, session, queue: Some(Arc::clone(&queue)), held: None };
        turn.held = Some(queue.lock_owned().await);
        turn
    }

    fn queues(&self) -> MutexGuard<'_, HashMap<K, Arc<Queue<()>>>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Copy + Eq + Hash> Drop for Turn<'_, K> {
    fn drop(&mut self) {
        self.held = None;
        let mut queues = self.turns.queues();
        // Given up while the map is held: the last one sees that it is the last.
        self.queue = None;
        if queues.get(&self.session).is_some_and(|queue| Arc::strong_count(queue) == 1) {
            queues.remove(&self.session);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::{FutureExt as _, future::join_all};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use uuid::Uuid;

    #[tokio::test]
    async fn one_session_goes_one_by_one_others_beside_it_and_nothing_is_left() {
        let turns = Turns::<SessionId>::default();
        let (one, other) = (SessionId(Uuid::nil()), SessionId(Uuid::max()));
        let (inside, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let held = turns.of(other).await;
        join_all((0..50).map(|_| async {
            let _turn = turns.of(one).await;
            assert_eq!(inside.fetch_add(1, Ordering::Relaxed), 0);
            tokio::task::yield_now().await;
            inside.fetch_sub(1, Ordering::Relaxed);
            done.fetch_add(1, Ordering::Relaxed);
        }))
        .await;
        assert_eq!(done.into_inner(), 50);
        assert!(turns.of(other).now_or_never().is_none(), "its turn is taken");
        drop(held);
        assert!(turns.of(other).now_or_never().is_some(), "who gave up waiting is not in the way");
        assert!(turns.queues().is_empty());
    }

    #[test]
    fn threads_that_end_together_leave_nothing_either() {
        let turns = Turns::default();
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    for round in 0..20_000_u128 {
                        drop(turns.of(SessionId(Uuid::from_u128(round))).now_or_never());
                    }
                });
            }
        });
        assert_eq!(turns.queues().len(), 0);
    }
}
