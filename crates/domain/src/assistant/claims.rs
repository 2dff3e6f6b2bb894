//! Which figures a text states, so that no text of a model passes with one that is not ours. What cannot be read for certain is refused:
//! the baseline answers then, and nothing is lost but words.

use rust_decimal::Decimal;

use super::wording::{Direction, is_address, is_amount_in_words};

/// What a figure is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Dollars,
    Percent,
    /// `1.25 percentage points`.
    Points,
    /// `#1`, `rank 1`.
    Rank,
    /// `72 of 100`.
    Score,
    Seconds,
    Minutes,
    Hours,
    Days,
    Assets,
}

/// A figure that a text states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Claim {
    /// Without its sign.
    value: Decimal,
    kind: Kind,
    /// `+` or `-`, where it has one.
    sign: Option<char>,
}

/// A word of a text without the punctuation around it.
#[derive(Debug, Clone, Copy)]
struct Token<'a> {
    text: &'a str,
    /// Punctuation stands before it.
    begins: bool,
    /// Punctuation follows.
    ends: bool,
}

/// A figure in a form that cannot be compared, or an address.
#[derive(Debug)]
struct Unreadable;

/// Whether every figure that `text` states is one of `facts`, of the same kind and in the same direction, and it names no address.
#[must_use]
pub fn states_only(text: &str, facts: &str) -> bool {
    let Some(text) = plain(text) else { return false };
    let facts: String = facts.chars().map(|c| plain_sign(c).unwrap_or('?')).collect();
    let known = known(&facts);
    let names: Vec<String> = tokens(&facts).map(|token| token.text.to_lowercase()).collect();
    let moves = Direction::of(&text);
    let some = |sign| known.iter().any(|fact| fact.kind == Kind::Percent && fact.sign == Some(sign));
    if is_amount_in_words(&text) || is_spelled_out(&text) || (moves.up && !some('+')) || (moves.down && !some('-')) {
        return false;
    }
    clauses(&text).iter().all(|clause| {
        let direction = Direction::of(clause);
        let is_known = |claim: &Claim| is_a_day(claim) || known.iter().any(|fact| says(claim, fact, direction));
        read(clause, &names).is_ok_and(|claims| claims.iter().all(is_known))
    })
}

/// Whether `claim` says what `fact` says.
fn says(claim: &Claim, fact: &Claim, direction: Direction) -> bool {
    if claim.value != fact.value || claim.kind != fact.kind {
        return false;
    }
    if claim.kind != Kind::Percent {
        return claim.sign == fact.sign;
    }
    let Direction { up, down, denied } = direction;
    match fact.sign {
        Some('+') => !down && !denied && (claim.sign == Some('+') || (claim.sign.is_none() && up)),
        Some(_) => !up && !denied && (claim.sign == Some('-') || (claim.sign.is_none() && down)),
        None => claim.sign.is_none() && !up && !down,
    }
}

/// `24 hours`, which changes are of.
fn is_a_day(claim: &Claim) -> bool {
    *claim == Claim { value: Decimal::from(24), kind: Kind::Hours, sign: None }
}

/// The text in signs that can be told apart; `None` where it has others, such as other scripts' letters and digits and other money's signs.
fn plain(text: &str) -> Option<String> {
    text.chars().map(plain_sign).collect()
}

const fn plain_sign(c: char) -> Option<char> {
    Some(match c {
        '\n' | ' '..='~' => c,
        '\t' | '\u{a0}' | '\u{2009}' | '\u{202f}' => ' ',
        '’' | '‘' => '\'',
        '“' | '”' => '"',
        '\u{2011}' | '\u{2212}' => '-',
        // A dash parts clauses.
        '–' | '—' | '…' | '•' => ';',
        _ => return None,
    })
}

/// The parts of a text whose words belong to the figures in them.
fn clauses(text: &str) -> Vec<String> {
    const LINKS: [&str; 6] = ["and", "but", "while", "whereas", "though", "although"];
    let mut clauses = Vec::new();
    let mut clause = String::new();
    for part in text.split_whitespace().flat_map(|piece| piece.split_inclusive(';')) {
        if LINKS.iter().any(|link| part.eq_ignore_ascii_case(link)) {
            clauses.push(std::mem::take(&mut clause));
        }
        clause.push_str(part);
        clause.push(' ');
        if part.ends_with(['.', ',', ';', ':', '!', '?']) {
            clauses.push(std::mem::take(&mut clause));
        }
    }
    clauses.push(clause);
    clauses
}

