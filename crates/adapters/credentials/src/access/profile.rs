//! The outer shape of an access token, before its signature is looked at.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer};

use super::{
    TYPE,
    signing::{KeyAlgorithm, is_key_id},
};

/// Ours have about 480 bytes, those of the longest RSA key about 1200, and names in `iss` and `aud`.
const MAX_TOKEN: usize = 2048;

/// These fields and no other: what a header could add (`crit`, `jku`, `jwk`, `x5u`, `x5c`, `zip`, `b64`, `cty`) would
/// change how a token is to be read, and nothing here does what it says.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OurHeader {
    alg: String,
    typ: String,
    /// Left out or text, not null.
    #[serde(default, deserialize_with = "present")]
    kid: Option<String>,
}

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    String::deserialize(deserializer).map(Some)
}

/// By what a token says it was signed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Signer {
    /// The shared secret.
    Secret,
    /// The key of this name.
    Key(KeyAlgorithm, String),
}

/// By what a token says it was signed, if it is of three parts in canonical base64url, with our header, an object, and a
/// signature of the right length.
pub(super) fn check(token: &str) -> Option<Signer> {
    if token.len() > MAX_TOKEN {
        return None;
    }
    let mut parts = token.split('.');
    let (header, payload, signature) = (part(parts.next()?)?, part(parts.next()?)?, part(parts.next()?)?);
    // The brace, because a struct would be read from a list of its values, too.
    let objects = parts.next().is_none() && header.starts_with(b"{") && payload.starts_with(b"{");
    let header: OurHeader = serde_json::from_slice(&header).ok()?;
    if !objects || header.typ != TYPE {
        return None;
    }
    match (header.alg.as_str(), header.kid, signature.len()) {
        ("HS256", None, 32) => Some(Signer::Secret),
        ("EdDSA", Some(kid), 64) if is_key_id(&kid) => Some(Signer::Key(KeyAlgorithm::EdDsa, kid)),
        ("RS256", Some(kid), 384..=512) if is_key_id(&kid) => Some(Signer::Key(KeyAlgorithm::Rs256, kid)),
        _ => None,
    }
}

/// This engine takes no padding and no second spelling of the last character.
fn part(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok().filter(|bytes| !bytes.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(header: &str, payload: &str) -> String {
        signed(header, payload, 32)
    }

    fn signed(header: &str, payload: &str, signature: usize) -> String {
        [header.as_bytes(), payload.as_bytes(), &vec![0; signature]].map(|part| URL_SAFE_NO_PAD.encode(part)).join(".")
    }

    #[test]
    fn each_algorithm_has_its_signature_and_only_keys_have_names() {
        let kid = "0123456789abcdef0123456789abcdef";
        let of =
            |alg: &str, kid: &str, length| check(&signed(&format!(r#"{{"alg":"{alg}","typ":"at+jwt"{kid}}}"#), "{}", length));
        let named = |kid: &str| format!(r#","kid":"{kid}""#);
        assert_eq!(of("EdDSA", &named(kid), 64), Some(Signer::Key(KeyAlgorithm::EdDsa, kid.into())));
        assert_eq!(of("RS256", &named(kid), 384), Some(Signer::Key(KeyAlgorithm::Rs256, kid.into())));
        for (alg, name, length) in [
            ("HS256", named(kid), 32),
            ("EdDSA", String::new(), 64),
            ("RS256", String::new(), 384),
            ("RS256", named(kid), 256),
            ("EdDSA", named(kid), 63),
            ("RS256", named(kid), 64),
            ("RS256", named(kid), 513),
            ("EdDSA", r#","kid":null"#.into(), 64),
            ("HS256", r#","kid":null"#.into(), 32),
            ("EdDSA", named(&kid.to_uppercase()), 64),
            ("EdDSA", named(&kid.repeat(9)), 64),
        ] {
            assert_eq!(of(alg, &name, length), None, "{alg} {name} {length}");
        }
    }

    #[test]
    fn objects_are_read_and_lists_of_the_same_values_are_not() {
        let header = r#"{"typ":"at+jwt","alg":"HS256"}"#;
        assert_eq!(check(&token(header, "{}")), Some(Signer::Secret));
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
