//! Moments and days of the past (or to come) that a text names.

use rust_decimal::prelude::ToPrimitive as _;
use time::{Date, Duration, Month, OffsetDateTime, Time};

use super::{
    numbers::{is_grouped_by_points, whole},
    times::unit,
    words::Word,
};

/// Years that are meant as years.
const YEARS: std::ops::RangeInclusive<i32> = 2009..=2100;
/// The longest time ago that is looked up.
const LONGEST: Duration = Duration::days(36_500);

/// A time that does not end now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// So long before now.
    Ago(Duration),
    /// A day so many days before today.
    DaysBack(u8),
    /// A day.
    On(Date),
    /// A month and a day of it, of the last year that had it; the whole month without a day.
    Last(Month, Option<u8>),
    /// A month.
    In(i32, Month),
    /// A year.
    Year(i32),
    /// Some time, but which one cannot be told.
    Unclear,
}

impl Moment {
    /// From when until when it is, in UTC: a stretch for days and longer, no stretch at all for a moment. `None` for what cannot be told.
    #[must_use]
    pub fn span(self, now: OffsetDateTime) -> Option<(OffsetDateTime, OffsetDateTime)> {
        let today = now.to_offset(time::UtcOffset::UTC).date();
        let month = |year: i32, month: Month| {
            let first = Date::from_calendar_date(year, month, 1).ok()?;
            Some((first, first.checked_add(Duration::days(month.length(year).into()))?))
        };
        let (from, to) = match self {
            Self::Ago(length) => {
                let at = now.checked_sub(length)?;
                return Some((at, at));
            }
            Self::DaysBack(days) => {
                let day = today.checked_sub(Duration::days(days.into()))?;
                (day, day.next_day()?)
            }
            Self::On(day) => (day, day.next_day()?),
            Self::Last(name, day) => {
                let of = |year: i32| match day {
                    Some(day) => Date::from_calendar_date(year, name, day).ok().and_then(|from| Some((from, from.next_day()?))),
                    None => month(year, name),
                };
                (0..=4).filter_map(|back| of(today.year() - back)).find(|(from, _)| *from <= today)?
            }
            Self::In(year, name) => month(year, name)?,
            Self::Year(year) => (Date::from_ordinal_date(year, 1).ok()?, Date::from_ordinal_date(year + 1, 1).ok()?),
            Self::Unclear => return None,
        };
        Some((from.with_time(Time::MIDNIGHT).assume_utc(), to.with_time(Time::MIDNIGHT).assume_utc()))
    }

    /// For people: `2024-01-31`, `January 2024`, `2024`; of a moment its minute.
    #[must_use]
    pub fn name(self, now: OffsetDateTime) -> String {
        let Some((from, to)) = self.span(now) else { return "then".to_owned() };
        match self {
            Self::Ago(_) => format!("{} {:02}:{:02} UTC", from.date(), from.hour(), from.minute()),
            Self::Year(year) => year.to_string(),
            _ if to - from > Duration::DAY => format!("{} {}", from.month(), from.year()),
            _ => from.date().to_string(),
        }
    }
}

/// The first such time that `words` name.
pub(super) fn moment(words: &[Word]) -> Option<Moment> {
    (0..words.len()).find_map(|at| {
        let plain = |at: Option<usize>| at.and_then(|at| words.get(at)).map_or("", |word| word.plain.as_str());
        let (before, word, next) = (plain(at.checked_sub(1)), words[at].plain.as_str(), plain(Some(at + 1)));
        match word {
            "ago" => return Some(ago(&words[..at])),
            "yesterday" if before == "before" => return Some(Moment::DaysBack(2)),
            "yesterday" => return Some(Moment::DaysBack(1)),
            "monday" | "tuesday" | "wednesday" | "thursday" | "friday" | "saturday" | "sunday" | "christmas" | "easter"
            | "halloween" => return Some(Moment::Unclear),
            "night" if before == "last" => return Some(Moment::Unclear),
            "morning" | "afternoon" | "evening" if before == "this" => return Some(Moment::Unclear),
            _ => {}
        }
        if words[at].number.is_none() && word.starts_with(|c: char| c.is_ascii_digit()) && !is_grouped_by_points(word) {
            return date(word);
        }
        if let Some(month) = month(word) {
            return named_month(words, at, month);
        }
        let is_in =
            matches!(before, "in" | "of" | "during" | "since" | "year" | "for" | "by" | "until" | "from" | "back" | "end");
        let is_amount = matches!(next, "usd" | "dollars" | "percent" | "k");
        year_of(&words[at]).filter(|_| is_in && !is_amount).map(Moment::Year)
    })
}

fn year_of(word: &Word) -> Option<i32> {
    let year = word.number.filter(|_| !word.dollar && word.written.len() == 4)?.to_i32()?;
    YEARS.contains(&year).then_some(year)
}

/// `3 days` of `3 days ago`.
fn ago(words: &[Word]) -> Moment {
    let length = || {
        let (last, many) = (words.last()?, words.get(words.len().checked_sub(2)?)?);
        let many = match many.plain.as_str() {
            "a" | "an" => 1,
            _ => whole(many)?,
        };
        unit(&last.plain)?.checked_mul(many).filter(|length| *length <= LONGEST)
    };
    length().map_or(Moment::Unclear, Moment::Ago)
}

