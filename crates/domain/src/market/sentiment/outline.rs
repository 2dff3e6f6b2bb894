//! What the sentences of a text are like, found in one pass.

use super::{
    lexicon::is,
    tokens::{Token, Tokens},
    words,
};

/// One sentence.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sentence {
    /// It asks or explains.
    pub(super) asks: bool,
    /// Where it turns: `but`, `then`.
    pub(super) first_turn: Option<usize>,
    first: usize,
    last_clause: usize,
}

/// The sentences, and what is granted in the clauses.
pub(super) struct Outline {
    sentences: Vec<Sentence>,
    /// By clause: from which word on it is granted.
    granted: Vec<Option<usize>>,
}

impl Outline {
    pub(super) fn of(text: &Tokens) -> Self {
        let count = |of: fn(&Token) -> usize| text.list.last().map_or(0, |token| of(token) + 1);
        let mut outline = Self {
            sentences: vec![Sentence::default(); count(|token| token.sentence)],
            granted: vec![None; count(|token| token.clause)],
        };
        let mut before = None;
        for (at, token) in text.list.iter().enumerate() {
            outline.take(at, token, before != Some(token.sentence));
            before = Some(token.sentence);
        }
        for asked in &text.questions {
            if let Some(sentence) = outline.sentences.get_mut(*asked) {
                sentence.asks = true;
            }
        }
        outline.keep_what_stands_alone(text);
        outline
    }

    fn take(&mut self, at: usize, token: &Token, opens: bool) {
        let sentence = &mut self.sentences[token.sentence];
        if opens {
            sentence.first = at;
            sentence.asks = is(&words::ASKING, token);
        } else if is(&words::TURNS, token) {
            sentence.first_turn = sentence.first_turn.or(Some(at));
        }
        sentence.last_clause = token.clause;
        let grants = is(&words::CONCESSIONS, token) || opens && (token.word == "after" || token.word == "even");
        if grants {
            let granted = &mut self.granted[token.clause];
            *granted = granted.or(Some(at));
        }
    }

    /// A sentence of one clause that begins with a concession says nothing else: there it counts.
    fn keep_what_stands_alone(&mut self, text: &Tokens) {
        for sentence in &self.sentences {
            let alone = text.list.get(sentence.first).filter(|token| token.clause == sentence.last_clause);
            if let Some(granted) = alone.and_then(|token| self.granted.get_mut(token.clause))
                && *granted == Some(sentence.first)
            {
                *granted = None;
            }
        }
    }

    /// The sentence of `token`.
    pub(super) fn sentence(&self, token: &Token) -> Sentence {
        self.sentences.get(token.sentence).copied().unwrap_or_default()
    }

    /// Whether `token`, the word at `at`, is granted while something else is said.
    pub(super) fn is_granted(&self, token: &Token, at: usize) -> bool {
        self.granted.get(token.clause).copied().flatten().is_some_and(|from| from < at)
    }
}
