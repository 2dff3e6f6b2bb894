//! Numbers as words and figures: `1.5`, `two`, `a million`, `5k`.

use rust_decimal::{Decimal, prelude::ToPrimitive as _};

use super::{times::is_unit, words::Word};

/// How much the word's own value is.
fn number_word(word: &str) -> Option<u32> {
    Some(match word {
        "zero" => 0,
        "one" => 1,
        "two" => 2,
        "three" => 3,
        "four" => 4,
        "five" => 5,
        "six" => 6,
        "seven" => 7,
        "eight" => 8,
        "nine" => 9,
        "ten" => 10,
        "eleven" => 11,
        "twelve" => 12,
        "fifteen" => 15,
        "twenty" => 20,
        "thirty" => 30,
        "fifty" => 50,
        "sixty" => 60,
        "ninety" => 90,
        _ => return None,
    })
}

/// A whole number above nothing, in figures or as a word.
pub(super) fn whole(word: &Word) -> Option<i32> {
    let many = match word.number {
        Some(number) if number.fract().is_zero() => number.to_i32()?,
        Some(_) => return None,
        None => i32::try_from(number_word(&word.plain)?).ok()?,
    };
    (many > 0).then_some(many)
}

/// What a word multiplies the number before it by.
fn times(word: &Word) -> Option<Decimal> {
    let times = match word.plain.as_str() {
        "k" if word.glued => 1_000_u64,
        "m" | "mm" if word.glued => 1_000_000,
        "b" | "bn" if word.glued => 1_000_000_000,
        "dozen" => 12,
        "hundred" => 100,
        "thousand" => 1_000,
        "million" => 1_000_000,
        "billion" => 1_000_000_000,
        "trillion" => 1_000_000_000_000,
        _ => return None,
    };
    Some(times.into())
}

/// `k` in `5k`, `million` in `2 million`, and where the words after it begin.
pub(super) fn multiple(words: &[Word], at: usize) -> (Decimal, usize) {
    words.get(at).and_then(times).map_or((Decimal::ONE, at), |times| (times, at + 1))
}

/// The number that ends right before `at`: `2.5`, `2 million`, `a hundred`, `half a`.
pub(super) fn amount_before(words: &[Word], at: usize) -> Option<Decimal> {
    let (mut scale, mut end) = (None::<Decimal>, at);
    while let Some(times) = end.checked_sub(1).and_then(|last| times(&words[last])) {
        scale = Some(scale.unwrap_or(Decimal::ONE).checked_mul(times)?);
        end -= 1;
    }
    let last = end.checked_sub(1).and_then(|last| words.get(last));
    let earlier = end.checked_sub(2).and_then(|last| words.get(last));
    let is_half = earlier.is_some_and(|word| word.plain == "half");
    let base = match last {
        Some(word) if word.number.is_some() => {
            let is_time = scale.is_none() && words.get(at).is_some_and(|word| is_unit(&word.plain));
            word.number.filter(|_| !is_time && !word.dollar)
        }
        Some(word) if word.plain == "half" => Some(Decimal::new(5, 1)),
        Some(word) if word.plain == "quarter" => Some(Decimal::new(25, 2)),
        Some(word) if matches!(word.plain.as_str(), "a" | "an") && is_half => Some(Decimal::new(5, 1)),
        Some(word) if matches!(word.plain.as_str(), "a" | "an") => scale.map(|_| Decimal::ONE),
        Some(word) => number_word(&word.plain).map(Decimal::from).or_else(|| scale.map(|_| Decimal::ONE)),
        None => scale.map(|_| Decimal::ONE),
    };
    base?.checked_mul(scale.unwrap_or(Decimal::ONE))
}

/// `2024-01-31`, `31/1/2024`, `31.1.2024`: a day, and no number.
fn is_date(word: &str) -> bool {
    word.contains(['-', '/']) || word.split('.').map(str::len).skip(2).eq([4])
}

/// `1.000.000`: thousands as some write them, which others cannot tell from a day.
pub(super) fn is_grouped_by_points(word: &str) -> bool {
    word.split('.').count() > 2 && word.split('.').skip(1).all(|group| group.len() == 3)
}

/// Whether figures stand right before `at` that are no number anybody has.
pub(super) fn is_unreadable_before(words: &[Word], at: usize) -> bool {
    let last = at.checked_sub(1).and_then(|last| words.get(last));
    last.is_some_and(|word| {
        word.number.is_none() && !is_date(&word.plain) && word.plain.starts_with(|c: char| c.is_ascii_digit() || c == '.')
    })
}
