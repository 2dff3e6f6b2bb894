//! Times that a text names.

use time::Duration;

use super::{numbers::whole, words::Word};

/// The longest time anybody is answered about.
const LONGEST: Duration = Duration::days(3_660);

/// A stretch of time that ends now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Period(Duration);

impl Period {
    /// What the ticker's own changes are over.
    pub const DAY: Self = Self(Duration::DAY);

    /// All the time that is looked at.
    pub const ALL: Self = Self(LONGEST);

    /// How long it is.
    #[must_use]
    pub const fn length(self) -> Duration {
        self.0
    }

    /// For people: `24 hours`, `7 days`.
    #[must_use]
    pub fn name(self) -> String {
        if self == Self::ALL {
            return "all the time I know of".to_owned();
        }
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
pub(super) fn unit(word: &str) -> Option<Duration> {
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
    if names_all_time(words) {
        return Some(Period::ALL);
    }
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
        let is_number = before.is_some_and(|before| before.number.is_some());
        // A lone "m" or "h" is no time.
        if !is_number && word.plain.chars().nth(2).is_none() {
            return None;
        }
        let many = before.and_then(whole).or((!is_number).then_some(1))?;
        length.checked_mul(many).filter(|length| *length <= LONGEST).map(Period)
    })
}

/// `all-time high`, `ATH`, `the highest ever`.
fn names_all_time(words: &[Word]) -> bool {
    let is = |at: usize, text: &[&str]| words.get(at).is_some_and(|word| text.contains(&word.plain.as_str()));
    (0..words.len()).any(|at| {
        is(at, &["ath", "atl"])
            || (is(at, &["all"]) && is(at + 1, &["time"]))
            || (is(at, &["record"]) && is(at + 1, &["high", "low"]))
            || (is(at, &["ever"])
                && words.iter().any(|word| matches!(word.plain.as_str(), "highest" | "lowest" | "high" | "low")))
    })
}

/// `in 3 months`, `in a week`, `2 years from now`: a time to come.
pub(super) fn is_ahead(words: &[Word]) -> bool {
    let is = |at: usize, text: &[&str]| words.get(at).is_some_and(|word| text.contains(&word.plain.as_str()));
    (1..words.len()).any(|at| {
        let named = unit(&words[at].plain).filter(|length| *length > Duration::DAY || words[at].plain.len() > 3);
        let counted = whole(&words[at - 1]).is_some() || is(at - 1, &["a", "an", "few", "some"]);
        let led = (at > 1 && is(at - 2, &["in"])) || (is(at + 1, &["from"]) && is(at + 2, &["now"]));
        named.is_some() && counted && led && !is(at + 1, &["ago"])
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
            ("the last two weeks", Some("14 days")),
            ("all-time high", Some("all the time I know of")),
            ("0 days", None),
            ("999999999999 years", None),
            ("i m here", None),
            ("now", None),
        ] {
            assert_eq!(period(&words(text)).map(Period::name).as_deref(), expected, "{text}");
        }
    }
}
