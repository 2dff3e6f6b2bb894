//! One candle shape for every source, store and answer.

use rust_decimal::Decimal;
use time::{Duration, OffsetDateTime};

use crate::market::Price;

/// How long a candle lasts. A candle opens at a multiple of it, counted from the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Interval {
    /// One minute: what ticks are collected into.
    Minute,
    /// Five minutes.
    FiveMinutes,
    /// One hour.
    Hour,
    /// One day of UTC.
    Day,
}

impl Interval {
    /// Every interval, the shortest first; each is a multiple of the one before.
    pub const ALL: [Self; 4] = [Self::Minute, Self::FiveMinutes, Self::Hour, Self::Day];

    /// The name on the wire and in the store: `1m`, `5m`, `1h`, `1d`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Minute => "1m",
            Self::FiveMinutes => "5m",
            Self::Hour => "1h",
            Self::Day => "1d",
        }
    }

    /// The interval of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|interval| interval.name() == name)
    }

    /// How long it lasts.
    #[must_use]
    pub const fn length(self) -> Duration {
        match self {
            Self::Minute => Duration::MINUTE,
            Self::FiveMinutes => Duration::minutes(5),
            Self::Hour => Duration::HOUR,
            Self::Day => Duration::DAY,
        }
    }

    /// When the candle that holds `moment` opened.
    #[must_use]
    pub fn open_of(self, moment: OffsetDateTime) -> OffsetDateTime {
        let into = moment.unix_timestamp_nanos().rem_euclid(self.length().whole_nanoseconds());
        moment - Duration::nanoseconds(i64::try_from(into).unwrap_or(0))
    }

    /// Whether the time of the candle that opened at `open_at` is over.
    #[must_use]
    pub fn is_over(self, open_at: OffsetDateTime, now: OffsetDateTime) -> bool {
        now - open_at >= self.length()
    }
}

/// What a price did from `open_at` on, for one [`Interval`]. `low <= open, close <= high`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candle {
    /// When it opened: a multiple of its interval.
    pub open_at: OffsetDateTime,
    /// The first price, US dollars.
    pub open: Price,
    /// The highest.
    pub high: Price,
    /// The lowest.
    pub low: Price,
    /// The last.
    pub close: Price,
    /// What was traded, in units of the asset; `None` where nobody said.
    pub volume: Option<Decimal>,
    /// Its time is over: nothing of it changes any more, but by a back-fill that knows better.
    pub closed: bool,
}

impl Candle {
    /// A candle in which one price was seen so far.
    #[must_use]
    pub const fn first(open_at: OffsetDateTime, price: Price) -> Self {
        Self { open_at, open: price, high: price, low: price, close: price, volume: None, closed: false }
    }

    /// What two parts of the same candle come to, `later` being the later one: neither's high nor low is lost. A volume only grows
    /// in the course of a candle, so the larger one is the newer.
    #[must_use]
    pub fn join(self, later: Self) -> Self {
        Self {
            open_at: self.open_at,
            open: self.open,
            high: self.high.max(later.high),
            low: self.low.min(later.low),
            close: later.close,
            volume: self.volume.max(later.volume),
            closed: self.closed || later.closed,
        }
    }

    /// Adds the candle after it to this longer one, which holds both. A volume of which a part is not known is not known, nor one
    /// beyond what a decimal can say.
    pub(super) fn continue_with(&mut self, next: Self) {
        self.high = self.high.max(next.high);
        self.low = self.low.min(next.low);
        self.close = next.close;
        self.volume = match (self.volume, next.volume) {
            (Some(known), Some(more)) => known.checked_add(more),
            _ => None,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn a_candle_opens_at_a_multiple_of_its_interval() {
        let moment = datetime!(2026-03-04 15:47:31.25 UTC);
        assert_eq!(Interval::Minute.open_of(moment), datetime!(2026-03-04 15:47 UTC));
        assert_eq!(Interval::FiveMinutes.open_of(moment), datetime!(2026-03-04 15:45 UTC));
        assert_eq!(Interval::Hour.open_of(moment), datetime!(2026-03-04 15:00 UTC));
        assert_eq!(Interval::Day.open_of(moment), datetime!(2026-03-04 0:00 UTC));
        assert_eq!(Interval::Day.open_of(datetime!(1969-12-31 23:59 UTC)), datetime!(1969-12-31 0:00 UTC));
    }

    #[test]
    fn every_name_leads_back_to_its_interval() {
        for interval in Interval::ALL {
            assert_eq!(Interval::from_name(interval.name()), Some(interval));
        }
        assert_eq!(Interval::from_name("2m"), None);
    }
}
