//! One published state of the ticker.

use std::sync::Arc;

use time::{Duration, OffsetDateTime};

use super::{Quote, Source};

/// A tick's place in the order of all ticks: the leader's fencing epoch, then its own count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TickId {
    /// The leader's fencing token; milliseconds of the coordinator's clock when it was minted, or one more than the last. Never 0, which
    /// is that of [`TickId::recalled`].
    pub epoch: u64,
    /// 1 for the first tick of an epoch, then one more each time.
    pub seq: u64,
}

impl TickId {
    /// The place of a list that no leader published: a node recalled it at `now`. Before all that leaders publish.
    #[must_use]
    pub fn recalled(now: OffsetDateTime) -> Self {
        let millis = u64::try_from(now.unix_timestamp_nanos() / 1_000_000).unwrap_or(0);
        Self { epoch: 0, seq: millis.max(1) }
    }
}

/// One line of the ticker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TickItem {
    /// The newest usable quote.
    pub quote: Quote,
    /// It is carried from before, or older than twice its source's period.
    pub stale: bool,
}

/// The whole list at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tick {
    /// Its place in the order.
    pub id: TickId,
    /// When the leader published it.
    pub timestamp: OffsetDateTime,
    /// The source of the list; `None` while nothing was ever known.
    pub source: Option<Source>,
    /// How old the list is by its source; `None` while nothing was ever known.
    pub as_of: Option<OffsetDateTime>,
    /// The list is replayed, or older than twice its source's period. Its lines carry their own flags.
    pub stale: bool,
    /// How long before `timestamp` the provider's answer was there that is new in it; `None` where nothing is.
    pub held: Option<Duration>,
    /// Sorted by rank, then by the source's order.
    pub items: Arc<[TickItem]>,
}

impl Tick {
    /// The list's age at `now`; zero where the source's clock is ahead, `None` while nothing was ever known.
    #[must_use]
    pub fn age(&self, now: OffsetDateTime) -> Option<Duration> {
        self.as_of.map(|as_of| (now - as_of).max(Duration::ZERO))
    }

    /// The line of `symbol`.
    #[must_use]
    pub fn item(&self, symbol: &str) -> Option<&TickItem> {
        self.items.iter().find(|item| item.quote.symbol.as_str() == symbol)
    }
}
