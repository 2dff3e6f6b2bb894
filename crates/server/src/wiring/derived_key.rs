//! Keys for one purpose each, made of the secret that every node has and that is never changed.

use coinlink_domain::assistant::VisitorKey;
use hkdf::Hkdf;
use secrecy::ExposeSecret as _;
use sha2::Sha256;

use crate::config::Settings;

/// Tells this key from others derived of the same secret.
const VISITORS: &[u8] = b"coinlink visitor sessions v1";

/// What tells visitors' sessions that were given out from others, on all nodes and over restarts.
pub fn visitor_key(settings: &Settings) -> VisitorKey {
    VisitorKey::new(derived_key(settings, VISITORS))
}

/// Of the pepper.
pub(super) fn derived_key(settings: &Settings, purpose: &[u8]) -> [u8; 32] {
    let pepper = settings.auth.password_pepper.as_ref().map_or("", |pepper| pepper.expose_secret());
    let mut key = [0; 32];
    // 32 bytes are one block of the hash: no length that could be refused.
    let _ = Hkdf::<Sha256>::new(None, pepper.as_bytes()).expand(purpose, &mut key);
    key
}
