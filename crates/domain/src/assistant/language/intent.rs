//! What a text wants, by the words it has.

use super::words::Word;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Intent {
    /// What it costs now.
    Price,
    /// What it cost at another time.
    Then,
    /// How it moved.
    Change,
    /// The highest and lowest price.
    Range,
    /// Market capitalisation, volume, rank.
    Size,
    /// The whole market.
    Summary,
    /// A share of the whole market.
    Dominance,
    /// What rose most.
    Gainers,
    /// What fell most.
    Losers,
    /// Both.
    Movers,
    /// Headlines.
    News,
    /// Sentiment, and the Fear & Greed index.
    Mood,
    /// What people search for.
    Trending,
    /// Two or more assets beside each other.
    Compare,
    /// An amount of one in another.
    Convert,
    /// The asker's own alerts.
    Alerts,
    /// To set, change or delete alerts: it is not done here.
    ManageAlerts,
    /// What to do: nobody is told.
    Advice,
    /// What will be: nobody knows.
    Forecast,
    /// Where figures come from and how old they are.
    Origin,
    /// What can be asked.
    Help,
    /// A greeting.
    Greeting,
    /// Thanks, or a farewell.
    Thanks,
    /// None of these.
    Unknown,
}

/// Words and phrases of one intent; a phrase's words stand beside each other.
type Phrases = &'static [&'static str];

const ALERTS: Phrases =
    &["alert", "alerts", "alarm", "alarms", "notification", "notifications", "reminder", "reminders", "notify me"];
/// What is done to alerts.
const MANAGE: Phrases = &[
    "set",
    "setup",
    "create",
    "add",
    "make",
    "put",
    "delete",
    "remove",
    "cancel",
    "clear",
    "change",
    "edit",
    "update",
    "modify",
    "turn",
    "disable",
    "enable",
    "pause",
    "mute",
    "stop",
    "switch",
    "new",
    "give me an",
    "i want",
    "i need",
    "how do i",
    "how can i",
    "how to",
];
/// To be told of something later.
const TELL_ME: Phrases = &[
    "alert me",
    "notify me",
    "remind me",
    "warn me",
    "ping me",
    "tell me when",
    "tell me if",
    "let me know when",
    "let me know if",
    "message me when",
    "email me when",
];
/// To see what is there.
const LISTED: Phrases = &[
    "which",
    "show",
    "list",
    "do i have",
    "have i",
    "i have",
    "did i",
    "see my",
    "see all",
    "how many",
    "what alerts",
    "are set",
];
const ADVICE: Phrases = &[
    "to sell",
    "to hold",
    "to hodl",
    "to purchase",
    "to invest",
    "good moment",
    "right moment",
    "good entry",
    "entry point",
    "get in on",
    "get into",
    "buy now",
    "sell now",
    "time to buy",
    "time to sell",
    "moment to",
    "buy the dip",
    "cash out",
    "take profit",
    "take profits",
    "go long",
    "go short",
    "is it wise",
    "is it smart",
    "a good idea",
    "would you buy",
    "would you sell",
    "undervalued",
    "overvalued",
    "good bet",
    "safe bet",
    "best buy",
    "coin to buy",
    "coins to buy",
    "crypto to buy",
    "what coin to buy",
    "should i",
    "should we",
    "shall i",
    "should one",
    "worth buying",
    "good investment",
    "bad investment",
    "good buy",
    "buy or sell",
    "sell or hold",
    "good time to",
    "right time to",
    "recommend",
    "recommendation",
    "advice",
    "advise",
    "invest",
    "investing",
    "safe to buy",
    "too late to",
    "all in",
    "what to buy",
    "which coin to buy",
];
const FORECAST: Phrases = &[
    "will",
    "predict",
    "prediction",
    "predictions",
    "forecast",
    "going to",
    "gonna",
    "tomorrow",
    "next week",
    "next month",
    "next year",
    "from now",
    "future",
    "ever reach",
    "ever hit",
    "price target",
];
const COMPARE: Phrases = &[
    "compare",
    "compared",
    "comparison",
    "vs",
    "versus",
    "against",
    "difference",
    "better",
    "outperform",
    "outperforming",
    "than",
    "stronger",
];
const NEWS: Phrases = &["news", "headline", "headlines", "happening", "happened", "article", "articles", "latest on", "going on"];
const TRENDING: Phrases =
    &["trending", "trend", "trends", "popular", "searched", "hype", "hyped", "buzz", "hot right now", "most searched"];
