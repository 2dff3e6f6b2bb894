//! Times that a text names.

use rust_decimal::prelude::ToPrimitive as _;
use time::Duration;

use super::words::Word;

/// The longest time anybody is answered about.
const LONGEST: Duration = Duration::days(3_660);

/// A stretch of time that ends now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Period(Duration);

impl Period {
    /// What the ticker's own changes are over.
    pub const DAY: Self = Self(Duration::DAY);

    /// How long it is.
    #[must_use]
    pub const fn length(self) -> Duration {
        self.0
    }

    /// For people: `24 hours`, `7 days`.
    #[must_use]
    pub fn name(self) -> String {
        let (hours, days) = (self.0.whole_hours(), self.0.whole_days());
        match self.0.whole_minutes() {
            minutes if minutes < 60 => count(minutes, "minute"),
            _ if hours <= 24 || self.0 != Duration::days(days) => count(hours, "hour"),
            _ => count(days, "day"),
        }
    }
}

fn count(number: i64, unit: &str) -> String {
    if number == 1 { format!("1 {unit}") } else { format!("{number} {unit}s") }
}

/// How long a word's unit is.
fn unit(word: &str) -> Option<Duration> {
    Some(match word {
        "m" | "min" | "mins" | "minute" | "minutes" => Duration::MINUTE,
        "h" | "hr" | "hrs" | "hour" | "hours" => Duration::HOUR,
        "d" | "day" | "days" => Duration::DAY,
        "w" | "wk" | "week" | "weeks" => Duration::WEEK,
        "mo" | "month" | "months" => Duration::days(30),
        "y" | "yr" | "year" | "years" => Duration::days(365),
        _ => return None,
    })
}

/// Whether `word` after a number makes it a time, and no amount.
pub(super) fn is_unit(word: &str) -> bool {
    unit(word).is_some()
}

/// The first time that `words` name.
pub(super) fn period(words: &[Word]) -> Option<Period> {
    words.iter().enumerate().find_map(|(at, word)| {
        let before = at.checked_sub(1).and_then(|at| words.get(at));
        match word.plain.as_str() {
            "today" | "daily" | "tonight" => return Some(Period::DAY),
            "hourly" => return Some(Period(Duration::HOUR)),
            "weekly" => return Some(Period(Duration::WEEK)),
            "monthly" => return Some(Period(Duration::days(30))),
            "yesterday" => return Some(Period(Duration::days(2))),
            _ => {}
        }
        let length = unit(&word.plain)?;
        let many = before.and_then(|before| before.number);
        // A lone "m" or "h" is no time.
        if many.is_none() && word.plain.chars().nth(2).is_none() {
            return None;
        }
        let many = many.map_or(Some(1), |number| number.to_i32()).filter(|many| *many > 0)?;
        length.checked_mul(many).filter(|length| *length <= LONGEST).map(Period)
    })
}

#[cfg(test)]
mod tests {
    use super::{super::words::words, *};

    #[test]
    fn times_are_read_in_the_ways_people_write_them() {
        for (text, expected) in [
            ("over 24h", Some("24 hours")),
            ("today", Some("24 hours")),
            ("the last hour", Some("1 hour")),
            ("7 days", Some("7 days")),
            ("this week", Some("7 days")),
            ("1w", Some("7 days")),
            ("in 3 months", Some("90 days")),
            ("15 minutes", Some("15 minutes")),
            ("last year", Some("365 days")),
            ("yesterday", Some("2 days")),
            ("0 days", None),
            ("999999999999 years", None),
            ("i m here", None),
            ("now", None),
        ] {
            assert_eq!(period(&words(text)).map(Period::name).as_deref(), expected, "{text}");
        }
    }
}
