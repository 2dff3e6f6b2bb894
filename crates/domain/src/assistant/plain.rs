//! Texts of others, made plain: no control characters, no tags, no markup.

/// The longest line of somebody else's text that is passed on, in characters.
const LONGEST_LINE: usize = 300;

/// Characters of a question that are looked at.
const LONGEST_QUESTION: usize = 2_000;

/// Characters that change how text around them is shown without being seen themselves.
pub(super) const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// A title, a name: on one line, without tags, cut to 300 characters.
#[must_use]
pub fn one_line(text: &str) -> String {
    let shown: String =
        text.chars().map(|c| if c.is_whitespace() || c.is_control() { ' ' } else { c }).filter(|c| !is_invisible(*c)).collect();
    let shown = without_tags(&shown);
    let words: Vec<&str> = shown.split(' ').filter(|word| !word.is_empty()).collect();
    words.join(" ").chars().take(LONGEST_LINE).collect()
}

/// What a model wrote: without control characters but line feeds, without tags and without the marks of markdown.
#[must_use]
pub fn plain_text(text: &str) -> String {
    let seen: String = text.chars().filter(|c| *c == '\n' || !(c.is_control() || is_invisible(*c))).collect();
    let untagged = without_tags(&seen);
    let mut plain = String::with_capacity(untagged.len());
    let mut empty = 0;
    for line in untagged.lines() {
        let line = without_marks(line);
        empty = if line.is_empty() { empty + 1 } else { 0 };
        if empty < 2 {
            plain.push_str(&line);
            plain.push('\n');
        }
    }
    plain.trim().to_owned()
}

/// Removes everything from `<` before a letter, `/` or `!` up to the `>` after it, or to the end.
fn without_tags(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        let (before, from) = rest.split_at(at);
        kept.push_str(before);
        let is_tag = from[1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!');
        rest = match from.find('>') {
            Some(end) if is_tag => &from[end + 1..],
            None if is_tag => "",
            _ => {
                kept.push_str("less than ");
                &from[1..]
            }
        };
    }
    kept.push_str(rest);
    kept.replace('>', "")
}

/// A question as text alone: without scripts, styles and tags, so that their words are not taken for the asker's. A lone `<` stays.
pub(super) fn without_markup(text: &str) -> String {
    let mut kept = String::with_capacity(text.len().min(LONGEST_QUESTION));
    let end = text.char_indices().nth(LONGEST_QUESTION).map_or(text.len(), |(end, _)| end);
    let mut rest = &text[..end];
    while let Some(at) = rest.find('<') {
        let (before, from) = rest.split_at(at);
        kept.push_str(before);
        let is_tag = from[1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!');
        let after = from.find('>').filter(|_| is_tag).map(|close| &from[close + 1..]);
        let Some(after) = after else {
            kept.push('<');
            rest = &from[1..];
            continue;
        };
        let lower = from.to_ascii_lowercase();
        let whole = ["script", "style"].iter().filter(|name| lower[1..].starts_with(**name)).find_map(|name| {
            let close = lower.find(&format!("</{name}"))?;
            Some(from[close..].find('>').map_or("", |end| &from[close + end + 1..]))
        });
        kept.push(' ');
        rest = whole.unwrap_or(after);
    }
    kept.push_str(rest);
    kept
}

fn without_marks(line: &str) -> String {
    let line = line.trim_end().replace("**", "").replace("__", "").replace('`', "");
    let line = line.trim_start_matches('#');
    line.strip_prefix("* ").map_or_else(|| line.trim().to_owned(), |item| format!("- {}", item.trim()))
}

/// At most `longest` characters of a text that broke off or is too long, up to the end of its last whole sentence; `None` where it has none.
#[must_use]
pub fn whole_sentences(text: &str, longest: usize) -> Option<String> {
    let end = text.char_indices().nth(longest).map_or(text.len(), |(end, _)| end);
    let within = &text[..end];
    let mut last = within.char_indices().filter(|(at, c)| {
        let after = within[at + c.len_utf8()..].chars().next();
        matches!(c, '.' | '!' | '?' | '…') && after.is_some_and(char::is_whitespace)
            || (matches!(c, '.' | '!' | '?' | '…')
                && after.is_none()
                && end < text.len()
                && text[end..].starts_with(char::is_whitespace))
            || *c == '\n'
    });
    let end = last.next_back().map(|(at, c)| at + c.len_utf8())?;
    let cut = within[..end].trim();
    (!cut.is_empty()).then(|| cut.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn tags_controls_and_marks_are_gone() {
        for (text, plain) in [
            ("<b>BTC</b> is up", "BTC is up"),
            ("a <script>alert(1)</script> b", "a alert(1) b"),
            ("a < b and b > c", "a less than  b and b  c"),
            ("cut <a href=", "cut"),
            ("**bold** `code`\n## title\n* item", "bold code\ntitle\n- item"),
            ("bell\u{7} and\u{202e} back\r\n\n\n\nend", "bell and back\n\nend"),
            ("<<b>script>x", "less than script>x"),
        ] {
            assert_eq!(plain_text(text), plain.replace('>', ""), "{text:?}");
        }
    }

    #[test]
    fn of_a_question_only_its_text_is_read() {
        for (text, plain) in [
            ("<script>alert(1)</script> price of btc", "  price of btc"),
            ("<SCRIPT src=x>alert(1)</SCRIPT >btc", " btc"),
            ("<img src=x onerror=alert(1)> btc", "  btc"),
            ("is btc < eth", "is btc < eth"),
            ("<b>btc</b>", " btc "),
            ("<script>btc", " btc"),
            ("btc <a", "btc <a"),
        ] {
            assert_eq!(without_markup(text), plain, "{text}");
        }
    }

    #[test]
    fn what_broke_off_ends_with_its_last_whole_sentence() {
        assert_eq!(whole_sentences("One is 1.5 high. Two is 2.", 4_000).as_deref(), Some("One is 1.5 high."));
        assert_eq!(whole_sentences("A line\nanother", 4_000).as_deref(), Some("A line"));
        assert_eq!(whole_sentences("One. Two. Three.", 9).as_deref(), Some("One. Two."));
        assert_eq!(whole_sentences("it is at 97,012", 4_000), None);
        assert_eq!(whole_sentences("", 10), None);
    }

    proptest! {
        #[test]
        fn whatever_comes_is_plain_in_the_end(text in "\\PC{0,200}|[<>a/! \u{0}-\u{1f}\u{202a}-\u{202f}]{0,80}") {
            let plain = plain_text(&text);
            prop_assert!(!plain.contains(['<', '>']));
            prop_assert!(plain.chars().all(|c| c == '\n' || !c.is_control()));
            prop_assert!(!one_line(&text).contains('\n'));
            if let Some(cut) = whole_sentences(&text, 50) {
                prop_assert!(cut.chars().count() <= 50 && !cut.is_empty());
            }
        }
    }
}
