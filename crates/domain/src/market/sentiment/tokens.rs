//! Text in words and clauses.

/// The longest word; of a longer one this much counts.
const MAX_WORD: usize = 32;

/// One word of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    /// Lower case, with a plain apostrophe and without a possessive `'s`.
    pub(super) word: String,
    /// Counts the clauses of the text.
    pub(super) clause: usize,
    /// Counts its sentences.
    pub(super) sentence: usize,
}

/// A text's words.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    pub(super) list: Vec<Token>,
    /// Sentences that end with a question mark.
    pub(super) questions: Vec<usize>,
    word: String,
    length: usize,
    clause: usize,
    sentence: usize,
}

impl Tokens {
    /// Of the first `max_chars` characters.
    pub(super) fn of(text: &str, max_chars: usize) -> Self {
        let mut tokens = Self::default();
        let mut before = ' ';
        let mut chars = text.chars().take(max_chars).peekable();
        while let Some(c) = chars.next() {
            let after = chars.peek().copied().unwrap_or(' ');
            tokens.take(before, c, after);
            before = c;
        }
        tokens.end_word();
        tokens
    }

    fn take(&mut self, before: char, c: char, after: char) {
        match c {
            _ if c.is_alphanumeric() => self.add(c),
            '\'' | '\u{2019}' if before.is_alphanumeric() && after.is_alphanumeric() => self.add('\''),
            // A figure is one thing: 90,000 and 3.5.
            ',' | '.' if before.is_numeric() && after.is_numeric() => {}
            // A name with an abbreviation in it: Mt. Gox, U.S. shares.
            '.' if before.is_uppercase() => self.end_word(),
            ',' | ';' | ':' | '\u{2014}' | '\u{2013}' | '(' | ')' => self.end_clause(),
            '.' | '!' | '?' | '\n' | '\u{2026}' => {
                self.end_clause();
                if c == '?' {
                    self.questions.push(self.sentence);
                }
                self.sentence += 1;
            }
            _ => self.end_word(),
        }
    }

    fn add(&mut self, c: char) {
        if self.length < MAX_WORD {
            self.word.extend(c.to_lowercase());
        }
        self.length += 1;
    }

    fn end_clause(&mut self) {
        self.end_word();
        self.clause += 1;
    }

    fn end_word(&mut self) {
        self.length = 0;
        if self.word.is_empty() {
            return;
        }
        let word = std::mem::take(&mut self.word);
        let word = word.strip_suffix("'s").map_or_else(|| word.clone(), str::to_owned);
        self.list.push(Token { word, clause: self.clause, sentence: self.sentence });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words(text: &str) -> Vec<(String, usize)> {
        Tokens::of(text, 1_000).list.into_iter().map(|token| (token.word, token.clause)).collect()
    }

    fn plain(text: &str) -> Vec<String> {
        words(text).into_iter().map(|(word, _)| word).collect()
    }

    #[test]
    fn words_are_lower_case_and_hyphens_part_them() {
        assert_eq!(plain("Bitcoin's ALL-time high isn\u{2019}t 'near'"), ["bitcoin", "all", "time", "high", "isn't", "near"]);
        assert_eq!(plain("\u{130}stanbul \u{1F680}\u{1F680} \u{4ef7}\u{683c}"), ["i\u{307}stanbul", "\u{4ef7}\u{683c}"]);
    }

    #[test]
    fn a_figure_is_one_word_and_ends_no_clause() {
        assert_eq!(
            words("up 3.5% to $90,000, then down"),
            [
                ("up".to_owned(), 0),
                ("35".to_owned(), 0),
                ("to".to_owned(), 0),
                ("90000".to_owned(), 0),
                ("then".to_owned(), 1),
                ("down".to_owned(), 1)
            ]
        );
    }

    #[test]
    fn a_question_is_known_by_its_mark() {
        let tokens = Tokens::of("Up. Or down? Nobody knows", 1_000);
        assert_eq!(tokens.questions, [1]);
        assert_eq!(tokens.list.last().map(|token| token.sentence), Some(2));
    }

    proptest! {
        #[test]
        fn no_text_panics_and_no_word_is_empty_or_long(text in "\\PC{0,200}|[a-z'.,?! ]{0,200}") {
            for token in Tokens::of(&text, 150).list {
                prop_assert!(!token.word.is_empty());
                // A lower-case letter may take three characters.
                prop_assert!(token.word.chars().count() <= MAX_WORD * 3);
            }
        }

        #[test]
        fn nothing_beyond_the_bound_is_read(text in "[a-z ]{100,150}") {
            prop_assert_eq!(Tokens::of(&text, 100).list, Tokens::of(&text[..100], 1_000).list);
        }
    }
}
