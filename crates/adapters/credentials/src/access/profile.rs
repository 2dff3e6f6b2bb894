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
