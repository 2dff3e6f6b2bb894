//! The mood of a text by a list of words: whole numbers, no order that changes, the same answer for the same text for ever.

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

use rust_decimal::Decimal;

use super::{
    Score,
    outline::Outline,
    score::places,
    tokens::{Token, Tokens},
    words,
};

/// The list of words and the way it is read.
pub const LEXICON_VERSION: &str = "lexicon-1";
/// Characters of a text that are read.
pub const MAX_CHARS: usize = 10_000;
/// Keywords that are told.
pub const MAX_KEYWORDS: usize = 20;

/// What a word of the list is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sense {
    /// Prices and amounts move: it counts where a market is named, and for the opposite of what is a burden.
    Move,
    /// Something is good or bad by itself.
    Event,
    /// Bad, or a cost: good when it falls, bad when it rises.
    Burden,
}

/// What a text says by the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The mood.
    pub score: Score,
    /// 0 where no word of the list was found, towards 1 the more of them agree.
    pub confidence: Decimal,
    /// The words and phrases that counted, as they were found, each once; at most [`MAX_KEYWORDS`].
    pub keywords: Vec<String>,
}

impl Reading {
    /// Whether any word of the list was found.
    #[must_use]
    pub fn says_something(&self) -> bool {
        !self.keywords.is_empty()
    }
}

/// A text's mood. Reads the first [`MAX_CHARS`] characters.
#[must_use]
pub fn read(text: &str) -> Reading {
    let tokens = Tokens::of(text, MAX_CHARS);
    let about_markets = tokens.list.iter().any(|token| is_topic(&token.word));
    let mut units = find(&tokens.list);
    units.retain(|unit| about_markets || unit.sense != Sense::Move);
    let weighed = weigh(&tokens, &units);
    let sum: i64 = weighed.iter().sum();
    let all: i64 = weighed.iter().map(|weight| weight.abs()).sum();
    let count = weighed.iter().filter(|weight| **weight != 0).count();
    let mut keywords = Vec::new();
    for (unit, _) in units.iter().zip(&weighed).filter(|(_, weight)| **weight != 0) {
        let words: Vec<_> = tokens.list[unit.from..unit.to].iter().map(|token| token.word.as_str()).collect();
        let keyword = words.join(" ");
        if keywords.len() < MAX_KEYWORDS && !keywords.contains(&keyword) {
            keywords.push(keyword);
        }
    }
    Reading { score: ratio(sum, sum.abs() + FLATTENING), confidence: confidence(sum, all, count), keywords }
}

/// The sum at which a text is half as good as can be: four points.
const FLATTENING: i64 = 400;

fn ratio(part: i64, whole: i64) -> Score {
    Score::new(Decimal::from(part).checked_div(Decimal::from(whole)).unwrap_or_default())
}

fn confidence(sum: i64, all: i64, count: usize) -> Decimal {
    let count = Decimal::from(count);
    let agreement = Decimal::from(sum.abs()).checked_div(Decimal::from(all)).unwrap_or_default();
    places(agreement * count / (count + Decimal::ONE))
}

/// Something of the list, at its place in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Unit {
    from: usize,
    to: usize,
    sense: Sense,
    /// Hundredths.
    weight: i64,
}

/// Its words, and what they say together.
type Phrase = (Vec<&'static str>, Sense, i32);

struct Lexicon {
    words: HashMap<&'static str, (Sense, i32)>,
    /// By their first word, the longest first.
    phrases: HashMap<&'static str, Vec<Phrase>>,
}

static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| {
    let mut words = HashMap::new();
    for (sense, weight, list) in words::WORDS {
        words.extend(list.split(' ').map(|word| (word, (*sense, *weight))));
    }
    let mut phrases: HashMap<_, Vec<Phrase>> = HashMap::new();
    for (sense, weight, list) in words::PHRASES {
        for phrase in list.split(", ") {
            let parts: Vec<_> = phrase.split(' ').collect();
            if let Some(first) = parts.first().copied() {
                phrases.entry(first).or_default().push((parts, *sense, *weight));
            }
        }
    }
    for of_one_word in phrases.values_mut() {
        of_one_word.sort_by_key(|(parts, ..)| std::cmp::Reverse(parts.len()));
    }
    Lexicon { words, phrases }
});

