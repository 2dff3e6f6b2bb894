//! Which assets a text names.

use std::collections::HashMap;

use super::{
    names::{NAMES, is_ordinary},
    question::is_other_money,
    words::Word,
};
use crate::market::{Symbol, TickItem};

/// Words of one name that are looked at.
const LONGEST_NAME: usize = 4;
/// Assets of one question that are looked at.
const MOST: usize = 8;

/// An asset that was named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mention {
    pub(crate) symbol: Symbol,
    /// The place of its first word.
    pub(crate) at: usize,
    /// How many words it takes.
    pub(crate) words: usize,
}

/// What the assets of a list are called.
pub struct Directory {
    by_name: HashMap<String, Symbol>,
}

impl Directory {
    /// Of what is shown. Where the list leaves a name open, the one that everybody knows counts.
    #[must_use]
    pub fn of(items: &[TickItem]) -> Self {
        let mut directory = Self { by_name: HashMap::with_capacity(items.len() * 2 + NAMES.len() * 3) };
        // The first to claim a name has it: the list is ordered by size.
        for item in items {
            directory.add(item.quote.symbol.as_str(), &item.quote.symbol);
        }
        for item in items {
            if let Some(name) = &item.quote.name {
                directory.add(name, &item.quote.symbol);
            }
        }
        for (symbol, name, others) in NAMES {
            let Ok(symbol) = Symbol::try_new(symbol) else { continue };
            directory.add(symbol.as_str(), &symbol);
            directory.add(name, &symbol);
            for other in others {
                directory.add(other, &symbol);
            }
        }
        directory
    }

    fn add(&mut self, name: &str, symbol: &Symbol) {
        let name = name.to_lowercase();
        if !name.is_empty() {
            self.by_name.entry(name).or_insert_with(|| symbol.clone());
        }
    }

    fn find(&self, name: &str) -> Option<&Symbol> {
        self.by_name.get(name).or_else(|| {
            let one = name.strip_suffix('s').filter(|one| one.len() > 3)?;
            self.by_name.get(one)
        })
    }

    /// The assets that `words` name, in their order, each once.
    pub(crate) fn mentions(&self, words: &[Word]) -> Vec<Mention> {
        let mut found: Vec<Mention> = Vec::new();
        let mut at = 0;
        while at < words.len() && found.len() < MOST {
            match self.at(words, at) {
                Some(mention) => {
                    at += mention.words;
                    if !found.iter().any(|known| known.symbol == mention.symbol) {
                        found.push(mention);
                    }
                }
                None => at += 1,
            }
        }
        found
    }

    /// The longest name that begins at `at`.
    fn at(&self, words: &[Word], at: usize) -> Option<Mention> {
        for count in (1..=LONGEST_NAME.min(words.len() - at)).rev() {
            let named = &words[at..at + count];
            let joined = |glue: &str| named.iter().map(|word| word.plain.as_str()).collect::<Vec<_>>().join(glue);
            let glued = count == 2 && named[1].glued;
            let symbol = match count {
                1 if named[0].number.is_some() => None,
                2 if glued => self.by_name.get(&joined("")),
                1 => self.find(&named[0].plain),
                _ => self.find(&joined(" ")),
            };
            let Some(symbol) = symbol else { continue };
            if count > 1 || self.is_meant(words, at) {
                return Some(Mention { symbol: symbol.clone(), at, words: count });
            }
        }
        None
    }

    /// Whether the word is meant as an asset: an ordinary word needs a sign of it.
    fn is_meant(&self, words: &[Word], at: usize) -> bool {
        let word = &words[at];
        if word.dollar || !is_ordinary(&word.plain) || words.len() == 1 {
            return true;
        }
        let next = words.get(at + 1);
        // "one bitcoin": a number.
        if word.plain == "one" && next.is_some_and(|next| !is_ordinary(&next.plain) && self.find(&next.plain).is_some()) {
            return false;
        }
        let shouted = !words.iter().any(|word| word.written.chars().any(char::is_lowercase));
        if word.is_upper() && !shouted {
            return true;
        }
        let titled = words.iter().filter(|word| word.number.is_none()).all(Word::is_capital);
        if word.is_capital() && word.plain.len() > 2 && !word.first && !titled && !shouted {
            return true;
        }
        is_in_price_context(words, at)
    }
}