const BOTH: Phrases = &["movers", "biggest moves", "biggest changes", "moved most", "moved the most"];
const GAINERS: Phrases = &[
    "gainers",
    "gainer",
    "winners",
    "winner",
    "best performing",
    "best performer",
    "best performers",
    "top performing",
    "top performers",
    "gained most",
    "gained the most",
    "rose most",
    "rose the most",
    "up the most",
    "up most",
    "best coins",
    "best coin",
    "pumping",
    "mooning",
];
const LOSERS: Phrases = &[
    "losers",
    "loser",
    "worst performing",
    "worst performer",
    "worst performers",
    "lost most",
    "lost the most",
    "fell most",
    "fell the most",
    "down the most",
    "down most",
    "worst coins",
    "worst coin",
    "dumping",
    "crashing",
];
const MOOD: Phrases = &["sentiment", "fear", "greed", "fearful", "greedy", "mood", "bullish", "bearish", "feeling", "feel"];
const ORIGIN: Phrases = &[
    "source",
    "sources",
    "where do you get",
    "where does",
    "where do",
    "how old",
    "how fresh",
    "up to date",
    "how recent",
    "which data",
    "what data",
    "your data",
    "real time",
    "last update",
    "last updated",
    "how often",
    "stale",
    "data from",
    "prices from",
    "provider",
    "providers",
];
const CHANGE: Phrases = &[
    "change",
    "changed",
    "changes",
    "up",
    "down",
    "performance",
    "perform",
    "performed",
    "performing",
    "move",
    "moved",
    "moving",
    "gain",
    "gained",
    "lose",
    "lost",
    "percent",
    "doing",
    "rise",
    "risen",
    "rose",
    "fall",
    "fallen",
    "fell",
    "drop",
    "dropped",
    "return",
    "returns",
    "grown",
];
const RANGE: Phrases = &[
    "high",
    "low",
    "highs",
    "lows",
    "highest",
    "lowest",
    "range",
    "peak",
    "bottom",
    "top of the day",
    "min",
    "max",
    "maximum",
    "minimum",
    "ath",
    "atl",
    "all time",
];
const SIZE: Phrases = &[
    "cap",
    "marketcap",
    "mcap",
    "capitalisation",
    "capitalization",
    "volume",
    "volumes",
    "traded",
    "rank",
    "ranked",
    "ranking",
    "liquidity",
    "how big",
];
const SUMMARY: Phrases = &[
    "total market",
    "whole market",
    "crypto market",
    "markets",
    "overview",
    "summary",
    "crypto today",
    "cryptocurrencies",
    "total cap",
];
const DOMINANCE: Phrases =
    &["dominance", "dominant", "dominates", "market share", "share of the market", "share of the whole market"];
const PRICE: Phrases = &[
    "price",
    "prices",
    "worth",
    "cost",
    "costs",
    "quote",
    "value",
    "how much",
    "trading at",
    "rate",
    "usd",
    "dollars",
    "priced",
];
const CONVERT: Phrases = &["convert", "exchange", "conversion", "swap"];
const HELP: Phrases = &[
    "help",
    "what can you",
    "what do you know",
    "what can i ask",
    "how do you work",
    "how does this work",
    "who are you",
    "what are you",
    "commands",
    "examples",
    "capabilities",
    "what do you do",
];
const GREETING: Phrases = &[
    "hi",
    "hello",
    "hey",
    "hiya",
    "howdy",
    "yo",
    "gm",
    "greetings",
    "good morning",
    "good afternoon",
    "good evening",
    "sup",
    "how are you",
];
const THANKS: Phrases = &[
    "thanks",
    "thank",
    "thx",
    "ty",
    "cheers",
    "appreciated",
    "bye",
    "goodbye",
    "see you",
    "good night",
    "great",
    "nice",
    "cool",
    "ok",
    "okay",
];

fn has(words: &[Word], phrases: Phrases) -> bool {
    let starts = |at: usize, phrase: &str| {
        let mut at = at;
        phrase.split(' ').all(|part| {
            let matches = words.get(at).is_some_and(|word| word.plain == part);
            at += 1;
            matches
        })
    };
    phrases.iter().any(|phrase| (0..words.len()).any(|at| starts(at, phrase)))
}

/// "The market", and not "its market cap".
fn names_the_market(words: &[Word]) -> bool {
    words.iter().enumerate().any(|(at, word)| {
        let next = words.get(at + 1).map_or("", |next| next.plain.as_str());
        word.plain == "market" && !matches!(next, "cap" | "capitalisation" | "capitalization" | "value" | "price" | "rank")
    })
}

/// What the words say beside the assets: how many are named decides some.
pub(super) struct Seen<'a> {
    pub(super) words: &'a [Word],
    pub(super) assets: usize,
    /// An amount of something is named.
    pub(super) has_amount: bool,
    /// Two units stand as `btc in eth`.
    pub(super) has_pair: bool,
}

/// The first that fits, the most telling ones first.
pub(super) fn intent(seen: &Seen<'_>) -> Intent {
    let &Seen { words, assets, has_amount, has_pair } = seen;
    let has = |phrases| has(words, phrases);
    let asks_how_much = has(&["how much", "how many"]);
    let rules: [(bool, Intent); 25] = [
        (has(TELL_ME) || (has(ALERTS) && has(MANAGE) && !has(LISTED)), Intent::ManageAlerts),
        (has(ALERTS), Intent::Alerts),
        (has(ADVICE) || (has(&["to buy"]) && !has_amount && !asks_how_much), Intent::Advice),
        (has(FORECAST), Intent::Forecast),
        (assets == 0 && has(HELP), Intent::Help),
        (has_amount || has_pair || (assets > 0 && has(CONVERT)), Intent::Convert),
        (assets > 1 && has(COMPARE), Intent::Compare),
        (has(DOMINANCE), Intent::Dominance),
        (has(NEWS), Intent::News),
        (has(BOTH) || (has(GAINERS) && has(LOSERS)), Intent::Movers),
        (has(GAINERS), Intent::Gainers),
        (has(LOSERS), Intent::Losers),
        (has(TRENDING), Intent::Trending),
        (has(MOOD), Intent::Mood),
        (has(ORIGIN), Intent::Origin),
        (has(SIZE) && assets > 0, Intent::Size),
        (has(CHANGE) && assets > 0, Intent::Change),
        (has(RANGE) && assets > 0, Intent::Range),
        (assets == 0 && (has(SUMMARY) || names_the_market(words)), Intent::Summary),
        (has(PRICE), Intent::Price),
        (has(CHANGE), Intent::Change),
        (has(RANGE), Intent::Range),
        (has(SIZE), Intent::Size),
        (assets == 0 && has(GREETING), Intent::Greeting),
        (assets == 0 && has(THANKS), Intent::Thanks),
    ];
    rules.into_iter().find(|(fits, _)| *fits).map_or(Intent::Unknown, |(_, intent)| intent)
}
