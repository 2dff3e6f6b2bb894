//! What a text says beside its figures: amounts in words, directions, addresses, and what to do with money. Whole words and stems of
//! English; what another meaning would have allowed is refused as well.

/// The words of a text, in small letters and without apostrophes.
fn words(text: &str) -> Vec<String> {
    let text = text.to_lowercase().replace(['\'', '’'], "");
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Which way a text says that something moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Direction {
    pub(super) up: bool,
    pub(super) down: bool,
    /// Something is said not to be so.
    pub(super) denied: bool,
}

impl Direction {
    pub(super) fn of(text: &str) -> Self {
        const UP: [&str; 13] = [
            "up", "rose", "rise", "rises", "risen", "rising", "higher", "grew", "bullish", "positive", "plus", "upward",
            "upwards",
        ];
        const UP_STEMS: [&str; 10] =
            ["gain", "climb", "increas", "jump", "surg", "soar", "rallied", "advanc", "skyrocket", "uptick"];
        const DOWN: [&str; 16] = [
            "down", "fell", "fall", "falls", "fallen", "falling", "lower", "lost", "dip", "dips", "dipped", "sank", "bearish",
            "negative", "minus", "shed",
        ];
        const DOWN_STEMS: [&str; 15] = [
            "drop", "declin", "decreas", "lose", "losing", "loss", "slid", "slip", "sink", "plung", "tumbl", "crash", "plummet",
            "downward", "retreat",
        ];
        const DENIED: [&str; 21] = [
            "not", "no", "never", "hardly", "without", "nor", "neither", "instead", "cannot", "isnt", "arent", "wasnt", "werent",
            "didnt", "doesnt", "dont", "hasnt", "havent", "hadnt", "cant", "couldnt",
        ];
        let words = words(text);
        let has = |whole: &[&str], stems: &[&str]| {
            words.iter().any(|word| whole.contains(&word.as_str()) || stems.iter().any(|stem| word.starts_with(stem)))
        };
        Self { up: has(&UP, &UP_STEMS), down: has(&DOWN, &DOWN_STEMS), denied: has(&DENIED, &[]) }
    }
}

/// Whether a text has a number in words, or names money that is no US dollar.
pub(super) fn is_amount_in_words(text: &str) -> bool {
    let words = words(text);
    words.iter().enumerate().any(|(at, word)| {
        let before = at.checked_sub(1).map_or("", |before| words[before].as_str());
        let after = words.get(at + 1).map_or("", String::as_str);
        let is_digits = before.ends_with(|c: char| c.is_ascii_digit());
        match word.as_str() {
            "one" => after != "of",
            // Behind digits they are part of a figure, which is looked at as one.
            "thousand" | "million" | "billion" | "trillion" | "percent" => !is_digits,
            "dollar" => !is_digits && before != "us",
            "dollars" => !is_digits && !matches!(before, "us" | "in" | "thousand" | "million" | "billion" | "trillion"),
            word => is_number(word) || is_money(word),
        }
    })
}

fn is_number(word: &str) -> bool {
    const WHOLE: [&str; 46] = [
        "zero", "nil", "nought", "naught", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "tens",
        "eleven", "twelve", "grand", "mil", "mill", "mils", "bil", "tril", "lakh", "lakhs", "crore", "crores", "half", "halves",
        "quarter", "quarters", "third", "thirds", "fourth", "tenth", "tenths", "double", "doubles", "doubled", "doubling",
        "twice", "thrice", "halved", "couple", "pct", "bps", "percents",
    ];
    const PARTS: [&str; 18] = [
        "hundred", "thousand", "illion", "teen", "twent", "thirt", "forty", "fortie", "fift", "sixt", "sevent", "eighty",
        "eightie", "ninet", "dozen", "tripl", "trebl", "quadrupl",
    ];
    WHOLE.contains(&word) || PARTS.iter().any(|part| word.contains(part)) || word.ends_with("fold")
}

fn is_money(word: &str) -> bool {
    const WHOLE: [&str; 39] = [
        "eur", "gbp", "pound", "pounds", "sterling", "jpy", "yen", "cny", "rmb", "yuan", "renminbi", "inr", "rupee", "rupees",
        "rub", "ruble", "rubles", "rouble", "roubles", "chf", "franc", "francs", "cad", "aud", "brl", "krw", "peso", "pesos",
        "lira", "cent", "cents", "pence", "penny", "pennies", "dime", "dimes", "buck", "bucks", "quid",
    ];
    WHOLE.contains(&word) || word.starts_with("euro") || (word.contains("dollar") && !matches!(word, "dollar" | "dollars"))
}

/// The longest word that is one; what is longer is an address or a key.
const LONGEST_WORD: usize = 24;

/// Whether a word leads somewhere: a link, a host, a mail address, a wallet's.
pub(super) fn is_address(token: &str) -> bool {
    let dotted = || {
        let labels: Vec<&str> = token.split('.').collect();
        labels.windows(2).any(|two| two[0].ends_with(char::is_alphanumeric) && two[1].starts_with(char::is_alphanumeric))
            && labels.iter().skip(1).any(|label| label.len() >= 2)
    };
    let parts: Vec<&str> = token.split('/').collect();
    let is_either_or =
        parts.len() == 2 && parts.iter().all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphabetic()));
    token.contains(['@', '\\', ':']) || (parts.len() > 1 && !is_either_or) || dotted() || token.len() > LONGEST_WORD
}