/// What follows an asset's name and little else.
const AFTER: &[&str] =
    &["price", "prices", "coin", "coins", "token", "tokens", "usd", "usdt", "protocol", "chart", "/", "vs", "versus"];
/// What an asset's name follows.
const BEFORE: &[&str] = &["vs", "versus", "/"];
/// `… of <asset>`.
const OF: &[&str] = &[
    "price",
    "value",
    "cap",
    "capitalization",
    "capitalisation",
    "volume",
    "rank",
    "change",
    "high",
    "low",
    "range",
    "worth",
    "cost",
];

fn is_in_price_context(words: &[Word], at: usize) -> bool {
    let plain = |at: Option<usize>| at.and_then(|at| words.get(at)).map_or("", |word| word.plain.as_str());
    let (before, earlier) = (plain(at.checked_sub(1)), plain(at.checked_sub(2)));
    let is_number = at.checked_sub(1).and_then(|at| words.get(at)).is_some_and(|word| word.number.is_some());
    let next = plain(Some(at + 1));
    AFTER.contains(&next)
        || BEFORE.contains(&before)
        || (before == "of" && OF.contains(&earlier))
        || (before == "is" && earlier == "much")
        || (is_number && matches!(next, "in" | "to" | "worth" | "is" | ""))
}

/// What stands where an asset's name would, and is none we know: `$FOO`, `price of foo`, `FOO price`.
pub(crate) fn unknown_asset(words: &[Word], known: &[Mention]) -> Option<String> {
    let is_known = |at: usize| known.iter().any(|mention| (mention.at..mention.at + mention.words).contains(&at));
    let named = |at: usize| {
        let word = words.get(at).filter(|word| word.number.is_none() && !is_known(at))?;
        (!is_filler(&word.plain)).then(|| Symbol::try_new(&word.written).ok()).flatten().map(|symbol| symbol.as_str().to_owned())
    };
    // "price of a pizza", and not "price of a large one".
    let after_article = |at: usize| {
        let is_article =
            words.get(at).is_some_and(|word| matches!(word.plain.as_str(), "a" | "an" | "the" | "one" | "my" | "your"));
        let next = words.get(at + 2).map_or("", |word| word.plain.as_str());
        let ends = matches!(next, "" | "in" | "today" | "now" | "right" | "usd" | "please" | "yesterday" | "worth");
        let is_plain = words.get(at + 1).is_some_and(|word| !is_ordinary(&word.plain) && !is_no_asset(&word.plain));
        (is_article && ends && is_plain).then(|| named(at + 1)).flatten()
    };
    let tagged = (0..words.len()).find_map(|at| words[at].dollar.then(|| named(at)).flatten());
    let asked = || {
        words.windows(2).enumerate().find_map(|(at, pair)| match (pair[0].plain.as_str(), pair[1].plain.as_str()) {
            ("price" | "value" | "cap" | "volume" | "rank" | "worth", "of") | ("much", "is") => {
                named(at + 2).or_else(|| after_article(at + 2))
            }
            (_, "price") if pair[0].is_upper() => named(at),
            _ => None,
        })
    };
    tagged.or_else(asked).or_else(|| beside(words, known).find_map(named))
}

/// Words that stand beside a known asset as another one would: `BTC and PEPE`, `1 BTC in PEPE`, `bitcoin and pepe`.
fn beside<'a>(words: &'a [Word], known: &'a [Mention]) -> impl Iterator<Item = usize> + 'a {
    let shouted = !words.iter().any(|word| word.written.chars().any(char::is_lowercase));
    known.iter().flat_map(move |mention| {
        let links = |at: usize, more: &[&str]| {
            let link = words.get(at).map_or("", |word| word.plain.as_str());
            matches!(link, "and" | "or" | "vs" | "versus" | "/") || more.contains(&link)
        };
        let end = mention.at + mention.words;
        let after = links(end, &["in", "to", "into"]).then_some(end + 1);
        let before = mention.at.checked_sub(2).filter(|at| links(at + 1, &[]));
        after.into_iter().chain(before).filter(move |at| {
            let Some(word) = words.get(*at) else { return false };
            let is_last = *at + 1 == words.len() && links(end, &[]);
            let is_name = word.is_upper() && !shouted && word.plain.len() < 7;
            (is_name || is_last) && !is_ordinary(&word.plain) && !is_no_asset(&word.plain)
        })
    })
}