fn tokens(text: &str) -> impl Iterator<Item = Token<'_>> {
    text.split([' ', '\n', ';']).filter_map(|piece| {
        let cut = piece.trim_start_matches(['(', '"', '\'', '[']);
        let token = cut.trim_end_matches(['.', ',', ':', '!', '?', ')', '"', '\'', ']']);
        (!token.is_empty()).then_some(Token { text: token, begins: cut.len() < piece.len(), ends: token.len() < cut.len() })
    })
}

/// `n i n e`.
fn is_spelled_out(text: &str) -> bool {
    let tokens: Vec<Token<'_>> = tokens(text).collect();
    tokens
        .windows(3)
        .any(|three| three.iter().all(|token| token.text.len() == 1 && token.text.as_bytes()[0].is_ascii_alphabetic()))
}

/// The figures of our own text. Names with digits in them are none.
fn known(facts: &str) -> Vec<Claim> {
    let tokens: Vec<Token<'_>> = tokens(facts).collect();
    (0..tokens.len()).filter_map(|at| figure(&tokens, at).ok().flatten()).map(|(claim, _)| claim).collect()
}

/// The figures that a clause states; what our own text names may stand in it, whatever that looks like.
fn read(clause: &str, names: &[String]) -> Result<Vec<Claim>, Unreadable> {
    let tokens: Vec<Token<'_>> = tokens(clause).collect();
    let mut claims = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let is_name = !token.text.starts_with('$')
            && token.text.contains(|c: char| c.is_ascii_alphabetic())
            && names.contains(&token.text.to_lowercase());
        if is_name {
            at += 1;
        } else if let Some((claim, length)) = figure(&tokens, at)? {
            claims.push(claim);
            at += length;
            // Digits in groups: nobody can say which figure they are.
            if tokens.get(at).is_some_and(|next| has_figure(next.text) && !next.begins && !tokens[at - 1].ends) {
                return Err(Unreadable);
            }
        } else if has_figure(token.text) || is_address(token.text) {
            return Err(Unreadable);
        } else {
            at += 1;
        }
    }
    Ok(claims)
}

fn has_figure(token: &str) -> bool {
    token.contains(|c: char| c.is_ascii_digit() || matches!(c, '$' | '%' | '#' | '~' | '=' | '^'))
}