/// `2024-01-31`, `31/1/2024`, `1/31/2024`, `31.1.2024`. `1/2/2024` is one day here and another there.
fn date(written: &str) -> Option<Moment> {
    let parts: Vec<i32> = written.split(['-', '/', '.']).map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let &[first, second, third] = parts.as_slice() else { return None };
    let (year, month, day) = match () {
        () if first > 999 => (first, second, third),
        () if written.contains('.') || first > 12 || first == second => (third, second, first),
        () if second > 12 => (third, first, second),
        () => return Some(Moment::Unclear),
    };
    let month = u8::try_from(month).ok().and_then(|month| Month::try_from(month).ok());
    let day = month.zip(u8::try_from(day).ok()).and_then(|(month, day)| Date::from_calendar_date(year, month, day).ok());
    Some(day.map_or(Moment::Unclear, Moment::On))
}

fn month(word: &str) -> Option<Month> {
    Some(match word {
        "january" | "jan" => Month::January,
        "february" | "feb" => Month::February,
        "march" | "mar" => Month::March,
        "april" | "apr" => Month::April,
        "may" => Month::May,
        "june" | "jun" => Month::June,
        "july" | "jul" => Month::July,
        "august" | "aug" => Month::August,
        "september" | "sep" | "sept" => Month::September,
        "october" | "oct" => Month::October,
        "november" | "nov" => Month::November,
        "december" | "dec" => Month::December,
        _ => return None,
    })
}

/// The month at `at` with the day and the year around it; `None` for a "may" or "march" that is none.
fn named_month(words: &[Word], at: usize, month: Month) -> Option<Moment> {
    let small = |word: &Word| word.number.filter(|_| !word.dollar)?.to_u8().filter(|day| (1..=31).contains(day));
    let is_joint = |word: &&Word| matches!(word.plain.as_str(), "st" | "nd" | "rd" | "th" | "of" | "the");
    let after = words[at + 1..].iter().find(|word| !is_joint(word));
    let before = words[..at].iter().rev().find(|word| !is_joint(word));
    let day = after.and_then(small).or_else(|| before.and_then(small));
    let year = words[at + 1..].iter().take(3).find_map(year_of);
    let led = before.is_some_and(|word| matches!(word.plain.as_str(), "in" | "since" | "last" | "during" | "on" | "from"));
    let ahead = before.is_some_and(|word| matches!(word.plain.as_str(), "by" | "until" | "next" | "before"));
    match (year, day) {
        (Some(year), Some(day)) => Some(Date::from_calendar_date(year, month, day).map_or(Moment::Unclear, Moment::On)),
        (Some(year), None) => Some(Moment::In(year, month)),
        (None, _) if ahead => Some(Moment::Unclear),
        (None, Some(_)) => Some(Moment::Last(month, day)),
        (None, None) => led.then_some(Moment::Last(month, None)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::datetime;

    use super::{super::words::words, *};

    const NOW: OffsetDateTime = datetime!(2026-03-04 12:30 UTC);

    #[test]
    fn moments_are_read_in_the_ways_people_write_them() {
        for (text, expected) in [
            ("yesterday", Some("2026-03-03")),
            ("the day before yesterday", Some("2026-03-02")),
            ("1 hour ago", Some("2026-03-04 11:30 UTC")),
            ("24h ago", Some("2026-03-03 12:30 UTC")),
            ("two weeks ago", Some("2026-02-18 12:30 UTC")),
            ("a day ago", Some("2026-03-03 12:30 UTC")),
            ("a few days ago", Some("then")),
            ("999999999 years ago", Some("then")),
            ("on 2024-01-31", Some("2024-01-31")),
            ("31/1/2024", Some("2024-01-31")),
            ("1/31/2024", Some("2024-01-31")),
            ("2.1.2024", Some("2024-01-02")),
            ("1/2/2024", Some("then")),
            ("2024-02-30", Some("then")),
            ("January 31st, 2024", Some("2024-01-31")),
            ("31st of January 2024", Some("2024-01-31")),
            ("jan 31", Some("2026-01-31")),
            ("4 july", Some("2025-07-04")),
            ("in january 2024", Some("January 2024")),
            ("in june", Some("June 2025")),
            ("in 2021", Some("2021")),
            ("last friday", Some("then")),
            ("you may tell me", None),
            ("at 2024 usd", None),
            ("in 2024 usd", None),
            ("above 2024", None),
            ("today", None),
            ("1.5", None),
        ] {
            assert_eq!(moment(&words(text)).map(|moment| moment.name(NOW)).as_deref(), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(
            text in "((in|on|ago|last|yesterday|jan|feb|29|30|[0-9]{1,6}|st|of|year|years|days|[0-9]{1,4}[-/.][0-9]{1,4}[-/.][0-9]{1,4}) ?){0,8}",
        ) {
            if let Some(moment) = moment(&words(&text)) {
                let _ = moment.name(NOW);
                prop_assert!(moment.span(NOW).is_none_or(|(from, to)| from <= to));
            }
        }
    }
}
