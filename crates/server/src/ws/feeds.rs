//! What the hubs of all threads write beside ticks: encoded once, handed over from whoever has it.

use std::sync::Arc;

use bytes::Bytes;
use coinlink_domain::shared::user_id::UserId;
use tokio::sync::{broadcast, watch};

/// Private events a busy hub may be behind.
const BEHIND: usize = 1024;

/// What one user's sockets are told.
#[derive(Debug, Clone)]
pub struct Private {
    /// Whose.
    pub user: UserId,
    /// The frames, headers included.
    pub frames: Vec<Bytes>,
}

/// The node's feeds.
#[derive(Debug)]
pub struct Feeds {
    private: broadcast::Sender<Arc<Private>>,
    prompts: watch::Sender<Option<Bytes>>,
    news: watch::Sender<Arc<[Bytes]>>,
}

impl Default for Feeds {
    fn default() -> Self {
        Self {
            private: broadcast::Sender::new(BEHIND),
            prompts: watch::Sender::new(None),
            news: watch::Sender::new(Arc::from([])),
        }
    }
}

impl Feeds {
    /// Tells the sockets of one user, on this node.
    pub fn tell(&self, private: Private) {
        // Nobody listens while the workers start.
        let _ = self.private.send(Arc::new(private));
    }

    /// Shows everybody these prompts, now and when they connect.
    pub fn show_prompts(&self, frame: Bytes) {
        self.prompts.send_replace(Some(frame));
    }

    /// Tells those who joined the channel of these headlines.
    pub fn tell_news(&self, frames: Arc<[Bytes]>) {
        self.news.send_replace(frames);
    }

    pub(super) fn private(&self) -> broadcast::Receiver<Arc<Private>> {
        self.private.subscribe()
    }

    pub(super) fn prompts(&self) -> watch::Receiver<Option<Bytes>> {
        self.prompts.subscribe()
    }

    pub(super) fn current_prompts(&self) -> Option<Bytes> {
        self.prompts.borrow().clone()
    }

    pub(super) fn current_news(&self) -> Arc<[Bytes]> {
        self.news.borrow().clone()
    }

    pub(super) fn news(&self) -> watch::Receiver<Arc<[Bytes]>> {
        self.news.subscribe()
    }
}
