//! From a text to its words. Bounded: whatever is sent, no more than its beginning is looked at.

use rust_decimal::Decimal;

/// Characters that are looked at.
const LONGEST: usize = 2_000;
/// Words that are looked at.
const MOST: usize = 200;
/// Digits of a number that are looked at; more are no amount anybody has.
const DIGITS: usize = 24;

/// One word, or one number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    /// As it was written.
    pub(crate) written: String,
    /// In lower case.
    pub(crate) plain: String,
    /// Its value, where it is a number.
    pub(crate) number: Option<Decimal>,
    /// A dollar sign stood before it.
    pub(crate) dollar: bool,
    /// Nothing stood between it and the word before: `h` in `24h`.
    pub(crate) glued: bool,
    /// It begins a sentence.
    pub(crate) first: bool,
}

impl Word {
    /// Every letter is a capital one, and there are two or more.
    pub(crate) fn is_upper(&self) -> bool {
        self.written.chars().nth(1).is_some() && self.has_letter() && !self.written.chars().any(char::is_lowercase)
    }

    /// It begins with a capital letter.
    pub(crate) fn is_capital(&self) -> bool {
        self.written.chars().next().is_some_and(char::is_uppercase)
    }

    fn has_letter(&self) -> bool {
        self.written.chars().any(char::is_alphabetic)
    }
}

/// The words of `text` in their order.
pub(crate) fn words(text: &str) -> Vec<Word> {
    let mut reader = Reader { chars: text.chars().take(LONGEST).collect(), at: 0, words: Vec::new(), first: true, minus: false };
    while reader.words.len() < MOST && reader.step() {}
    reader.words
}

struct Reader {
    chars: Vec<char>,
    at: usize,
    words: Vec<Word>,
    first: bool,
    /// A minus stood before what comes.
    minus: bool,
}

impl Reader {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn before(&self) -> Option<char> {
        self.at.checked_sub(1).and_then(|at| self.chars.get(at).copied())
    }

    fn starts_number(&self, ahead: usize) -> bool {
        let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
        digit(self.peek(ahead)) || (self.peek(ahead) == Some('.') && digit(self.peek(ahead + 1)))
    }

    /// Takes one word or passes over one character; `false` at the end.
    fn step(&mut self) -> bool {
        let Some(c) = self.peek(0) else { return false };
        if self.starts_number(0) {
            self.number();
        } else if c.is_alphanumeric() {
            self.word();
        } else {
            match c {
                '%' => self.sign("percent"),
                '$' if self.before().is_some_and(|c| c.is_ascii_digit()) => self.sign("usd"),
                '€' => self.sign("eur"),
                '£' => self.sign("gbp"),
                '¥' => self.sign("jpy"),
                '/' => self.sign("/"),
                '-' | '−' => self.minus = self.is_minus(),
                '.' | '!' | '?' | '\n' => self.first = true,
                _ => {}
            }
            self.at += 1;
        }
        true
    }

    fn sign(&mut self, plain: &str) {
        self.push(plain.to_owned(), None, false, false);
    }

    fn push(&mut self, written: String, number: Option<Decimal>, dollar: bool, glued: bool) {
        let plain = written.to_lowercase();
        self.words.push(Word { written, plain, number, dollar, glued, first: std::mem::take(&mut self.first) });
    }

    fn word(&mut self) {
        let (dollar, glued) = (self.before() == Some('$'), self.before().is_some_and(|c| c.is_ascii_digit()));
        let start = self.at;
        while self.peek(0).is_some_and(|c| c.is_alphanumeric() || c == '_') {
            self.at += 1;
        }
        self.push(self.chars[start..self.at].iter().collect(), None, dollar, glued);
    }

    /// Whether the dash here belongs to the number after it: `-5`, `-$5`, and not `24h-5`.
    fn is_minus(&self) -> bool {
        let free = self.before().is_none_or(|c| c.is_whitespace() || matches!(c, '(' | '$' | '='));
        free && (self.starts_number(1) || (self.peek(1) == Some('$') && self.starts_number(2)))
    }

    /// Digits of a date at `at`, with what parts them: `2024-01-31`, `31/1/2024`.
    fn date(&self) -> Option<usize> {
        let digits =
            |from: usize| (from..from + 5).take_while(|at| self.chars.get(*at).is_some_and(char::is_ascii_digit)).count();
        let first = digits(self.at);
        let part = *self.chars.get(self.at + first).filter(|c| matches!(c, '-' | '/' | '.'))?;
        let second = digits(self.at + first + 1);
        let third_at = self.at + first + 1 + second + 1;
        let is_parted = self.chars.get(third_at - 1) == Some(&part);
        let third = digits(third_at);
        let is_date = matches!((first, second, third), (4, 1..=2, 1..=2)) && part != '.'
            || matches!((first, second, third), (1..=2, 1..=2, 4));
        let ends = !matches!(self.chars.get(third_at + third), Some('-' | '/'));
        (is_parted && is_date && ends).then_some(third_at + third)
    }

