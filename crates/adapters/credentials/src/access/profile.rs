//! The outer shape of an access token, before its signature is looked at.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;

use super::TYPE;

/// Ours have about 480 bytes, and names in `iss` and `aud`.
const MAX_TOKEN: usize = 2048;
const SIGNATURE: usize = 32;

/// Both fields and no other: what a header could add (`crit`, `jku`, `jwk`, `x5u`, `x5c`, `kid`, `zip`, `b64`, `cty`) would
/// change how a token is to be read, and nothing here does what it says.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OurHeader {
    alg: String,
    typ: String,
}

/// Whether a token is of three parts in canonical base64url, with our header, an object, and a signature of the right length.
pub(super) fn check(token: &str) -> Option<()> {
    if token.len() > MAX_TOKEN {
        return None;
    }
    let mut parts = token.split('.');
    let (header, payload, signature) = (part(parts.next()?)?, part(parts.next()?)?, part(parts.next()?)?);
    // The brace, because a struct would be read from a list of its values, too.
    let objects = parts.next().is_none() && header.starts_with(b"{") && payload.starts_with(b"{");
    let header: OurHeader = serde_json::from_slice(&header).ok()?;
    (objects && header.alg == "HS256" && header.typ == TYPE && signature.len() == SIGNATURE).then_some(())
}

/// This engine takes no padding and no second spelling of the last character.
fn part(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok().filter(|bytes| !bytes.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(header: &str, payload: &str) -> String {
        [header.as_bytes(), payload.as_bytes(), &[0; SIGNATURE]].map(|part| URL_SAFE_NO_PAD.encode(part)).join(".")
    }

    #[test]
    fn objects_are_read_and_lists_of_the_same_values_are_not() {
        let header = r#"{"typ":"at+jwt","alg":"HS256"}"#;
        assert_eq!(check(&token(header, "{}")), Some(()));
        assert_eq!(check(&token(r#"["HS256","at+jwt"]"#, "{}")), None);
        assert_eq!(check(&token(header, "[]")), None);
    }

    #[test]
    fn two_kibibytes_are_the_most() {
        let header = r#"{"typ":"at+jwt","alg":"HS256"}"#;
        let token = |spaces: usize| token(header, &format!("{{{}}}", " ".repeat(spaces)));
        let spaces = (0..2_000).take_while(|spaces| token(*spaces).len() <= MAX_TOKEN).last().unwrap_or_default();
        assert!(check(&token(spaces)).is_some());
        assert!(check(&token(spaces + 1)).is_none());
    }
}
