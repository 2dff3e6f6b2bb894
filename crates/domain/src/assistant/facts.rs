//! What the assistant knows when it answers.

use std::sync::Arc;

use rust_decimal::Decimal;
use time::{Duration, OffsetDateTime};

use super::Period;
use crate::{
    market::{Bulletin, FearGreed, MarketTotals, News, Price, Symbol, Tick, TickItem, Trending},
    notifications::alerts::AlertCondition,
};

/// What the assistant knows when it answers. Nothing else is ever stated.
#[derive(Debug, Clone)]
pub struct Facts {
    /// What time it is.
    pub now: OffsetDateTime,
    /// The prices that are shown; `None` until the first tick came.
    pub tick: Option<Arc<Tick>>,
    /// They are old, or repeated because no newer ones came.
    pub stale: bool,
    /// Headlines.
    pub news: Option<Arc<Bulletin<News>>>,
    /// The Fear & Greed index.
    pub fear_greed: Option<Arc<Bulletin<FearGreed>>>,
    /// The whole market's figures.
    pub totals: Option<Arc<Bulletin<MarketTotals>>>,
    /// What people search for.
    pub trending: Option<Arc<Bulletin<Trending>>>,
    /// The mood of Bitcoin's market.
    pub mood: Option<Mood>,
    /// What was looked up of the past for this question.
    pub past: Vec<Past>,
    /// What prices were at the time that this question names.
    pub then: Vec<Then>,
    /// The asker's alerts.
    pub alerts: Alerts,
}

/// What a reading of the market's mood came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mood {
    /// From -1 (bad) to 1 (good).
    pub score: Decimal,
    /// The word for it.
    pub label: Arc<str>,
    /// When its newest input was.
    pub as_of: OffsetDateTime,
}

/// What a price did in a period that ends now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    /// Whose.
    pub symbol: Symbol,
    /// Which period.
    pub period: Period,
    /// When what is known of it begins.
    pub since: OffsetDateTime,
    /// The price then.
    pub open: Price,
    /// The highest since.
    pub high: Price,
    /// The lowest since.
    pub low: Price,
}

/// What a price was at some time: at a moment, on a day, in a month or a year.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Then {
    /// Whose.
    pub symbol: Symbol,
    /// When it begins.
    pub from: OffsetDateTime,
    /// When what is known of it begins; what comes before is not known.
    pub known_from: OffsetDateTime,
    /// When it ends.
    pub to: OffsetDateTime,
    /// The first price.
    pub open: Price,
    /// The highest.
    pub high: Price,
    /// The lowest.
    pub low: Price,
    /// The last.
    pub close: Price,
}

impl Then {
    /// Whether it is short enough to be a moment.
    pub(super) fn is_moment(&self) -> bool {
        self.to - self.from < Duration::DAY
    }

    /// The one price it comes to: of a moment the price then, of days the one they closed at.
    pub(super) fn price(&self) -> Price {
        if self.is_moment() { self.open } else { self.close }
    }

    /// The day it ends with.
    pub(super) fn last_day(&self) -> time::Date {
        (self.to - Duration::SECOND).date()
    }
}

/// One alert rule, as far as its owner is told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertLine {
    /// Of which asset.
    pub symbol: Symbol,
    /// What it waits for.
    pub condition: AlertCondition,
    /// It is switched on.
    pub active: bool,
}

/// The asker's alerts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Alerts {
    /// Nobody is signed in, so there are none.
    SignedOut,
    /// They could not be read, or nobody asked for them.
    Unknown,
    /// These, whole.
    Known(Vec<AlertLine>),
}

impl Facts {
    /// The line of an asset.
    pub(super) fn item(&self, symbol: &Symbol) -> Option<&TickItem> {
        self.tick.as_ref()?.item(symbol.as_str())
    }

    /// Every line.
    pub(super) fn items(&self) -> &[TickItem] {
        self.tick.as_ref().map_or(&[], |tick| &tick.items)
    }

    /// Whether this line's price is older than it should be.
    pub(super) fn is_old(&self, item: &TickItem) -> bool {
        self.stale || item.stale
    }
}
