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
    let mut reader = Reader { chars: text.chars().take(LONGEST).collect(), at: 0, words: Vec::new(), first: true };
    while reader.words.len() < MOST && reader.step() {}
    reader.words
}

struct Reader {
    chars: Vec<char>,
    at: usize,
    words: Vec<Word>,
    first: bool,
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

    fn number(&mut self) {
        let dollar = self.before() == Some('$');
        let start = self.at;
        while self.peek(0).is_some_and(|c| c.is_ascii_digit())
            || (matches!(self.peek(0), Some('.' | ',')) && self.peek(1).is_some_and(|c| c.is_ascii_digit()))
        {
            self.at += 1;
        }
        let written: String = self.chars[start..self.at].iter().collect();
        let number = value(&written);
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
