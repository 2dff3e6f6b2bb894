//! PKCS#8 keys as text (RFC 7468): one key a file, and nothing else in it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";
/// Of RFC 7468.
const LINE: usize = 64;

pub(super) fn encode(der: &[u8]) -> Zeroizing<String> {
    let body = Zeroizing::new(STANDARD.encode(der));
    // As long as it gets, so that no copy is left behind.
    let mut text = Zeroizing::new(String::with_capacity(body.len() * 2 + BEGIN.len() + END.len() + 3));
    text.push_str(BEGIN);
    for (at, letter) in body.chars().enumerate() {
        if at % LINE == 0 {
            text.push('\n');
        }
        text.push(letter);
    }
    text.extend(["\n", END, "\n"]);
    text
}

/// The key's bytes; `None` where the text is no such key.
pub(super) fn decode(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let body = text.trim_ascii().strip_prefix(BEGIN)?.strip_suffix(END)?;
    let mut letters = Zeroizing::new(String::with_capacity(body.len()));
    letters.extend(body.chars().filter(|letter| !letter.is_ascii_whitespace()));
    STANDARD.decode(letters.as_bytes()).ok().map(Zeroizing::new).filter(|der| !der.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn other_kinds_of_keys_and_more_than_one_are_no_key() {
        let good = encode(&[7; 48]);
        assert_eq!(decode(&good).unwrap().as_slice(), [7; 48]);
        assert_eq!(decode(&good.replace('\n', "\r\n")).unwrap().as_slice(), [7; 48]);
        for bad in [good.replace("PRIVATE", "PUBLIC"), good.replace("PRIVATE", "RSA PRIVATE"), good.repeat(2), String::new()] {
            assert!(decode(&bad).is_none(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_again_in_lines_of_sixty_four(der in prop::collection::vec(any::<u8>(), 1..600)) {
            let text = encode(&der);
            prop_assert!(text.lines().all(|line| line.len() <= LINE));
            prop_assert_eq!(decode(&text).unwrap().to_vec(), der);
        }

        #[test]
        fn no_text_panics(text in any::<String>(), body in "[A-Za-z0-9+/= \n]{0,80}") {
            let _ = decode(&text);
            let _ = decode(&format!("{BEGIN}{body}{END}"));
        }
    }
}