/// What stands beside assets and is none.
fn is_no_asset(word: &str) -> bool {
    is_other_money(word)
        || is_filler(word)
        || matches!(
            word,
            "dollar"
                | "dollars"
                | "bucks"
                | "utc"
                | "ath"
                | "atl"
                | "etf"
                | "etfs"
                | "sec"
                | "ceo"
                | "nft"
                | "nfts"
                | "defi"
                | "others"
                | "altcoins"
                | "alts"
                | "satoshi"
                | "satoshis"
                | "sats"
                | "sat"
                | "money"
                | "cryptos"
                | "both"
                | "stocks"
                | "bonds"
                | "tomorrow"
                | "yesterday"
                | "tonight"
                | "losers"
                | "gainers"
                | "dominance"
                | "sentiment"
                | "headlines"
                | "alerts"
        )
}

fn is_filler(word: &str) -> bool {
    matches!(
        word,
        "the"
            | "a"
            | "an"
            | "it"
            | "its"
            | "this"
            | "that"
            | "my"
            | "one"
            | "all"
            | "crypto"
            | "usd"
            | "market"
            | "current"
            | "is"
            | "coin"
            | "coins"
            | "them"
    )
}

#[cfg(test)]
mod tests {
    use super::{super::words::words, *};

    fn named(text: &str) -> Vec<String> {
        let read = words(text);
        Directory::of(&[]).mentions(&read).into_iter().map(|mention| mention.symbol.as_str().to_owned()).collect()
    }

    #[test]
    fn an_asset_has_many_names() {
        for text in ["bitcoin", "BTC", "$btc", "btc price", "how are bitcoins", "xbt?", "Bitcoin's"] {
            assert_eq!(named(text), ["BTC"], "{text}");
        }
        assert_eq!(named("bitcoin cash or bitcoin, ether or Ethereum"), ["BCH", "BTC", "ETH"]);
        assert_eq!(named("the graph and shiba inu"), ["GRT", "SHIB"]);
    }

    #[test]
    fn ordinary_words_mean_an_asset_only_where_something_says_so() {
        for text in [
            "give me the link",
            "is it near the top",
            "one more",
            "how does the money flow",
            "Near the top?",
            "uni student dot com",
        ] {
            let found = named(text);
            assert!(
                !found.iter().any(|symbol| ["LINK", "NEAR", "ONE", "FLOW", "DOT"].contains(&symbol.as_str())),
                "{text}: {found:?}"
            );
        }
        for (text, symbol) in [
            ("how is LINK doing", "LINK"),
            ("$near", "NEAR"),
            ("price of link", "LINK"),
            ("near price", "NEAR"),
            ("how much is dot", "DOT"),
            ("what about Near today", "NEAR"),
            ("10 link in usd", "LINK"),
            ("link", "LINK"),
        ] {
            assert_eq!(named(text), [symbol], "{text}");
        }
    }

    #[test]
    fn what_is_no_asset_of_ours_is_named_as_such() {
        for (text, expected) in [
            ("price of foocoin", Some("FOOCOIN")),
            ("$FOO now", Some("FOO")),
            ("XYZZY price", Some("XYZZY")),
            ("what is the price of it", None),
            ("price of bitcoin", None),
            ("price of <script>", Some("SCRIPT")),
        ] {
            let read = words(text);
            let known = Directory::of(&[]).mentions(&read);
            assert_eq!(unknown_asset(&read, &known).as_deref(), expected, "{text}");
        }
    }
}
