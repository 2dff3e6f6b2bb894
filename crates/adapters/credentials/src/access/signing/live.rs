use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicU64, Ordering},
};

use arc_swap::{ArcSwap, Guard};
use coinlink_ports::{
    identity::{PublicKey, PublicKeys},
    shared::Clock,
};
use time::Duration;
use tokio::sync::Notify;

use super::{KeyFolder, KeyFolderError, set::KeySet};

/// Whoever makes names up makes us read the folder no more often than this.
const ASK_EVERY: Duration = Duration::seconds(30);
const NEVER: i64 = i64::MIN;

/// The keys of a folder as this node knows them now.
///
/// Requests read them without waiting for anybody. Somebody else calls [`SigningKeys::refresh`] every few seconds, and whenever
/// [`SigningKeys::wanted`] returns.
pub struct SigningKeys {
    folder: KeyFolder,
    current: ArcSwap<KeySet>,
    clock: Arc<dyn Clock>,
    /// When a name that is not known last made us ask, in milliseconds since the process began.
    asked: AtomicI64,
    reads: AtomicU64,
    wanted: Notify,
}

impl SigningKeys {
    /// Reads them; none is an error.
    pub fn open(folder: KeyFolder, clock: Arc<dyn Clock>) -> Result<Self, KeyFolderError> {
        let current = ArcSwap::from_pointee(folder.load_lasting()?);
        let (asked, reads) = (AtomicI64::new(NEVER), AtomicU64::new(0));
        Ok(Self { folder, current, clock, asked, reads, wanted: Notify::new() })
    }

    /// Reads the folder again if its list has changed; `true`: it has. What cannot be used changes nothing: the keys stay.
    pub fn refresh(&self) -> Result<bool, KeyFolderError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        if self.folder.read_list()? == self.current.load().list {
            return Ok(false);
        }
        self.current.store(Arc::new(self.folder.load_lasting()?));
        Ok(true)
    }

    /// Waits until a token named a key that is not known: there may be a new one.
    pub async fn wanted(&self) {
        self.wanted.notified().await;
    }

    /// How often the folder was looked at since it was opened.
    pub fn reads(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }

    pub(in crate::access) fn current(&self) -> Guard<Arc<KeySet>> {
        self.current.load()
    }

    /// A token named a key that is not among them.
    pub(in crate::access) fn miss(&self) {
        let now = i64::try_from(self.clock.monotonic().whole_milliseconds()).unwrap_or(i64::MAX);
        let asked = self.asked.load(Ordering::Relaxed);
        let due =
            asked == NEVER || now.saturating_sub(asked) >= i64::try_from(ASK_EVERY.whole_milliseconds()).unwrap_or(i64::MAX);
        // Of those that come at once, one asks.
        if due && self.asked.compare_exchange(asked, now, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            self.wanted.notify_one();
        }
    }
}

impl PublicKeys for SigningKeys {
    fn known(&self) -> Vec<PublicKey> {
        self.current.load().known(self.clock.now())
    }
}
