//! Takes out of a message what nobody else is to know: addresses, query strings, and whatever looks like a token or a password.

/// Nobody reads further.
const LONGEST: usize = 1_000;
/// A name of ours is shorter, or has no digit and capital in it.
const SHORTEST_TOKEN: usize = 12;
/// What is said after one of these is not for others.
const TELLING: [&str; 8] = ["password", "passwd", "secret", "token", "key", "code", "cookie", "authorization"];

/// `text` without them. It may take too much; it is meant for a message that was already written with care.
pub(super) fn scrub(text: &str) -> String {
    let text = &text[..text.floor_char_boundary(LONGEST)];
    let (mut clean, mut told) = (String::with_capacity(text.len()), false);
    for (at, word) in text.split(char::is_whitespace).enumerate() {
        if at > 0 {
            clean.push(' ');
        }
        if told && !word.is_empty() {
            clean.push_str("[masked]");
            told = word.eq_ignore_ascii_case("bearer") || word.eq_ignore_ascii_case("basic");
        } else {
            told = is_telling(word);
            push_word(&mut clean, word);
        }
    }
    clean
}

/// `password:`, whose value is the next word.
fn is_telling(word: &str) -> bool {
    word.strip_suffix([':', '=']).is_some_and(names_a_secret) || word.eq_ignore_ascii_case("bearer")
}

fn names_a_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    TELLING.iter().any(|telling| name.ends_with(telling))
}

fn push_word(clean: &mut String, word: &str) {
    if word.contains('@') {
        return clean.push_str("[address]");
    }
    let (word, query) = word.split_once('?').map_or((word, false), |(before, after)| (before, !after.is_empty()));
    let mut masked = false;
    for part in word.split_inclusive(|letter: char| !is_of_token(letter)) {
        let body = part.trim_end_matches(|letter| !is_of_token(letter));
        let separator = &part[body.len()..];
        if masked && !body.is_empty() || is_token(body) {
            clean.push_str("[masked]");
            masked = false;
        } else {
            clean.push_str(body);
        }
        masked |= matches!(separator, ":" | "=") && names_a_secret(body);
        clean.push_str(separator);
    }
    if query {
        clean.push_str("?[masked]");
    }
}

const fn is_of_token(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.' | '+')
}

fn is_token(word: &str) -> bool {
    let count = |of: fn(&u8) -> bool| word.bytes().filter(of).count();
    let (digits, capitals) = (count(u8::is_ascii_digit), count(u8::is_ascii_uppercase));
    word.len() >= SHORTEST_TOKEN && digits > 0 && (capitals > 0 || digits * 5 >= word.len())
        || word.len() >= 32 && word.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
        || word.len() >= 40 && !word.contains(['_', '.'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_an_operator_needs_stays() {
        for text in [
            "the store is unavailable: connection refused (os error 111)",
            "relation \"sessions_by_user_and_device\" does not exist",
            "coinlink_postgres::identity::store: pool timed out while waiting for an open connection",
            "coingecko: status 503 the service is down",
            "index out of bounds: the len is 3 but the index is 7",
            "no answer within 100ms",
        ] {
            assert_eq!(scrub(text), text);
        }
    }

    #[test]
    fn addresses_queries_and_secrets_go() {
        for (text, clean) in [
            ("no such user: ada@example.org", "no such user: [address]"),
            ("postgres://app:hunter2@db:5432/coinlink is away", "[address] is away"),
            ("GET /verify?token=abc&x=1 failed", "GET /verify?[masked] failed"),
            ("token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln-bmF0", "token [masked]"),
            ("password: hunter2 is wrong", "password: [masked] is wrong"),
            ("Authorization: Bearer abc", "Authorization: [masked] [masked]"),
            ("api_key=abc, next", "api_key=[masked], next"),
            ("value \"Correct-horse-9-battery\" does not fit", "value \"[masked]\" does not fit"),
            ("secret JBSWY3DPEHPK3PXP", "secret [masked]"),
            ("id 0b5c8a0e-6a55-4d2f-9a6b-0f8a1c2d3e4f", "id [masked]"),
        ] {
            assert_eq!(scrub(text), clean);
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_and_none_keeps_an_address(text in ".{0,1200}") {
            prop_assert!(!scrub(&text).contains('@'));
        }

        #[test]
        fn no_token_comes_through_wherever_it_stands(
            before in "[a-z ,:=\"(]{0,20}",
            token in "[A-Z]{4}[a-zA-Z0-9_-]{30}[0-9]{4}",
            after in "[ ,.)\"]{0,4}",
        ) {
            let text = format!("{before}{token}{after}");
            prop_assert!(!scrub(&text).contains(&token));
        }
    }
}
