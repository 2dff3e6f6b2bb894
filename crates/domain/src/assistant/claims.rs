//! Which figures a text states, so that no text of a model passes with one that is not ours.

use rust_decimal::Decimal;

/// What a figure is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    Dollars,
    Percent,
}

/// A figure that a text states, without its sign: "fell by 1.25%" states -1.25%.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Claim {
    value: Decimal,
    kind: Kind,
}

/// Whole numbers up to this one, alone, are counts: "24 hours", "the 3 largest".
const COUNTS: u32 = 31;

/// What a text claims.
enum Claims {
    /// These figures.
    Figures(Vec<Claim>),
    /// Figures in a form that cannot be compared: in words, in other digits, too long.
    Unreadable,
}

/// Whether `text` states a figure.
#[must_use]
pub fn states_figures(text: &str) -> bool {
    !matches!(claims(text), Claims::Figures(figures) if figures.iter().all(is_count))
}

/// Whether every figure that `text` states is one of `facts`. Figures in words are none.
#[must_use]
pub fn states_only(text: &str, facts: &str) -> bool {
    let Claims::Figures(stated) = claims(text) else { return false };
    let Claims::Figures(known) = claims(facts) else { return false };
    let is_known = |claim: &Claim| {
        known.iter().any(|fact| fact.value == claim.value && (claim.kind == fact.kind || claim.kind == Kind::Plain))
    };
    stated.iter().all(|claim| is_count(claim) || is_known(claim))
}

/// Whether `text` tells its reader what to do with money.
#[must_use]
pub fn gives_advice(text: &str) -> bool {
    const ADVICE: [&str; 16] = [
        "you should",
        "should buy",
        "should sell",
        "should invest",
        "i recommend",
        "i would buy",
        "i would sell",
        "i'd buy",
        "i'd sell",
        "i suggest",
        "my advice",
        "buy now",
        "sell now",
        "good time to buy",
        "good time to sell",
        "guaranteed",
    ];
    let text = text.to_lowercase().replace('’', "'");
    ADVICE.iter().any(|phrase| text.contains(phrase))
}

fn is_count(claim: &Claim) -> bool {
    claim.kind == Kind::Plain && claim.value.is_integer() && claim.value <= COUNTS.into()
}

fn claims(text: &str) -> Claims {
    let chars: Vec<char> = text.chars().collect();
    let mut figures = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let c = chars[at];
        if c.is_ascii_digit() && !at.checked_sub(1).is_some_and(|before| chars[before].is_alphanumeric()) {
            let Some((claim, end)) = claim(&chars, at) else { return Claims::Unreadable };
            figures.push(claim);
            at = end;
        } else if c.is_numeric() && !c.is_ascii_digit() {
            return Claims::Unreadable;
        } else if c.is_alphabetic() {
            let word = word_at(&chars, at);
            if is_figure_in_words(&word.to_lowercase()) {
                return Claims::Unreadable;
            }
            at += word.chars().count().max(1);
        } else if c == '%' {
            return Claims::Unreadable;
        } else {
            at += 1;
        }
    }
    Claims::Figures(figures)
}

fn word_at(chars: &[char], at: usize) -> String {
    chars[at.min(chars.len())..].iter().take_while(|c| c.is_alphanumeric() || **c == '_').collect()
}

fn is_figure_in_words(word: &str) -> bool {
    const WORDS: [&str; 22] = [
        "hundred",
        "hundreds",
        "thousand",
        "thousands",
        "million",
        "millions",
        "billion",
        "billions",
        "trillion",
        "trillions",
        "percent",
        "twenty",
        "thirty",
        "forty",
        "fifty",
        "sixty",
        "seventy",
        "eighty",
        "ninety",
        "doubled",
        "tripled",
        "halved",
    ];
    WORDS.contains(&word)
}

