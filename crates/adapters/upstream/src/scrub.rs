//! Clears provider texts of what must not reach logs, users or the operator's screen.

/// The longest detail, in characters.
const LONGEST: usize = 200;
const MASK: &str = "***";

/// `text` without `key`, without the query of any URL in it, on one line, cut to 200 characters.
pub(crate) fn scrub(text: &str, key: Option<&str>) -> String {
    let unkeyed = match key {
        Some(key) if !key.is_empty() => without(text, key),
        _ => text.to_owned(),
    };
    let mut clean = String::new();
    for word in unkeyed.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        if !clean.is_empty() {
            clean.push(' ');
        }
        match word.split_once('?') {
            Some((address, _)) if address.contains('/') => clean.push_str(address),
            _ => clean.push_str(word),
        }
    }
    // The key is gone before the cut: a cut through it would leave half of it behind.
    match clean.char_indices().nth(LONGEST) {
        Some((end, _)) => {
            clean.truncate(end);
            clean
        }
        None => clean,
    }
}

/// Providers may echo a key in another case.
fn without(text: &str, key: &str) -> String {
    let (haystack, needle) = (text.to_ascii_lowercase(), key.to_ascii_lowercase());
    let mut kept = String::with_capacity(text.len());
    let mut from = 0;
    for (at, found) in haystack.match_indices(&needle) {
        kept.push_str(&text[from..at]);
        kept.push_str(MASK);
        from = at + found.len();
    }
    kept.push_str(&text[from..]);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_key_echoed_in_any_case_is_masked() {
        assert_eq!(scrub("Key CG-secret1 / cg-SECRET1 is wrong", Some("CG-secret1")), "Key *** / *** is wrong");
    }

    #[test]
    fn the_query_of_an_address_is_dropped_and_a_question_is_not() {
        assert_eq!(scrub("GET https://h/p?x_cg_demo_api_key=1 failed. Why? /a/b?c", None), "GET https://h/p failed. Why? /a/b");
    }

    #[test]
    fn it_is_one_line_of_at_most_two_hundred_characters() {
        let text = format!("a\r\nb\u{7}c{}", "é".repeat(500));
        let clean = scrub(&text, None);
        assert_eq!(clean.chars().count(), 200);
        assert!(clean.starts_with("a b cé"));
    }

    proptest! {
        #[test]
        fn no_text_carries_the_key_out(before in "\\PC{0,250}", after in "\\PC{0,20}", key in "[A-Za-z0-9-]{8,40}") {
            let clean = scrub(&format!("{before}{key}{after}"), Some(&key));
            prop_assert!(!clean.to_ascii_lowercase().contains(&key.to_ascii_lowercase()));
        }
    }
}
