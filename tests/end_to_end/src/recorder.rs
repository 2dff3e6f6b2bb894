//! A client that writes down every frame, for as long as the connection lasts.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::task::JoinHandle;

use crate::{Client, Frame};

/// A frame and when it came.
#[derive(Debug, Clone)]
pub struct Heard {
    /// When.
    pub at: Instant,
    /// What.
    pub frame: Frame,
}

/// A client that listens in the background. Dropped, it leaves.
pub struct Recorder {
    heard: Arc<Mutex<Vec<Heard>>>,
    task: JoinHandle<()>,
}

impl Recorder {
    /// Connects and listens.
    pub async fn start(address: SocketAddr) -> Self {
        let mut client = Client::connect(address).await;
        let heard = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&heard);
        let task = tokio::spawn(async move {
            while let Some(frame) = client.next_frame().await {
                let heard = Heard { at: Instant::now(), frame };
                lock(&kept).push(heard);
            }
        });
        Self { heard, task }
    }

    /// Every list so far, in the order it came.
    #[must_use]
    pub fn lists(&self) -> Vec<Heard> {
        let is_list = |heard: &&Heard| heard.frame.kind() == "crypto_ticker_update" && heard.frame.json["epoch"].is_u64();
        lock(&self.heard).iter().filter(is_list).cloned().collect()
    }

    /// The first list after `since` that `wanted` likes; panics when none comes in time.
    pub async fn list_after(&self, since: Instant, within: Duration, wanted: impl Fn(&Frame) -> bool) -> Heard {
        loop {
            if let Some(found) = self.lists().into_iter().find(|heard| heard.at > since && wanted(&heard.frame)) {
                return found;
            }
            let lists = self.lists();
            assert!(since.elapsed() < within, "no list as wanted within {within:?}; the last is {:?}", lists.last());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The longest wait between two lists that were no replays.
    #[must_use]
    pub fn longest_gap(&self) -> Duration {
        let lists = self.lists();
        let times: Vec<_> = lists.iter().filter(|heard| !heard.frame.is_replay()).map(|heard| heard.at).collect();
        times.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or_default()
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock(heard: &Mutex<Vec<Heard>>) -> MutexGuard<'_, Vec<Heard>> {
    heard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Panics when a client saw the order go back, or two clients saw two contents under one number. Gives how many numbers
/// more than one of them saw.
pub fn assert_one_story(recorders: &[&Recorder]) -> usize {
    let mut told: HashMap<(u64, u64), (Frame, usize)> = HashMap::new();
    for (index, recorder) in recorders.iter().enumerate() {
        let mut newest = (0, 0);
        for Heard { frame, .. } in recorder.lists() {
            let id = frame.id();
            assert!(id >= newest, "client {index} saw {id:?} after {newest:?}");
            newest = id;
            let (first, by) = told.entry(id).or_insert_with(|| (frame.clone(), 1 << index));
            *by |= 1 << index;
            assert_eq!(first.json["data"], frame.json["data"], "two contents of {id:?}");
            if !first.is_replay() && !frame.is_replay() {
                assert_eq!(first.text, frame.text, "the same bytes of {id:?} on every node");
            }
        }
    }
    told.values().filter(|(_, by)| by.count_ones() > 1).count()
}
