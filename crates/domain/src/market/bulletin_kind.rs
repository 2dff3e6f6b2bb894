use time::{Duration, OffsetDateTime};

use super::{Bulletin, FearGreed, MarketTotals, News, Trending};

/// What a bulletin is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum BulletinKind {
    /// Headlines.
    News,
    /// The market's mood.
    FearGreed,
    /// The whole market's figures.
    Totals,
    /// What people search for.
    Trending,
}

impl BulletinKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::News, Self::FearGreed, Self::Totals, Self::Trending];

    /// The name in keys and logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::News => "news",
            Self::FearGreed => "fear_greed",
            Self::Totals => "totals",
            Self::Trending => "trending",
        }
    }
}

/// A bulletin of any kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnyBulletin {
    /// Headlines.
    News(Bulletin<News>),
    /// The market's mood.
    FearGreed(Bulletin<FearGreed>),
    /// The whole market's figures.
    Totals(Bulletin<MarketTotals>),
    /// What people search for.
    Trending(Bulletin<Trending>),
}

impl AnyBulletin {
    /// What it is about.
    #[must_use]
    pub const fn kind(&self) -> BulletinKind {
        match self {
            Self::News(_) => BulletinKind::News,
            Self::FearGreed(_) => BulletinKind::FearGreed,
            Self::Totals(_) => BulletinKind::Totals,
            Self::Trending(_) => BulletinKind::Trending,
        }
    }

    /// When it was received.
    #[must_use]
    pub const fn fetched_at(&self) -> OffsetDateTime {
        match self {
            Self::News(bulletin) => bulletin.fetched_at,
            Self::FearGreed(bulletin) => bulletin.fetched_at,
            Self::Totals(bulletin) => bulletin.fetched_at,
            Self::Trending(bulletin) => bulletin.fetched_at,
        }
    }

    /// When its provider said that there would be another one.
    #[must_use]
    pub const fn next_at(&self) -> Option<OffsetDateTime> {
        match self {
            Self::FearGreed(bulletin) => bulletin.content.next_at,
            Self::News(_) | Self::Totals(_) | Self::Trending(_) => None,
        }
    }
}

/// How often each kind is asked for by the whole cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BulletinPeriods {
    /// Between two looks at the news: every call counts, whatever comes of it.
    pub news: Duration,
    /// Between two looks at the market's figures.
    pub totals: Duration,
    /// Between two looks at what people search for.
    pub trending: Duration,
}

/// Calls to the source of prices that bulletins may take: one of so many of its month.
const SHARE: u32 = 10;
/// The longest month.
const MONTH: Duration = Duration::days(31);

impl Default for BulletinPeriods {
    /// 96 calls a day for news; figures every 10 minutes, searches every 15.
    fn default() -> Self {
        Self { news: Duration::minutes(15), totals: Duration::minutes(10), trending: Duration::minutes(15) }
    }
}

impl BulletinPeriods {
    /// Figures and searches come from the source of prices: both together take at most a tenth of its month, three of them for
    /// figures to two for searches. `None` is unmetered.
    #[must_use]
    pub fn within(per_month: Option<u32>) -> Self {
        let usual = Self::default();
        let Some(calls) = per_month.map(|calls| (calls / SHARE).max(1)) else { return usual };
        // In the time of three looks at the figures there are two at the searches: five calls.
        let round = usual.totals * 3;
        let each: Duration = MONTH * 5_i32 / calls;
        let longest = each.max(round);
        Self { totals: longest / 3, trending: longest / 2, ..usual }
    }

    /// Whether what was fetched `age` ago is old: the next fetch has failed, or did not take place.
    #[must_use]
    pub fn is_stale(age: Duration, period: Duration) -> bool {
        age > period * 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_unmetered_source_is_asked_every_ten_and_every_fifteen_minutes() {
        let periods = BulletinPeriods::within(None);
        assert_eq!((periods.totals, periods.trending), (Duration::minutes(10), Duration::minutes(15)));
        assert_eq!(BulletinPeriods::within(Some(500_000)), periods, "a tenth of it is more than enough");
        assert_eq!(periods.news * 96, Duration::DAY);
    }

    #[test]
    fn a_value_is_stale_once_two_of_its_periods_are_over() {
        assert!(!BulletinPeriods::is_stale(Duration::minutes(30), Duration::minutes(15)));
        assert!(BulletinPeriods::is_stale(Duration::minutes(30) + Duration::MILLISECOND, Duration::minutes(15)));
    }

    proptest! {
        #[test]
        fn of_a_budget_no_more_than_a_tenth_is_taken(calls in 10_u32..1_000_000) {
            let periods = BulletinPeriods::within(Some(calls));
            let calls_at = |period: Duration| MONTH.whole_milliseconds() / period.whole_milliseconds().max(1);
            let taken = calls_at(periods.totals) + calls_at(periods.trending);
            prop_assert!(taken <= i128::from(calls) / 10, "{taken} of {calls}");
            prop_assert!(periods.totals >= Duration::minutes(10) && periods.trending >= Duration::minutes(15));
        }
    }
}