impl Lexicon {
    fn word(&self, word: &str) -> Option<(Sense, i32)> {
        roots(word).find_map(|root| self.words.get(root.as_str()).copied())
    }
}

fn is_topic(word: &str) -> bool {
    words::TOPICS.contains(word) || word.strip_suffix('s').is_some_and(|one| words::TOPICS.contains(one))
}

/// A word, and what it may be a form of.
fn roots(word: &str) -> impl Iterator<Item = String> {
    let of = |ending: &str, instead: &str| {
        word.strip_suffix(ending).filter(|stem| stem.len() > 1).map(|stem| format!("{stem}{instead}"))
    };
    let undoubled = |ending: &str| {
        let stem = word.strip_suffix(ending)?;
        let last = stem.chars().next_back()?;
        let once = &stem[..stem.len() - last.len_utf8()];
        once.ends_with(last).then(|| once.to_owned())
    };
    [
        Some(word.to_owned()),
        of("s", ""),
        of("es", ""),
        of("ies", "y"),
        of("ed", ""),
        of("d", ""),
        of("ied", "y"),
        of("ing", ""),
        of("ing", "e"),
        undoubled("ed"),
        undoubled("ing"),
    ]
    .into_iter()
    .flatten()
}

/// What of the list is in the text.
fn find(tokens: &[Token]) -> Vec<Unit> {
    let mut units = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let phrase = LEXICON.phrases.get(token.word.as_str()).into_iter().flatten().find(|(parts, ..)| {
            let here = tokens[at..].iter().take_while(|next| next.clause == token.clause).map(|next| next.word.as_str());
            here.take(parts.len()).eq(parts.iter().copied())
        });
        let found = match phrase {
            Some((parts, sense, weight)) => Some((parts.len(), *sense, *weight)),
            None => LEXICON.word(&token.word).map(|(sense, weight)| (1, sense, weight)),
        };
        let length = found.map_or(1, |(length, ..)| length);
        units.extend(found.map(|(_, sense, weight)| Unit { from: at, to: at + length, sense, weight: i64::from(weight) * 100 }));
        at += length;
    }
    units
}

/// Words before a unit that may negate it, and between a burden and what it does.
const REACH: usize = 4;
/// Words after a unit that may end it.
const NEAR: usize = 3;

/// What each unit counts where it stands.
fn weigh(text: &Tokens, units: &[Unit]) -> Vec<i64> {
    let place = Place { text, units, outline: Outline::of(text) };
    (0..units.len()).map(|n| place.weight(n)).collect()
}

struct Place<'a> {
    text: &'a Tokens,
    units: &'a [Unit],
    outline: Outline,
}

