//! What this node knows of what was fetched for the cluster.

use std::sync::{Arc, PoisonError, RwLock};

use coinlink_domain::market::{AnyBulletin, Bulletin, FearGreed, MarketTotals, News, Trending};

/// The newest bulletin of each kind, from memory: reading one never waits.
#[derive(Debug, Default)]
pub struct Bulletins {
    news: Slot<News>,
    fear_greed: Slot<FearGreed>,
    totals: Slot<MarketTotals>,
    trending: Slot<Trending>,
}

type Slot<T> = RwLock<Option<Arc<Bulletin<T>>>>;

fn read<T>(slot: &Slot<T>) -> Option<Arc<Bulletin<T>>> {
    slot.read().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Takes a bulletin that is newer than what is known.
fn take<T>(slot: &Slot<T>, bulletin: Bulletin<T>) {
    let mut known = slot.write().unwrap_or_else(PoisonError::into_inner);
    if known.as_ref().is_none_or(|known| known.fetched_at < bulletin.fetched_at) {
        *known = Some(Arc::new(bulletin));
    }
}

impl Bulletins {
    /// The newest headlines; `None` where none were ever fetched.
    pub fn news(&self) -> Option<Arc<Bulletin<News>>> {
        read(&self.news)
    }

    /// The Fear & Greed index.
    pub fn fear_greed(&self) -> Option<Arc<Bulletin<FearGreed>>> {
        read(&self.fear_greed)
    }

    /// The whole market's figures.
    pub fn totals(&self) -> Option<Arc<Bulletin<MarketTotals>>> {
        read(&self.totals)
    }

    /// What people search for.
    pub fn trending(&self) -> Option<Arc<Bulletin<Trending>>> {
        read(&self.trending)
    }

    /// All of them.
    pub fn all(&self) -> Vec<AnyBulletin> {
        let news = self.news().map(|news| AnyBulletin::News(Bulletin::clone(&news)));
        let fear_greed = self.fear_greed().map(|mood| AnyBulletin::FearGreed(Bulletin::clone(&mood)));
        let totals = self.totals().map(|totals| AnyBulletin::Totals(Bulletin::clone(&totals)));
        let trending = self.trending().map(|trending| AnyBulletin::Trending(Bulletin::clone(&trending)));
        [news, fear_greed, totals, trending].into_iter().flatten().collect()
    }

    /// Takes one of any kind.
    pub fn take(&self, bulletin: AnyBulletin) {
        match bulletin {
            AnyBulletin::News(bulletin) => take(&self.news, bulletin),
            AnyBulletin::FearGreed(bulletin) => take(&self.fear_greed, bulletin),
            AnyBulletin::Totals(bulletin) => take(&self.totals, bulletin),
            AnyBulletin::Trending(bulletin) => take(&self.trending, bulletin),
        }
    }

    /// Takes headlines.
    pub fn take_news(&self, bulletin: Bulletin<News>) {
        take(&self.news, bulletin);
    }

    /// Takes an index.
    pub fn take_fear_greed(&self, bulletin: Bulletin<FearGreed>) {
        take(&self.fear_greed, bulletin);
    }

    /// Takes the market's figures.
    pub fn take_totals(&self, bulletin: Bulletin<MarketTotals>) {
        take(&self.totals, bulletin);
    }

    /// Takes what people search for.
    pub fn take_trending(&self, bulletin: Bulletin<Trending>) {
        take(&self.trending, bulletin);
    }
}