/// The figure that begins with the token at `at`, and how many tokens it is; `None` where none does.
fn figure(tokens: &[Token<'_>], at: usize) -> Result<Option<(Claim, usize)>, Unreadable> {
    let text = tokens[at].text;
    if !text.starts_with(|c: char| c.is_ascii_digit() || "$+-#".contains(c)) || !text.contains(|c: char| c.is_ascii_digit()) {
        return Ok(None);
    }
    let (sign, unsigned) = text.strip_prefix(['+', '-']).map_or((None, text), |rest| (text.chars().next(), rest));
    let (mark, digits) = unsigned.strip_prefix(['$', '#']).map_or((None, unsigned), |rest| (unsigned.chars().next(), rest));
    let (mut value, mut glued) = number(digits).ok_or(Unreadable)?;
    // A word that stands right behind, without punctuation between them.
    let word = |after: usize| {
        let here = tokens.get(at + after).filter(|token| !token.begins && !tokens[at + after - 1].ends);
        here.map(|token| token.text.to_ascii_lowercase()).unwrap_or_default()
    };
    let mut length = 1;
    if let Some(times) = scale(glued) {
        (value, glued) = (value.checked_mul(times.into()).ok_or(Unreadable)?, "");
    } else if let Some(times) = scale_word(&word(1)).filter(|_| glued.is_empty()) {
        (value, length) = (value.checked_mul(times.into()).ok_or(Unreadable)?, 2);
    }
    let is_ranked = at.checked_sub(1).is_some_and(|before| {
        !tokens[before].ends && ["rank", "ranks", "ranked"].iter().any(|word| tokens[before].text.eq_ignore_ascii_case(word))
    });
    let words = [word(length), word(length + 1), word(length + 2)];
    let (kind, more) = match (mark, glued, words.each_ref().map(String::as_str)) {
        (None, "%", _) => (Kind::Percent, 0),
        (None, "/100", _) => (Kind::Score, 0),
        (None, "", ["percent", ..]) => (Kind::Percent, 1),
        (None, "", ["percentage", "points" | "point", _]) => (Kind::Points, 2),
        (Some('$'), "", ["usd", ..]) | (None, "", ["usd" | "dollars" | "dollar", ..]) => (Kind::Dollars, 1),
        (None, "", ["of", "100", _]) => (Kind::Score, 2),
        (None, "", ["out", "of", "100"]) => (Kind::Score, 3),
        (Some('$'), "", _) => (Kind::Dollars, 0),
        (Some('#'), "", _) => (Kind::Rank, 0),
        (None, "", _) if is_ranked => (Kind::Rank, 0),
        (None, "", [unit, ..]) => (counted(unit).ok_or(Unreadable)?, 1),
        // `24h`, `7-day`.
        (None, unit, _) => (counted(unit.trim_start_matches('-')).ok_or(Unreadable)?, 0),
        _ => return Err(Unreadable),
    };
    if sign.is_some() && kind != Kind::Percent {
        return Err(Unreadable);
    }
    Ok(Some((Claim { value: value.normalize(), kind, sign }, length + more)))
}

/// What a count is of.
fn counted(unit: &str) -> Option<Kind> {
    Some(match unit {
        "s" | "sec" | "second" | "seconds" => Kind::Seconds,
        "min" | "minute" | "minutes" => Kind::Minutes,
        "h" | "hr" | "hrs" | "hour" | "hours" => Kind::Hours,
        "d" | "day" | "days" => Kind::Days,
        "asset" | "assets" | "coin" | "coins" => Kind::Assets,
        _ => return None,
    })
}

/// `97,012.34`, `97012.34`, `5.94e-6`, and what is glued to it.
fn number(text: &str) -> Option<(Decimal, &str)> {
    let end = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | ','))).unwrap_or(text.len());
    let (written, mut rest) = text.split_at(end);
    let (whole, fraction) = written.split_once('.').map_or((written, None), |(whole, fraction)| (whole, Some(fraction)));
    let groups: Vec<&str> = whole.split(',').collect();
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_grouped = groups.len() == 1 || (matches!(groups[0].len(), 1..=3) && groups[1..].iter().all(|group| group.len() == 3));
    let is_padded = whole.len() > 1 && whole.starts_with('0');
    if !is_grouped || is_padded || !groups.iter().all(|group| all_digits(group)) || !fraction.is_none_or(all_digits) {
        return None;
    }
    let mut value: Decimal = Decimal::from_str_exact(&written.replace(',', "")).ok()?;
    if let Some(power) = rest.strip_prefix("e-") {
        let digits = power.find(|c: char| !c.is_ascii_digit()).unwrap_or(power.len());
        value = value.checked_mul(Decimal::try_new(1, power[..digits].parse().ok()?).ok()?)?;
        rest = &power[digits..];
    }
    Some((value, rest))
}

fn scale(glued: &str) -> Option<u64> {
    Some(match glued {
        "K" | "k" => 1_000,
        "M" | "m" => 1_000_000,
        "B" | "bn" | "b" => 1_000_000_000,
        "T" => 1_000_000_000_000,
        _ => return None,
    })
}

