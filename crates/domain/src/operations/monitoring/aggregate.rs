use time::{Duration, OffsetDateTime};

use super::{Sample, value::number};

/// How far back an aggregate looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Span {
    /// 60 s.
    Minute,
    /// 300 s.
    FiveMinutes,
    /// 900 s.
    QuarterHour,
    /// 3,600 s.
    Hour,
    /// 86,400 s.
    Day,
}

impl Span {
    /// All of them, shortest first.
    pub const ALL: [Self; 5] = [Self::Minute, Self::FiveMinutes, Self::QuarterHour, Self::Hour, Self::Day];

    /// Its length in seconds.
    #[must_use]
    pub const fn seconds(self) -> u32 {
        match self {
            Self::Minute => 60,
            Self::FiveMinutes => 300,
            Self::QuarterHour => 900,
            Self::Hour => 3_600,
            Self::Day => 86_400,
        }
    }

    /// Its length.
    #[must_use]
    pub fn duration(self) -> Duration {
        Duration::seconds(self.seconds().into())
    }
}

/// What some samples come to. Every number is finite, and `min <= mean, median <= max`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Aggregate {
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
    /// The arithmetic mean.
    pub mean: f64,
    /// The one in the middle; of an even number the mean of the two there.
    pub median: f64,
    /// The standard deviation of all of them (not of a sample of more).
    pub stddev: f64,
    /// How many.
    pub count: usize,
    /// When the oldest was taken: a node that runs for an hour has no whole day.
    pub since: OffsetDateTime,
}

impl Aggregate {
    /// Of these; `None` where there is none.
    #[must_use]
    pub fn of(samples: impl IntoIterator<Item = Sample>) -> Option<Self> {
        let (mut since, mut values) = (None::<OffsetDateTime>, Vec::new());
        for Sample { at, value } in samples {
            since = Some(since.map_or(at, |since| since.min(at)));
            values.push(value.get());
        }
        values.sort_unstable_by(f64::total_cmp);
        let (&min, &max) = (values.first()?, values.last()?);
        let count = values.len();
        // Rounding may carry a mean past the values it is of.
        let mean = (values.iter().sum::<f64>() / number(count)).clamp(min, max);
        let upper = values[count / 2];
        let median = if count % 2 == 1 { upper } else { f64::midpoint(values[count / 2 - 1], upper).clamp(min, max) };
        let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
        Some(Self { min, max, mean, median, stddev: (squares / number(count)).sqrt(), count, since: since? })
    }
}
