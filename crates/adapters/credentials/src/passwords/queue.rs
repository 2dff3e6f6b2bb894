use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use coinlink_ports::identity::HashError;
use tokio::sync::oneshot;

use super::work::Work;

pub(super) type Answer = Result<String, HashError>;

/// A computation that somebody waits for.
pub(super) struct Job {
    pub(super) number: u64,
    pub(super) queued: Instant,
    pub(super) work: Work,
    pub(super) answer: oneshot::Sender<Answer>,
}

/// Jobs in their order, a bounded number of them.
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
    /// How many wait at most while every thread is busy.
    limit: usize,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    next: u64,
    idle: usize,
    closed: bool,
}

impl Queue {
    pub(super) fn new(limit: usize) -> Self {
        Self { state: Mutex::default(), changed: Condvar::new(), limit }
    }

    /// Adds a job and gives its number and its answer; `None` when the queue is full or closed.
    pub(super) fn push(&self, work: Work) -> Option<(u64, oneshot::Receiver<Answer>)> {
        let mut state = self.lock();
        if state.closed || state.jobs.len() >= self.limit + state.idle {
            return None;
        }
        let (answer, receiver) = oneshot::channel();
        let number = state.next;
        state.next += 1;
        state.jobs.push_back(Job { number, queued: Instant::now(), work, answer });
        drop(state);
        self.changed.notify_one();
        Some((number, receiver))
    }

    /// Takes a job back, and so makes room. Whether no thread had it yet.
    pub(super) fn withdraw(&self, number: u64) -> bool {
        let mut state = self.lock();
        // Numbers ascend, because jobs are added at the end only.
        state.jobs.binary_search_by_key(&number, |job| job.number).is_ok_and(|at| state.jobs.remove(at).is_some())
    }

    /// Waits for a job; `None` once the queue is closed.
    pub(super) fn pop(&self) -> Option<Job> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            if let Some(job) = state.jobs.pop_front() {
                return Some(job);
            }
            state.idle += 1;
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
    }

    /// Sends the threads home. What still waits is not computed.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.jobs.clear();
        drop(state);
        self.changed.notify_all();
    }

    pub(super) fn len(&self) -> usize {
        self.lock().jobs.len()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
