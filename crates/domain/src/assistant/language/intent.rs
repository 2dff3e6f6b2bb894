//! What a text wants, by the words it has.

use super::{
    phrases::{
        ADVICE, ALERTS, BOTH, CHANGE, COMPARE, CONVERT, DOMINANCE, FORECAST, GAINERS, GREETING, HELP, LISTED, LOSERS, MANAGE,
        MOOD, NEWS, ORIGIN, PRICE, Phrases, RANGE, SIZE, SUMMARY, TELL_ME, THANKS, TRENDING,
    },
    words::Word,
};

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
