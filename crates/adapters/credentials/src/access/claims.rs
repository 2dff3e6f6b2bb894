use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

/// All of them required, in types that admit one spelling: a number is an integer, never text or a fraction, and `aud` is one
/// name, never a list. A name that stands twice is an error. Further claims are ignored, as RFC 7519, 4, asks.
#[derive(Serialize, Deserialize)]
pub(super) struct Claims {
    pub(super) iss: String,
    pub(super) aud: String,
    pub(super) sub: String,
    pub(super) sid: String,
    #[serde(rename = "gen")]
    pub(super) generation: u32,
    pub(super) iat: u64,
    pub(super) nbf: u64,
    pub(super) exp: u64,
    pub(super) jti: String,
}

/// Of the one spelling we write: lower case, with hyphens.
pub(super) fn canonical_uuid(text: &str) -> Option<Uuid> {
    let id = Uuid::try_parse(text).ok()?;
    (id.hyphenated().encode_lower(&mut Uuid::encode_buffer()) == text).then_some(id)
}

/// Seconds since 1970, up to the end of the year 9999.
pub(super) fn moment(seconds: u64) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp(i64::try_from(seconds).ok()?).ok()
}
