//! Texts of others as plain text: what they write is shown by pages and sent over sockets, so nothing in it may be markup.

use std::iter::Peekable;

/// Longer texts are cut before they are looked at.
const LOOKED_AT: usize = 4096;
const ENTITIES: [(&str, char); 8] = [
    ("&amp;", '&'),
    ("&lt;", '<'),
    ("&gt;", '>'),
    ("&quot;", '"'),
    ("&#39;", '\''),
    ("&#039;", '\''),
    ("&apos;", '\''),
    ("&nbsp;", ' '),
];

/// `text` on one line, without tags, control characters and marks that turn or hide text, at most `longest` characters; cut, it
/// ends in `…`.
#[must_use]
pub fn plain_text(text: &str, longest: usize) -> String {
    let text: String = text.chars().take(LOOKED_AT).collect();
    let decoded = decoded(&text);
    let plain = untagged(&decoded).unwrap_or(decoded);
    let visible = |c: char| !is_mark(c);
    let words = plain.split(|c: char| c.is_whitespace() || c.is_control()).map(|word| word.chars().filter(|c| visible(*c)));
    let words: Vec<String> = words.map(Iterator::collect).filter(|word: &String| !word.is_empty()).collect();
    shortened(words.join(" "), longest)
}

fn shortened(text: String, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text;
    }
    let kept: String = text.chars().take(longest.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end()).chars().take(longest).collect()
}

fn decoded(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        let (before, entity) = rest.split_at(at);
        decoded.push_str(before);
        let known = ENTITIES.iter().find(|(name, _)| entity.starts_with(name));
        let (name, character) = known.map_or(("&", '&'), |(name, character)| (*name, *character));
        decoded.push(character);
        rest = &entity[name.len()..];
    }
    decoded.push_str(rest);
    decoded
}

/// `None` where there is no tag. Marks that are not seen do not hide one.
fn untagged(text: &str) -> Option<String> {
    let mut found = false;
    let mut kept = String::with_capacity(text.len());
    let mut characters = text.chars().filter(|c| !is_mark(*c)).peekable();
    while let Some(c) = characters.next() {
        if c == '<' && begins_tag(&mut characters) {
            found = true;
            // Pages take a tag without an end as one to the end of the text.
            while characters.next().is_some_and(|c| c != '>') {}
            // What stands around a tag must not become one once it is gone.
            kept.push(' ');
        } else {
            kept.push(c);
        }
    }
    found.then_some(kept)
}

fn begins_tag(rest: &mut Peekable<impl Iterator<Item = char>>) -> bool {
    rest.peek().is_some_and(|next| next.is_ascii_alphabetic() || matches!(next, '/' | '!' | '?'))
}

/// Marks without width, those that turn the direction of what follows, and control characters that are no space.
const fn is_mark(c: char) -> bool {
    matches!(
        c,
        '\u{0}'..='\u{8}' | '\u{e}'..='\u{1f}' | '\u{7f}'..='\u{84}' | '\u{86}'..='\u{9f}' | '\u{ad}' | '\u{61c}' | '\u{180e}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn tags_marks_and_line_ends_go_and_words_stay() {
        for (text, expected) in [
            ("<p>Bitcoin <b>rallies</b>\r\n past&nbsp;$64k</p>", "Bitcoin rallies past $64k"),
            ("Miners &amp; markets", "Miners & markets"),
            ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
            ("a <script>alert(1)", "a alert(1)"),
            ("a <script src=x onerror=y", "a"),
            ("<<b>script>x</<i>script>", "< script>x script>"),
            ("&lt;img src=x&gt;ok", "ok"),
            ("\u{202e}evil\u{200b}text\u{7}", "eviltext"),
            ("<\u{200b}b>bold", "bold"),
            ("\u{0}\t ", ""),
        ] {
            assert_eq!(plain_text(text, 80), expected, "{text:?}");
        }
    }

    #[test]
    fn a_long_text_is_cut_and_says_so() {
        assert_eq!(plain_text("Bitcoin rallies", 15), "Bitcoin rallies");
        assert_eq!(plain_text("Bitcoin rallies", 9), "Bitcoin…");
        assert_eq!(plain_text("é".repeat(9000).as_str(), 300).chars().count(), 300);
        assert_eq!(plain_text("abc", 0), "");
    }

    proptest! {
        #[test]
        fn no_text_keeps_a_tag_a_control_character_or_too_much(text in "(<|>|/|!|&lt;|&amp;|b|script| |\u{200b}|\u{0}|\\PC){0,60}", longest in 0_usize..50) {
            let plain = plain_text(&text, longest);
            prop_assert!(plain.chars().count() <= longest);
            prop_assert!(!plain.chars().any(|c| c.is_control() || is_mark(c)), "{plain:?}");
            prop_assert!(untagged(&plain).is_none(), "{plain:?}");
        }

        #[test]
        fn no_characters_panic(text: String, longest in 0_usize..50) {
            let _ = plain_text(&text, longest);
        }
    }
}
