//! `GET /.well-known/jwks.json`: the keys others check access tokens with.

use actix_web::web::Data;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use coinlink_ports::identity::{PublicKey, PublicKeyMaterial, PublicKeys};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Conditional, conditional::Unchanged};

/// Others keep their copy for so long: a new key is published for longer than that before it signs.
pub const MAX_AGE_SECS: u32 = 300;
const CACHE: &str = "public, max-age=300";

/// Keys in the form of RFC 7517.
#[derive(Serialize, ToSchema)]
pub(super) struct JwksBody {
    /// Those that sign, those that will, and those whose tokens are still good. None where tokens are signed with a shared secret.
    pub keys: Vec<JwkBody>,
}

/// A public key: `x` with `kty` `OKP`, `n` and `e` with `RSA`.
#[derive(Serialize, ToSchema)]
pub(super) struct JwkBody {
    /// The name that tokens give it.
    pub kid: String,
    pub kty: Kty,
    pub alg: Alg,
    /// What it is for: signatures.
    #[serde(rename = "use")]
    pub usage: Usage,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub crv: Option<Curve>,
    /// The point in base64url.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub x: Option<String>,
    /// The modulus in base64url.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub n: Option<String>,
    /// The exponent in base64url.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub e: Option<String>,
}

/// The kind of key.
#[derive(Serialize, ToSchema)]
pub(super) enum Kty {
    #[serde(rename = "OKP")]
    Okp,
    #[serde(rename = "RSA")]
    Rsa,
}

/// The one algorithm the key is for.
#[derive(Serialize, ToSchema)]
pub(super) enum Alg {
    #[serde(rename = "EdDSA")]
    EdDsa,
    #[serde(rename = "RS256")]
    Rs256,
}

/// What the key is for.
#[derive(Serialize, ToSchema)]
pub(super) enum Usage {
    #[serde(rename = "sig")]
    Signature,
}

/// The curve of the point.
#[derive(Serialize, ToSchema)]
pub(super) enum Curve {
    Ed25519,
}

impl From<PublicKey> for JwkBody {
    fn from(key: PublicKey) -> Self {
        let text = |bytes: Vec<u8>| Some(URL_SAFE_NO_PAD.encode(bytes));
        let bare = |kty, alg| Self { kid: key.id, kty, alg, usage: Usage::Signature, crv: None, x: None, n: None, e: None };
        match key.material {
            PublicKeyMaterial::Ed25519 { x } => Self { crv: Some(Curve::Ed25519), x: text(x), ..bare(Kty::Okp, Alg::EdDsa) },
            PublicKeyMaterial::Rsa { n, e } => Self { n: text(n), e: text(e), ..bare(Kty::Rsa, Alg::Rs256) },
        }
    }
}

/// The keys access tokens are signed with.
///
/// A new key is here for at least ten minutes before it signs, and an old one until the last token it signed has expired, unless it was
/// revoked. Ask again when a token names a key you do not know, but not for every such token.
#[utoipa::path(
    get,
    path = "/.well-known/jwks.json",
    tag = "auth",
    operation_id = "jwks",
    responses(
        (status = 200, description = "The keys", body = JwksBody),
        Unchanged
    )
)]
pub(super) async fn jwks(keys: Data<dyn PublicKeys>) -> Conditional {
    let body = JwksBody { keys: keys.known().into_iter().map(JwkBody::from).collect() };
    Conditional::shared("jwks", &body, CACHE)
}