impl Place<'_> {
    fn weight(&self, n: usize) -> i64 {
        let unit = self.units[n];
        if self.only_boosts(n) || self.ends_another(n) {
            return 0;
        }
        let mut weight = self.with_burden(n);
        weight = self.amplified(unit, weight);
        let before = self.before(unit, REACH);
        if before.iter().any(|token| is_negator(&token.word)) || self.is_negated_later(unit) || self.is_spoiled(unit) {
            weight = -weight * 3 / 4;
        }
        if self.after(unit, NEAR).iter().any(|token| is(&words::ENDERS, token)) {
            weight = -weight * 3 / 4;
        }
        if self.before(unit, NEAR).iter().any(|token| is(&words::ADVERSARIES, token)) {
            weight = -weight;
        }
        self.in_sentence(unit, weight)
    }

    /// The tokens of the same clause before `unit`, at most `reach`.
    fn before(&self, unit: Unit, reach: usize) -> &[Token] {
        let tokens = &self.text.list;
        let clause = tokens[unit.from].clause;
        let first = (unit.from.saturating_sub(reach)..unit.from).find(|at| tokens[*at].clause == clause).unwrap_or(unit.from);
        let turn = (first..unit.from).rev().find(|at| is(&words::TURNS, &tokens[*at]));
        &tokens[turn.map_or(first, |at| at + 1)..unit.from]
    }

    /// The tokens of the same clause after `unit`, at most `reach`.
    fn after(&self, unit: Unit, reach: usize) -> &[Token] {
        let tokens = &self.text.list;
        let clause = tokens[unit.from].clause;
        let end = tokens.len().min(unit.to + reach);
        let last = (unit.to..end).find(|at| tokens[*at].clause != clause || is(&words::TURNS, &tokens[*at])).unwrap_or(end);
        &tokens[unit.to..last]
    }

    /// It is said of it that it is not, or lacks something: the crash is not coming.
    fn is_negated_later(&self, unit: Unit) -> bool {
        self.after(unit, 2).iter().any(|token| is(&words::LATE_NEGATORS, token) || token.word.ends_with("n't"))
    }

    fn is_spoiled(&self, unit: Unit) -> bool {
        unit.weight > 0 && self.before(unit, 1).iter().any(|token| is(&words::SPOILERS, token))
    }

    fn clause(&self, unit: Unit) -> usize {
        self.text.list[unit.from].clause
    }

    /// Record losses are no record: the word only strengthens the next one.
    fn only_boosts(&self, n: usize) -> bool {
        let unit = self.units[n];
        let alone = unit.to == unit.from + 1 && is(&words::BOOSTERS, &self.text.list[unit.from]);
        alone && self.units.get(n + 1).is_some_and(|next| next.from <= unit.to + 1 && self.clause(*next) == self.clause(unit))
    }

    /// A hope that fades is a hope turned round, and nothing more.
    fn ends_another(&self, n: usize) -> bool {
        let unit = self.units[n];
        let ender = unit.to == unit.from + 1 && is(&words::ENDERS, &self.text.list[unit.from]);
        let negator = unit.to == unit.from + 1 && is_negator(&self.text.list[unit.from].word);
        let before = n.checked_sub(1).and_then(|m| self.units.get(m));
        let after = self.units.get(n + 1);
        let same = |other: &&Unit| self.clause(**other) == self.clause(unit) && other.weight != 0;
        ender && self.burden_of(n).is_none() && before.filter(same).is_some_and(|other| unit.from < other.to + NEAR)
            || negator && after.filter(same).is_some_and(|other| other.from < unit.to + REACH)
    }

    /// The burden that does what `n` says, if one does.
    fn burden_of(&self, n: usize) -> Option<usize> {
        let unit = self.units[n];
        let same = |m: &usize| self.units[*m].sense == Sense::Burden && self.clause(self.units[*m]) == self.clause(unit);
        let before = n.checked_sub(1).filter(same).filter(|m| unit.from < self.units[*m].to + REACH);
        let after = Some(n + 1).filter(|m| *m < self.units.len()).filter(same).filter(|m| self.units[*m].from == unit.to);
        (unit.sense == Sense::Move).then(|| before.or(after)).flatten()
    }

    /// What rises with a burden is bad, and a burden that falls is none.
    fn with_burden(&self, n: usize) -> i64 {
        let unit = self.units[n];
        if self.burden_of(n).is_some() {
            return -unit.weight;
        }
        if unit.sense == Sense::Burden && self.is_lifted(n) { 0 } else { unit.weight }
    }

    /// Whether the burden `n`, or the one that it is a part of (fraud losses), falls.
    fn is_lifted(&self, n: usize) -> bool {
        let falls = |of: usize| {
            let lifts = |m: usize| self.burden_of(m) == Some(of) && self.units[m].weight < 0;
            let neighbours = [of.checked_sub(1), Some(of + 1).filter(|m| *m < self.units.len())];
            neighbours.into_iter().flatten().any(lifts)
        };
        let whole = self.units.get(n + 1).filter(|next| next.sense == Sense::Burden && next.from == self.units[n].to);
        falls(n) || whole.is_some_and(|_| falls(n + 1))
    }

    fn amplified(&self, unit: Unit, weight: i64) -> i64 {
        let beside = || self.before(unit, 2).iter().chain(self.after(unit, 1));
        let own = &self.text.list[unit.from];
        if beside().any(|token| is(&words::DAMPERS, token)) || is(&words::DAMPERS, own) {
            weight / 2
        } else if beside().any(|token| is(&words::BOOSTERS, token)) {
            weight * 3 / 2
        } else {
            weight
        }
    }

    /// What the rest of the sentence makes of it.
    fn in_sentence(&self, unit: Unit, weight: i64) -> i64 {
        let token = &self.text.list[unit.from];
        let sentence = self.outline.sentence(token);
        if sentence.asks || self.outline.is_granted(token, unit.from) {
            return weight / if sentence.asks { 20 } else { 4 };
        }
        // A turn as the first word turns nothing of this sentence.
        if sentence.first_turn.is_some_and(|turn| turn < unit.from) {
            weight * 3 / 2
        } else if sentence.first_turn.is_some() {
            weight / 2
        } else {
            weight
        }
    }
}