/// The figure whose first digit is at `start`, and where it ends; `None` where it cannot be compared.
fn claim(chars: &[char], start: usize) -> Option<(Claim, usize)> {
    let get = |at: usize| chars.get(at).copied();
    let digit = |at: usize| get(at).is_some_and(|c| c.is_ascii_digit());
    let mut end = start;
    while digit(end) || (matches!(get(end), Some('.' | ',')) && digit(end + 1)) {
        end += 1;
    }
    let written: String = chars[start..end].iter().collect();
    let mut value = super::language::value(&written)?;
    let before = start.checked_sub(1).and_then(get);
    // A fraction that begins with its point.
    if before == Some('.') {
        return None;
    }
    let mut kind = if before == Some('$') { Kind::Dollars } else { Kind::Plain };
    let mut glued = word_at(chars, end);
    if let Some(power) = glued.strip_prefix('e').filter(|rest| rest.is_empty() || rest.chars().all(|c| c.is_ascii_digit())) {
        // `5.94e-6` is the one form with a power that we write.
        let sign = get(end + 1).filter(|_| power.is_empty());
        let places: String = chars.get(end + 2..)?.iter().take_while(|c| c.is_ascii_digit()).collect();
        (sign == Some('-')).then_some(())?;
        value = value.checked_mul(Decimal::try_new(1, places.parse().ok()?).ok()?)?;
        end += 2 + places.len();
        glued = word_at(chars, end);
    }
    let (spaced, from) =
        if glued.is_empty() && get(end) == Some(' ') { (word_at(chars, end + 1), end + 1) } else { (glued, end) };
    if let Some(times) = times(&spaced, from == end) {
        value = value.checked_mul(times.into())?;
        end = from + spaced.chars().count();
    } else if from == end && !spaced.is_empty() {
        // `24h`, `7d`, `1st`: what is glued to it is passed over.
        end += spaced.chars().count();
    }
    let after = if get(end) == Some(' ') { word_at(chars, end + 1).to_lowercase() } else { String::new() };
    match (get(end), after.as_str()) {
        (Some('%'), _) => (kind, end) = (Kind::Percent, end + 1),
        (_, "percent") => (kind, end) = (Kind::Percent, end + 8),
        (_, "usd" | "dollars" | "dollar") => kind = Kind::Dollars,
        _ => {}
    }
    Some((Claim { value: value.normalize(), kind }, end))
}

fn times(word: &str, is_glued: bool) -> Option<u64> {
    Some(match word {
        "K" | "k" if is_glued => 1_000,
        "M" | "m" if is_glued => 1_000_000,
        "B" | "bn" | "b" if is_glued => 1_000_000_000,
        "T" if is_glued => 1_000_000_000_000,
        "thousand" => 1_000,
        "million" => 1_000_000,
        "billion" => 1_000_000_000,
        "trillion" => 1_000_000_000_000,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FACTS: &str =
        "Bitcoin (BTC): $97,012.34 (+1.25% in 24 hours), 3 s ago, CoinGecko. Market cap $1.92T. SHIB $5.94e-6. Index 72 of 100.";

    #[test]
    fn figures_of_ours_pass_however_they_are_said() {
        for text in [
            "Bitcoin is at $97,012.34.",
            "It stands at 97012.34 dollars, up 1.25 percent in 24h.",
            "A market cap of $1.92 trillion, or $1.92T.",
            "SHIB costs $5.94e-6.",
            "The 3 largest in the last 24 hours; the 1st one is BTC. Fear & Greed is at 72.",
            "It rose.",
        ] {
            assert!(states_only(text, FACTS), "{text}");
        }
    }

    #[test]
    fn every_other_figure_is_found() {
        for text in [
            "Bitcoin is at $97,000.",
            "Bitcoin is at about 97k.",
            "up 1.26%",
            "up 97,012.34%",
            "it costs $1.25",
            "ninety seven thousand dollars",
            "it doubled",
            "٩٧٠١٢ dollars",
            "a cap of $1.92 billion",
            "SHIB costs $5.94e-7",
            "SHIB costs 5.94e6",
            "up .5",
            "twenty percent",
            "½ of it",
            "99999999999999999999999999999999999999",
        ] {
            assert!(!states_only(text, FACTS), "{text}");
        }
    }

    #[test]
    fn advice_is_known_by_its_words() {
        assert!(gives_advice("You should BUY it"));
        assert!(gives_advice("I’d sell"));
        assert!(!gives_advice("It rose, and what follows from that nobody knows."));
    }

    #[test]
    fn counts_are_no_figures() {
        assert!(!states_figures("in 24 hours, the 3 largest"));
        assert!(states_figures("at 97,012.34"));
        assert!(states_figures("ten thousand"));
    }

    proptest! {
        #[test]
        fn no_text_panics_and_each_states_only_its_own(text in "\\PC{0,120}|[0-9.,$%eKMBT a-z-]{0,60}") {
            let _ = states_figures(&text);
            if let Claims::Figures(_) = claims(&text) {
                prop_assert!(states_only(&text, &text));
            }
        }
    }
}
