use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use coinlink_ports::identity::{HashError, HashPlace};

use super::{
    queue::{Answer, Job, Queue},
    work::Work,
};

type OnHash = Arc<dyn Fn(Duration) + Send + Sync>;

/// Threads that compute bcrypt, and nothing else.
pub(super) struct Pool {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    queue: Queue,
    deadline: Duration,
    threads: u32,
    /// Places for requests: as many as can hash and wait.
    places: usize,
    taken: AtomicUsize,
    /// Microseconds a job takes, smoothed.
    usual: AtomicU64,
    on_hash: OnHash,
}

impl Pool {
    pub(super) fn start(
        threads: usize,
        queue: usize,
        deadline: Duration,
        usual: Duration,
        on_hash: OnHash,
    ) -> Result<Self, io::Error> {
        let shared = Arc::new(Shared {
            queue: Queue::new(queue),
            deadline,
            threads: u32::try_from(threads).unwrap_or(u32::MAX),
            places: threads.saturating_add(queue),
            taken: AtomicUsize::new(0),
            usual: AtomicU64::new(micros(usual)),
            on_hash,
        });
        // Made first, so that those that did start are sent home where one does not.
        let mut pool = Self { shared, threads: Vec::with_capacity(threads) };
        for number in 0..threads {
            let shared = Arc::clone(&pool.shared);
            let name = format!("bcrypt-{number}");
            pool.threads.push(std::thread::Builder::new().name(name).spawn(move || shared.run())?);
        }
        Ok(pool)
    }

    pub(super) fn waiting(&self) -> usize {
        self.shared.queue.len()
    }

    /// A place for a request, or when to come back.
    pub(super) fn place(&self) -> Result<HashPlace, HashError> {
        let shared = &self.shared;
        let room = |taken| (taken < shared.places).then_some(taken + 1);
        match shared.taken.fetch_update(Ordering::AcqRel, Ordering::Acquire, room) {
            Ok(_) => Ok(HashPlace::new(Taken(Arc::clone(shared)))),
            Err(_) => Err(shared.busy()),
        }
    }

    /// Computes it, or says when to come back: at once when too many wait, and when it waited for too long itself.
    pub(super) async fn compute(&self, work: Work) -> Answer {
        let shared = &*self.shared;
        let (number, mut answer) = shared.queue.push(work).ok_or_else(|| shared.busy())?;
        let place = Place { queue: &shared.queue, number };
        let in_time = tokio::time::timeout(shared.deadline, &mut answer).await;
        let answered = match in_time {
            Ok(answered) => answered,
            Err(_) if shared.queue.withdraw(place.number) => return Err(shared.busy()),
            // A thread has it: what was begun is finished.
            Err(_) => answer.await,
        };
        answered.unwrap_or_else(|_| Err(HashError::Failed("the threads that hash passwords have ended".into())))
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.queue.close();
        for thread in self.threads.drain(..) {
            // It has nothing to say: a panic was caught and told to whoever waited.
            let _ = thread.join();
        }
    }
}

/// A request's place.
struct Taken(Arc<Shared>);

impl Drop for Taken {
    fn drop(&mut self) {
        self.0.taken.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A caller's place in the queue, given up when the caller leaves.
struct Place<'a> {
    queue: &'a Queue,
    number: u64,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.queue.withdraw(self.number);
    }
}

impl Shared {
    fn run(&self) {
        step_back();
        while let Some(job) = self.queue.pop() {
            let Job { queued, work, answer, .. } = job;
            if answer.is_closed() {
                continue;
            }
            let answered = if queued.elapsed() > self.deadline { Err(self.busy()) } else { self.compute(&work) };
            // Whoever waited may have left.
            let _ = answer.send(answered);
        }
    }

    fn compute(&self, work: &Work) -> Answer {
        let begun = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let hash = work.compute(|input, cost, salt| {
                bcrypt::non_truncating_hash_with_salt(input, cost, salt).map(|parts| parts.to_string())
            });
            self.note(begun.elapsed());
            hash.map_err(|error| HashError::Failed(error.to_string()))
        }));
        outcome.unwrap_or_else(|_| Err(HashError::Failed("a panic".into())))
    }

    fn note(&self, took: Duration) {
        let usual = self.usual.load(Ordering::Relaxed);
        self.usual.store((usual.saturating_mul(7).saturating_add(micros(took))) / 8, Ordering::Relaxed);
        (self.on_hash)(took);
    }

    /// When what waits now will have been computed, and not before a second has passed.
    fn busy(&self) -> HashError {
        let turns = u32::try_from(self.queue.len()).unwrap_or(u32::MAX) / self.threads.max(1) + 1;
        let wait = Duration::from_micros(self.usual.load(Ordering::Relaxed)).saturating_mul(turns);
        let seconds = i64::try_from(wait.as_secs()).unwrap_or(i64::MAX).saturating_add(i64::from(wait.subsec_nanos() > 0));
        HashError::Busy { retry_after: time::Duration::seconds(seconds.max(1)) }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// Lets the threads that serve requests go first. Linux alone counts this by thread; elsewhere it would slow the whole process.
fn step_back() {
    #[cfg(target_os = "linux")]
    {
        // Where it is not allowed, hashing competes like any other thread.
        let _ = rustix::process::nice(10);
    }
}