fn scale_word(word: &str) -> Option<u64> {
    Some(match word {
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

    const FACTS: &str = "Bitcoin (BTC): $97,012.34 (+1.25% in 24 hours), 3 s ago, CoinGecko. Market cap $1.92T. SHIB $5.94e-6. ETH $3,500.00 (-0.80% in 24 hours). 10 assets. Fear & Greed index: 72 of 100, Greed, of 2026-01-01, Alternative.me. World Liberty (USD1): $1.00, rank #9. Bitcoin's share 56.31%.";

    #[test]
    fn figures_of_ours_pass_however_they_are_said() {
        for text in [
            FACTS
                .trim_end_matches("of 2026-01-01, Alternative.me. World Liberty (USD1): $1.00, rank #9. Bitcoin's share 56.31%."),
            "Bitcoin is at $97,012.34.",
            "It stands at 97012.34 dollars, up 1.25 percent in 24h.",
            "A market cap of $1.92 trillion, or $1.92T.",
            "SHIB costs $5.94e-6.",
            "Of 10 assets I follow, in the last 24 hours: Fear & Greed is at 72 of 100.",
            "The index is 72/100, that is greed; says Alternative.me.",
            "It rose.",
            "Bitcoin gained 1.25% while ETH slipped 0.80%.",
            "Bitcoin: $97,012.34 (+1.25%) – ETH: $3,500.00 (−0.80%).",
            "The 24‑hour change is +1.25%.",
            "USD1 is at $1.00 and is ranked #9, Bitcoin’s share is 56.31%.",
            "One of the largest coins, as prices in US dollars go.",
            "A chain of blocks that many keep a copy of.",
        ] {
            assert!(states_only(text, FACTS), "{text}");
        }
    }

    #[test]
    fn every_other_figure_is_found() {
        for text in [
            "Bitcoin is at $97,000.",
            "Bitcoin is at about 97k.",
            "Bitcoin is at ~$97,012.34.",
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
    fn amounts_in_words_pass_no_more_than_in_digits() {
        for text in [
            "It costs nineteen dollars.",
            "It costs zero dollars.",
            "It costs a dozen dollars.",
            "It costs twelve grand.",
            "It costs a quarter of a mil.",
            "It costs a dollar.",
            "It costs forty-two.",
            "It costs n i n e dollars.",
            "It costs nineteendollars.",
            "It is at one percent.",
            "It is worth two of the others.",
        ] {
            assert!(!states_only(text, FACTS), "{text}");
        }
    }

    #[test]
    fn a_small_figure_is_a_figure_and_its_unit_counts() {
        for text in [
            "It costs 12 euros.",
            "It costs €31.",
            "It costs £9.",
            "It costs 5 USDT.",
            "It costs 20 cents.",
            "It fell 20 pct.",
            "It is up 25 per cent.",
            "The 3 largest rose.",
            "Only 2 coins rose.",
            "It costs 10.",
            "It costs 10 BTC.",
            "It costs 1.25 euros.",
            "It is at 97,012.34.",
            "It is at 97,012.34 euros.",
            "In 3 days.",
        ] {
            assert!(!states_only(text, FACTS), "{text}");
        }
    }

    #[test]
    fn digits_that_are_glued_or_split_are_no_figure_of_ours() {
        for text in [
            "It costs USD12000.",
            "It costs a1000000.",
            "It costs v5000 dollars.",
            "It costs 12'000.",
            "It costs 9\u{2009}000 dollars.",
            "It costs 9 000 dollars.",
            "It costs 6 4 3 3 7.",
            "It costs $97,012.34 000.",
            "It costs $97,012.34.56.",
            "It costs 0x61.",
            "It costs US$97,012.34.",
            "It costs $97,012.34-5.",
            "It costs $097,012.34.",
            "It costs $9,7012.34.",
        ] {
            assert!(!states_only(text, FACTS), "{text}");
        }
    }

    #[test]
    fn a_change_goes_the_way_it_went() {
        for text in [
            "ETH rose by 0.80% today.",
            "ETH: +0.80%.",
            "ETH rose by -0.80%.",
            "Bitcoin fell by 1.25%.",
            "Bitcoin is down 1.25%, ETH up 0.80%.",
            "Bitcoin did not gain 1.25%.",
            "The change of Bitcoin is 1.25%.",
            "Bitcoin's share is up 56.31%.",
        ] {
            assert!(!states_only(text, FACTS), "{text}");
        }
        assert!(!states_only("Bitcoin rose today.", "ETH $3,500.00 (-0.80% in 24 hours)"));
        assert!(!states_only("ETH fell today.", "Bitcoin: $97,012.34 (+1.25% in 24 hours)"));
    }

    #[test]
    fn no_text_leads_anywhere() {
        for text in [
            "See https://evil.example/claim for more.",
            "See evil.example.",
            "Send it to bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq.",
            "Send it to 0x52908400098527886E0F7030069857D2E4169EE7.",
            "Write to me@evil.example.",
        ] {
            assert!(!states_only(text, FACTS), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_and_none_passes_with_a_figure_where_none_is_known(text in "\\PC{0,120}|[0-9.,$%#e/KMBT a-z-]{0,60}") {
            let _ = states_only(&text, FACTS);
            let _ = states_only(FACTS, &text);
            let without_a_day = !text.contains("24");
            if without_a_day && states_only(&text, "Nothing is known.") {
                prop_assert!(!text.contains(|c: char| c.is_numeric()), "{text}");
            }
        }

        #[test]
        fn a_price_that_is_ours_passes_and_its_neighbour_does_not(cents in 1_u32..=u32::MAX) {
            let price = |cents: u32| format!("${}", Decimal::new(cents.into(), 2));
            let facts = format!("Bitcoin (BTC): {}, 3 s ago.", price(cents));
            let said = |cents| format!("Bitcoin is at {} now.", price(cents));
            prop_assert!(states_only(&said(cents), &facts));
            prop_assert!(!states_only(&said(cents - 1), &facts));
        }
    }
}
