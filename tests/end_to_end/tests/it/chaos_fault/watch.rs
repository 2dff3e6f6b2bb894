//! Somebody who asks for the same thing over and over, and keeps what came of it.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use coinlink_end_to_end_tests::{Answer, Api, Node};
use reqwest::Method;
use tokio::{task::JoinHandle, time::sleep};

/// Between two questions.
const PAUSE: Duration = Duration::from_millis(50);

/// A question and what came of it.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    /// When it was asked.
    pub asked: Instant,
    /// How long the answer took.
    pub took: Duration,
    /// `None`: there was no answer.
    pub answer: Option<Answer>,
}

impl Seen {
    /// The status; 0 where there was no answer.
    pub(super) fn status(&self) -> u16 {
        self.answer.as_ref().map_or(0, |answer| answer.status)
    }
}

/// Asks until it is dropped.
pub(super) struct Watch {
    seen: Arc<Mutex<Vec<Seen>>>,
    task: JoinHandle<()>,
}

impl Watch {
    /// Of `path`, with an access token where there is one.
    pub(super) fn of(api: &Api, token: Option<&str>, path: &'static str) -> Self {
        let (api, token, seen) = (api.clone(), token.map(str::to_owned), Arc::<Mutex<Vec<Seen>>>::default());
        let kept = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            loop {
                let request = api.request(Method::GET, path);
                let request = if let Some(token) = &token { request.bearer_auth(token) } else { request };
                let asked = Instant::now();
                let answer = api.try_send(request).await.ok();
                lock(&kept).push(Seen { asked, took: asked.elapsed(), answer });
                sleep(PAUSE).await;
            }
        });
        Self { seen, task }
    }

    /// What was asked from `from` on and answered before `to`.
    pub(super) fn between(&self, from: Instant, to: Instant) -> Vec<Seen> {
        lock(&self.seen).iter().filter(|seen| seen.asked >= from && seen.asked + seen.took < to).cloned().collect()
    }

    /// How long after `since` the first answer with this status came; panics when none comes in time.
    pub(super) async fn answers(&self, status: u16, since: Instant, within: Duration) -> Duration {
        loop {
            let first = lock(&self.seen).iter().find(|seen| seen.asked >= since && seen.status() == status).cloned();
            if let Some(seen) = first {
                return (seen.asked + seen.took).duration_since(since);
            }
            assert!(since.elapsed() < within, "no {status} within {within:?}; the last is {:?}", lock(&self.seen).last());
            sleep(PAUSE / 5).await;
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock(seen: &Mutex<Vec<Seen>>) -> MutexGuard<'_, Vec<Seen>> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The longest of them. Panics where there is none.
pub(super) fn longest(seen: &[Seen]) -> Duration {
    seen.iter().map(|seen| seen.took).max().expect("somebody asked")
}

/// Says that something is away, in the one shape, in time, with an id that the log has too.
pub(super) fn says_that_it_is_away(seen: &Seen, node: &Node, within: Duration) {
    let answer = seen.answer.as_ref().unwrap_or_else(|| panic!("no answer: {seen:?}"));
    assert_eq!((answer.status, answer.code()), (503, "dependency_unavailable"), "{}", answer.text);
    let id = answer.header("x-trace-id");
    assert!(id.len() == 36 && answer.json["error"]["trace_id"] == id, "{}", answer.text);
    assert!(answer.header("retry-after").parse::<u32>().is_ok(), "it says when to try again: {:?}", answer.headers);
    assert!(seen.took < within, "it took {:?}", seen.took);
    assert!(node.process.log().contains(&id.replace('-', "")), "{id} is not in the log");
}