pub(super) fn is(list: &HashSet<&str>, token: &Token) -> bool {
    list.contains(token.word.as_str())
}

fn is_negator(word: &str) -> bool {
    words::NEGATORS.contains(word) || word.ends_with("n't")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn score(text: &str) -> Decimal {
        read(text).score.value()
    }

    #[test]
    fn no_word_stands_twice_in_the_list_and_each_is_as_texts_are_read() {
        let mut seen = HashSet::new();
        for (_, weight, list) in words::WORDS {
            assert!((-4..=4).contains(weight));
            for word in list.split(' ') {
                assert!(seen.insert(word), "{word} stands twice");
                assert!(!word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase()), "{word}");
            }
        }
        for phrase in words::PHRASES.iter().flat_map(|(.., list)| list.split(", ")) {
            assert!(seen.insert(phrase), "{phrase} stands twice");
            let read: Vec<_> = Tokens::of(phrase, 100).list.into_iter().map(|token| token.word).collect();
            assert_eq!(read, phrase.split(' ').collect::<Vec<_>>());
        }
    }

    #[test]
    fn what_is_negated_ends_or_is_lacking_is_turned_round() {
        for (good, bad) in [
            ("Bitcoin rallies", "Bitcoin does not rally"),
            ("Bitcoin recovers", "Bitcoin fails to recover"),
            ("Bitcoin is strong", "Bitcoin is no longer strong"),
            ("Hopes rise", "Hopes fade"),
            ("Strong demand for coins", "Weak demand for coins"),
            ("There isn\u{2019}t a crash in bitcoin", "There is a crash in bitcoin"),
            ("Fears of a ban ease", "Fears of a ban"),
            ("Crypto fraud losses fall", "Crypto fraud losses rise"),
            ("The rally is here, traders say", "The rally isn't sustainable, traders say"),
        ] {
            assert!(score(good) > Decimal::ZERO, "{good}: {}", score(good));
            assert!(score(bad) < Decimal::ZERO, "{bad}: {}", score(bad));
        }
    }

    #[test]
    fn words_of_degree_make_it_more_or_less() {
        let (slightly, plain, sharply) =
            (score("Bitcoin rises slightly"), score("Bitcoin rises"), score("Bitcoin rises sharply"));
        assert!(Decimal::ZERO < slightly && slightly < plain && plain < sharply, "{slightly} {plain} {sharply}");
        let (slightly, plain, sharply) = (score("Bitcoin slightly down"), score("Bitcoin down"), score("Bitcoin sharply down"));
        assert!(sharply < plain && plain < slightly && slightly < Decimal::ZERO, "{slightly} {plain} {sharply}");
    }

    #[test]
    fn what_comes_after_but_outweighs_what_came_before() {
        assert!(score("Bitcoin falls but ether rises") > Decimal::ZERO);
        assert!(score("Ether rises but bitcoin falls") < Decimal::ZERO);
        assert!(score("Despite the crash, bitcoin gains") > Decimal::ZERO);
        assert_eq!(score("Bitcoin gains, ether falls"), Decimal::ZERO);
    }

    #[test]
    fn words_that_belong_together_count_together() {
        for (text, keyword) in [
            ("Bitcoin hits ALL-TIME HIGH", "all time high"),
            ("A death cross for bitcoin", "death cross"),
            ("The bull run in crypto", "bull run"),
        ] {
            assert_eq!(read(text).keywords, [keyword]);
        }
        assert!(score("A death cross for bitcoin") < Decimal::ZERO && score("The bull run in crypto") > Decimal::ZERO);
    }

    #[test]
    fn movements_of_other_things_and_questions_say_nothing_of_the_market() {
        for text in [
            "Waves crash on the shore",
            "Sales of bread rise",
            "",
            "   ",
            "\u{1F680}",
            "What is a bear market?",
            "Will bitcoin crash?",
        ] {
            assert_eq!(read(text).score.mood(), super::super::Mood::Neutral, "{text}");
        }
        assert_eq!(
            (read("Sales of bread rise").confidence, read("Sales of bread rise").says_something()),
            (Decimal::ZERO, false)
        );
    }

    #[test]
    fn it_is_surer_the_more_words_agree() {
        let (one, two, torn) = (read("bitcoin gains"), read("bitcoin gains and rises"), read("bitcoin gains and falls"));
        assert!(two.confidence > one.confidence && torn.confidence < one.confidence, "{one:?} {two:?} {torn:?}");
        assert_eq!((one.confidence.to_string().as_str(), one.score.value().to_string().as_str()), ("0.5", "0.3333"));
    }

    #[test]
    fn the_longest_text_of_words_of_the_list_in_one_sentence_is_read_in_one_pass() {
        let text = "but up ".repeat(2_000);
        let reading = read(&text);
        assert_eq!((reading.score.value().is_sign_positive(), reading.keywords.len()), (true, 0), "no market is named");
        assert_eq!(read(&format!("bitcoin {text}")).keywords, ["up"]);
    }

    fn words_of(sense: Sense) -> impl Strategy<Value = &'static str> {
        let list = words::WORDS.iter().filter(move |(of, weight, _)| *of == sense && *weight != 0);
        prop::sample::select(list.flat_map(|(.., list)| list.split(' ')).collect::<Vec<_>>())
    }

    fn any_words() -> impl Strategy<Value = String> {
        let lists: [&words::Words; 7] = [
            &words::NEGATORS,
            &words::ENDERS,
            &words::BOOSTERS,
            &words::DAMPERS,
            &words::TURNS,
            &words::CONCESSIONS,
            &words::ASKING,
        ];
        let others = lists
            .into_iter()
            .flat_map(|list| list.iter().copied())
            .chain([",", ".", "?", "bitcoin", "all time high", "isn't", "shorts"])
            .collect::<Vec<_>>();
        let word =
            prop_oneof![words_of(Sense::Move), words_of(Sense::Event), words_of(Sense::Burden), prop::sample::select(others)];
        prop::collection::vec(word, 0..40).prop_map(|words| words.join(" "))
    }

    proptest! {
        #[test]
        fn any_text_has_a_score_in_range_and_always_the_same(text in prop_oneof![any_words(), "\\PC{0,300}", ".{0,100}"]) {
            let reading = read(&text);
            prop_assert!(reading.score.value().abs() <= Decimal::ONE);
            prop_assert!(reading.confidence >= Decimal::ZERO && reading.confidence < Decimal::ONE);
            prop_assert!(reading.keywords.len() <= MAX_KEYWORDS);
            prop_assert_eq!(&reading, &read(&text));
        }

        #[test]
        fn a_negation_turns_a_word_round_or_makes_it_less(word in prop_oneof![words_of(Sense::Move), words_of(Sense::Event)]) {
            let (plain, negated) = (score(&format!("bitcoin {word}")), score(&format!("bitcoin does not {word}")));
            prop_assert!(plain != Decimal::ZERO, "{}", word);
            prop_assert!(negated.is_zero() || negated.is_sign_positive() != plain.is_sign_positive(), "{} {} {}", word, plain, negated);
            prop_assert!(negated.abs() < plain.abs(), "{} {} {}", word, plain, negated);
        }

        #[test]
        fn case_does_not_matter(text in any_words()) {
            prop_assert_eq!(read(&text), read(&text.to_uppercase()));
        }
    }
}
