//! What is known of news, the market's figures and what people search for, with its age.

use std::sync::Arc;

use coinlink_domain::market::{Bulletin, BulletinPeriods, MarketTotals, News, Trending, primers};
use coinlink_ports::shared::Clock;
use time::{Duration, OffsetDateTime};

use super::Bulletins;

/// A bulletin as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownBulletin<T> {
    /// What it says, and since when it is known.
    pub bulletin: Arc<Bulletin<T>>,
    /// When it is shown: to the minute, so that all who ask within one get the same.
    pub at: OffsetDateTime,
    /// How old it is then.
    pub age: Duration,
    /// It is older than its provider's period allows: the last fetches failed.
    pub stale: bool,
}

/// The minute `now` is in, but not before what is shown was known.
fn minute(now: OffsetDateTime, known: OffsetDateTime) -> OffsetDateTime {
    let minute = now.unix_timestamp().div_euclid(60) * 60;
    OffsetDateTime::from_unix_timestamp(minute).unwrap_or(now).max(known)
}

fn shown<T>(bulletin: Arc<Bulletin<T>>, now: OffsetDateTime, period: Duration) -> ShownBulletin<T> {
    let at = minute(now, bulletin.fetched_at);
    let age = at - bulletin.fetched_at;
    ShownBulletin { bulletin, at, age, stale: BulletinPeriods::is_stale(age, period) }
}

/// What is shown as news.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShownNews {
    /// Headlines that were fetched.
    Fetched(ShownBulletin<News>),
    /// Primers, since no headlines are known.
    Primers {
        /// The primers.
        news: News,
        /// When they are shown, to the minute.
        at: OffsetDateTime,
        /// Headlines are asked for, and none came yet.
        unavailable: bool,
    },
}

/// Headlines, or primers where there are none.
pub struct ReadNews {
    /// What this node knows.
    pub bulletins: Arc<Bulletins>,
    /// Whether headlines are asked for at all.
    pub asked_for: bool,
    /// How often.
    pub period: Duration,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

impl ReadNews {
    /// The newest that is known; never waits.
    #[tracing::instrument(skip_all, name = "read_news")]
    pub fn execute(&self) -> ShownNews {
        let now = self.clock.now();
        match self.bulletins.news() {
            Some(news) => ShownNews::Fetched(shown(news, now, self.period)),
            None => {
                ShownNews::Primers { news: primers(), at: minute(now, OffsetDateTime::UNIX_EPOCH), unavailable: self.asked_for }
            }
        }
    }
}

/// The market's figures.
pub struct ReadMarketStats {
    /// What this node knows.
    pub bulletins: Arc<Bulletins>,
    /// How often they are asked for.
    pub period: Duration,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

impl ReadMarketStats {
    /// The newest that are known, or `None`; never waits.
    #[tracing::instrument(skip_all, name = "read_market_stats")]
    pub fn execute(&self) -> Option<ShownBulletin<MarketTotals>> {
        self.bulletins.totals().map(|totals| shown(totals, self.clock.now(), self.period))
    }
}

/// What people search for.
pub struct ReadTrending {
    /// What this node knows.
    pub bulletins: Arc<Bulletins>,
    /// How often it is asked for.
    pub period: Duration,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

impl ReadTrending {
    /// The newest that is known, or `None`; never waits.
    #[tracing::instrument(skip_all, name = "read_trending")]
    pub fn execute(&self) -> Option<ShownBulletin<Trending>> {
        self.bulletins.trending().map(|trending| shown(trending, self.clock.now(), self.period))
    }
}