/// Words and stems of advice and forecasts, and what is said in several words.
const ADVICE: [&str; 36] = [
    "hold",
    "holding",
    "should",
    "ought",
    "must",
    "trade",
    "swap",
    "bet",
    "exit",
    "dump",
    "dca",
    "yolo",
    "ape",
    "moon",
    "grab",
    "will",
    "wont",
    "shall",
    "gonna",
    "soon",
    "tomorrow",
    "cheap",
    "worthwhile",
    "youd",
    "youll",
    "itll",
    "theyll",
    "advice",
    "worth",
    "bought",
    "sold",
    "bargain",
    "guarantee",
    "guaranteed",
    "longing",
    "shorting",
];
const ADVICE_STEMS: [&str; 28] = [
    "buy",
    "sell",
    "hodl",
    "invest",
    "purchas",
    "accumulat",
    "recommend",
    "suggest",
    "advis",
    "consider",
    "acquir",
    "liquidat",
    "leverag",
    "diversif",
    "rebalanc",
    "allocat",
    "profit",
    "undervalu",
    "overvalu",
    "opportunit",
    "predict",
    "forecast",
    "expect",
    "guarante",
    "gambl",
    "speculat",
    "risk",
    "stockpil",
];
const ADVICE_PHRASES: [&str; 34] = [
    "good time",
    "best time",
    "right time",
    "great time",
    "time to",
    "need to",
    "have to",
    "had better",
    "better to",
    "can only",
    "cant lose",
    "cannot lose",
    "sure to",
    "bound to",
    "going to",
    "set to",
    "about to",
    "poised to",
    "likely to",
    "go long",
    "going long",
    "go short",
    "going short",
    "long position",
    "short position",
    "all in",
    "get in",
    "get out",
    "jump in",
    "cash out",
    "load up",
    "stock up",
    "your money",
    "dot com",
];
/// What somebody would be told to be long or short of.
const HOLDINGS: [&str; 14] =
    ["btc", "bitcoin", "eth", "ethereum", "ether", "sol", "solana", "xrp", "doge", "it", "this", "crypto", "coins", "everything"];

/// Whether `text` tells its reader what to do with money, or what a price will be.
#[must_use]
pub fn gives_advice(text: &str) -> bool {
    let words = words(text);
    let joined = format!(" {} ", words.join(" "));
    let told = |word: &str| ADVICE.contains(&word) || ADVICE_STEMS.iter().any(|stem| word.starts_with(stem));
    let sided = |two: &[String]| matches!(two[0].as_str(), "long" | "short") && HOLDINGS.contains(&two[1].as_str());
    words.iter().any(|word| told(word))
        || words.windows(2).any(sided)
        || ADVICE_PHRASES.iter().any(|phrase| joined.contains(&format!(" {phrase} ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn advice_and_forecasts_are_known_by_their_words() {
        for text in [
            "Buy Bitcoin today, it can only rise.",
            "Now is the time to buy.",
            "Go long on BTC.",
            "Long BTC.",
            "Short it.",
            "Sell everything today.",
            "Consider buying bitcoin.",
            "You should BUY it",
            "I’d sell",
            "It’s a bargain.",
            "Hold your coins.",
            "Accumulate while you can.",
            "Put your money in bitcoin.",
            "It can't lose.",
            "It is likely to go higher.",
            "It’ll rise.",
            "Bitcoin will rise.",
            "Going all-in is what many do.",
        ] {
            assert!(gives_advice(text), "{text}");
        }
        for text in [
            "It rose, and what follows from that nobody knows.",
            "Bitcoin is trading at $97,012.34 now.",
            "A chain of blocks that many keep a copy of.",
            "A block is added about as long as there are miners.",
            "In short: prices rose.",
            "I do not know that.",
        ] {
            assert!(!gives_advice(text), "{text}");
        }
    }

    #[test]
    fn addresses_are_known_by_their_look() {
        for token in [
            "https://evil.example/claim",
            "evil.example",
            "t.me/claim",
            "me@evil.example",
            "bitcoin:abc",
            "host/path/more",
            "abcdefghijkmnopqrstuvwxyz",
        ] {
            assert!(is_address(token), "{token}");
        }
        for token in ["e.g", "U.S", "and/or", "BTC/USD", "it", "decentralised"] {
            assert!(!is_address(token), "{token}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,120}|[a-z0-9 .:/'$%-]{0,60}") {
            let _ = (gives_advice(&text), is_amount_in_words(&text), Direction::of(&text), is_address(&text));
        }
    }
}
