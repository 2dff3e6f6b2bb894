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

/// Headlines, each a frame with its header.
#[derive(Debug, Clone, Default)]
pub struct Headlines {
    /// The newest there are, which those get who join.
    pub newest: Arc<[Bytes]>,
    /// Those among them that were not there before, which those get who are there.
    pub new: Arc<[Bytes]>,
}

/// The node's feeds.
#[derive(Debug)]
pub struct Feeds {
    private: broadcast::Sender<Arc<Private>>,
    prompts: watch::Sender<Option<Bytes>>,
    news: watch::Sender<Headlines>,
}

impl Default for Feeds {
    fn default() -> Self {
        Self {
            private: broadcast::Sender::new(BEHIND),
            prompts: watch::Sender::new(None),
            news: watch::Sender::new(Headlines::default()),
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

    /// Tells those who joined the channel, and those who will, of these headlines.
    pub fn tell_news(&self, headlines: Headlines) {
        self.news.send_replace(headlines);
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
        Arc::clone(&self.news.borrow().newest)
    }

    pub(super) fn news(&self) -> watch::Receiver<Headlines> {
        self.news.subscribe()
    }
}
