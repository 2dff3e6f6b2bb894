use std::sync::Arc;

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use coinlink_credentials::{JwtAccessTokens, JwtSettings, KeyFolder, KeyListing, NewKey, SigningKeys};
use coinlink_domain::identity::{LEEWAY, SessionId, UserId, signing_keys::RotationPolicy};
use coinlink_ports::{
    identity::{AccessGrant, PublicKey, PublicKeyMaterial},
    shared::Clock as _,
};
use coinlink_testkit::shared::StoppedClock;
use serde_json::{Value, json};
use tempfile::TempDir;
use time::{Duration, OffsetDateTime, macros::datetime};
use uuid::Uuid;

pub(crate) const SECRET: &str = "a secret of at least thirty-two bytes";
pub(crate) const NOON: OffsetDateTime = datetime!(2026-01-01 12:00 UTC);
pub(crate) const TTL: Duration = Duration::minutes(15);
pub(crate) const POLICY: RotationPolicy = RotationPolicy { publish: Duration::minutes(10), overlap: Duration::minutes(16) };
/// How long keys are kept after they retired.
pub(crate) const KEEP: Duration = Duration::days(7);
pub(crate) const ID: Uuid = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0007);

pub(crate) fn settings() -> JwtSettings {
    JwtSettings { secret: SECRET.into(), issuer: "coinlink-api".into(), audience: "coinlink-app".into(), leeway: LEEWAY }
}

/// A folder with one key, and a clock that says noon.
pub(crate) struct Place {
    pub(crate) root: TempDir,
    pub(crate) clock: Arc<StoppedClock>,
    pub(crate) first: KeyListing,
}

impl Place {
    pub(crate) fn with(new: NewKey) -> Self {
        let (root, clock) = (tempfile::tempdir().unwrap(), Arc::new(StoppedClock::at(NOON)));
        let first = KeyFolder::at(root.path()).generate(new, Duration::ZERO, NOON).unwrap();
        Self { root, clock, first }
    }

    pub(crate) fn folder(&self) -> KeyFolder {
        KeyFolder::at(self.root.path())
    }

    pub(crate) fn rotate(&self) -> KeyListing {
        self.folder().rotate(None, POLICY, KEEP, self.clock.now()).unwrap()
    }

    /// The keys as one node has them.
    pub(crate) fn keys(&self) -> Arc<SigningKeys> {
        Arc::new(SigningKeys::open(self.folder(), Arc::clone(&self.clock) as _).unwrap())
    }

    /// Tokens of a node that believes no shared secret.
    pub(crate) fn tokens(&self) -> JwtAccessTokens {
        JwtAccessTokens::with_keys(&settings(), self.keys(), false).unwrap()
    }

    /// Signs as somebody would who has the key's file and none of our code.
    pub(crate) fn signer(&self, kid: &str) -> impl Fn(&[u8]) -> Vec<u8> + use<> {
        let text = std::fs::read_to_string(self.root.path().join(format!("{kid}.pem"))).unwrap();
        let body: String = text.lines().filter(|line| !line.starts_with('-')).collect();
        let der = STANDARD.decode(body).unwrap();
        move |message| {
            if let Ok(pair) = Ed25519KeyPair::from_pkcs8(&der) {
                return pair.sign(message).as_ref().to_vec();
            }
            let pair = RsaKeyPair::from_pkcs8(&der).unwrap();
            let mut signature = vec![0; pair.public_modulus_len()];
            pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).unwrap();
            signature
        }
    }
}

pub(crate) fn grant_at(issued_at: OffsetDateTime) -> AccessGrant {
    AccessGrant { user: UserId(ID), session: SessionId(ID), generation: 3, issued_at, expires_at: issued_at + TTL }
}

pub(crate) fn claims_at(issued_at: OffsetDateTime) -> Value {
    let iat = issued_at.unix_timestamp();
    json!({
        "iss": "coinlink-api", "aud": "coinlink-app", "sub": ID.to_string(), "sid": ID.to_string(), "gen": 3,
        "iat": iat, "nbf": iat, "exp": (issued_at + TTL).unix_timestamp(), "jti": ID.to_string()
    })
}

pub(crate) fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A token of these parts, signed so.
pub(crate) fn signed(header: &Value, claims: &Value, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let message = format!("{}.{}", text(header.to_string().as_bytes()), text(claims.to_string().as_bytes()));
    format!("{message}.{}", text(&sign(message.as_bytes())))
}

/// The header of a token, as any reader sees it.
pub(crate) fn header_of(token: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap()).unwrap()
}

/// As others are shown it.
pub(crate) fn jwk(key: &PublicKey) -> Value {
    match &key.material {
        PublicKeyMaterial::Ed25519 { x } => {
            json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": key.id, "x": text(x) })
        }
        PublicKeyMaterial::Rsa { n, e } => {
            json!({ "kty": "RSA", "alg": "RS256", "use": "sig", "kid": key.id, "n": text(n), "e": text(e) })
        }
    }
}