    /// `e9` of `1e9`: where it ends.
    fn exponent(&self) -> Option<usize> {
        self.peek(0).filter(|c| matches!(c, 'e' | 'E'))?;
        let sign = usize::from(matches!(self.peek(1), Some('+' | '-')));
        let start = self.at + 1 + sign;
        let digits = self.chars[start.min(self.chars.len())..].iter().take_while(|c| c.is_ascii_digit()).count();
        let ends = self.chars.get(start + digits).is_none_or(|c| !c.is_alphanumeric());
        (digits > 0 && ends).then_some(start + digits)
    }

    fn number(&mut self) {
        let minus = std::mem::take(&mut self.minus);
        // `$5`, and the minus of `$-5`.
        let sign = self.at.checked_sub(1 + usize::from(minus)).and_then(|at| self.chars.get(at));
        let dollar = self.before() == Some('$') || sign == Some(&'$');
        let start = self.at;
        if let Some(end) = self.date() {
            self.at = end;
            self.push(self.chars[start..end].iter().collect(), None, false, false);
            return;
        }
        while self.peek(0).is_some_and(|c| c.is_ascii_digit())
            || (matches!(self.peek(0), Some('.' | ',')) && self.peek(1).is_some_and(|c| c.is_ascii_digit()))
        {
            self.at += 1;
        }
        let mut written: String = self.chars[start..self.at].iter().collect();
        let mut number = value(&written);
        if let Some(end) = self.exponent() {
            written.extend(&self.chars[self.at..end]);
            number = Decimal::from_scientific(&written).ok().filter(|_| written.len() <= DIGITS);
            self.at = end;
        }
        if minus {
            number = number.map(|number| -number);
        }
        self.push(written, number, dollar, false);
    }
}

/// `1,000.5`, `2.5` and `2,5`; `None` for what is none of them or longer than an amount.
pub(crate) fn value(written: &str) -> Option<Decimal> {
    if written.chars().filter(char::is_ascii_digit).count() > DIGITS {
        return None;
    }
    let groups: Vec<&str> = written.split(',').collect();
    let thousands = groups.iter().enumerate().skip(1).all(|(place, group)| {
        let whole = if place + 1 == groups.len() { group.split('.').next().unwrap_or_default() } else { group };
        whole.len() == 3
    });
    let text = match groups.len() {
        1 => written.to_owned(),
        _ if thousands => written.replace(',', ""),
        2 if !written.contains('.') => written.replace(',', "."),
        _ => return None,
    };
    text.parse::<Decimal>().ok().map(|number| number.normalize())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plain(text: &str) -> Vec<String> {
        words(text).into_iter().map(|word| word.plain).collect()
    }

    #[test]
    fn words_numbers_and_signs_are_told_apart() {
        assert_eq!(plain("What's $BTC/USD at? 2.5ETH"), ["what", "s", "btc", "/", "usd", "at", "2.5", "eth"]);
        assert_eq!(plain("up 5% in 24h for 100$"), ["up", "5", "percent", "in", "24", "h", "for", "100", "usd"]);
        assert_eq!(plain("on 2024-01-31, 31/1/2024: 1e9 -5"), ["on", "2024-01-31", "31/1/2024", "1e9", "5"]);
        let values: Vec<_> =
            words("1e9 -5 24h-5 1e99 2.5").into_iter().filter_map(|word| word.number).map(|n| n.to_string()).collect();
        assert_eq!(values, ["1000000000", "-5", "24", "5", "2.5"]);
        let tagged: Vec<_> = words("$btc btc").into_iter().map(|word| word.dollar).collect();
        assert_eq!(tagged, [true, false]);
    }

    #[test]
    fn numbers_are_read_as_people_write_them() {
        for (written, expected) in
            [("1,000.50", "1000.5"), ("1,000,000", "1000000"), ("2.5", "2.5"), ("2,5", "2.5"), (".5", "0.5"), ("007", "7")]
        {
            assert_eq!(value(written).map(|number| number.to_string()).as_deref(), Some(expected), "{written}");
        }
        for written in ["1.2.3", "1,2,3", "1,00,000.1", "9999999999999999999999999999"] {
            assert_eq!(value(written), None, "{written}");
        }
    }

    #[test]
    fn no_more_than_its_beginning_is_looked_at() {
        assert_eq!(words(&"a ".repeat(5_000)).len(), MOST);
        assert_eq!(words(&"a".repeat(1_000_000))[0].written.len(), LONGEST);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,300}|[\u{0}-\u{10ffff}]{0,100}|[0-9.,$%a-z ]{0,80}") {
            let read = words(&text);
            prop_assert!(read.len() <= MOST);
            prop_assert!(read.iter().all(|word| !word.written.is_empty()));
        }
    }
}
