use rusty_paseto::core::{ImplicitAssertion, Key, Local, Paseto, PasetoNonce, PasetoSymmetricKey, Payload, V4};
use secrecy::SecretString;
use zeroize::Zeroizing;

use coinlink_ports::identity::SigningError;

use crate::{CredentialsError, keys};

/// Longer than any token of ours.
const MAX_TOKEN: usize = 1024;

/// Encrypts what only this service reads: PASETO v4.local under a key of one purpose.
///
/// The nonce is not drawn but computed from the payload with a key of its own, so that the same payload gives the same token.
/// That is safe, because a nonce must never serve two payloads, and two payloads have the same nonce only where
/// HMAC-SHA-256 collides. What it costs is that equal payloads can be seen to be equal, and giving out the same token for the
/// same payload is what it is for. It is the idea of SIV modes (RFC 5297); v4.local derives its keys from the nonce, too.
pub(crate) struct Sealer {
    purpose: &'static str,
    key: PasetoSymmetricKey<V4, Local>,
    nonce_key: Zeroizing<[u8; 32]>,
}

impl Sealer {
    /// For tokens of one `purpose`, which no other kind of token may share.
    pub(crate) fn new(secret: &SecretString, purpose: &'static str) -> Result<Self, CredentialsError> {
        let key = keys::derive(secret, &format!("coinlink {purpose} v4.local"))?;
        let nonce_key = keys::derive(secret, &format!("coinlink {purpose} nonce"))?;
        Ok(Self { purpose, key: Key::from(&*key).into(), nonce_key })
    }

    pub(crate) fn seal(&self, payload: &str) -> Result<String, SigningError> {
        let nonce = keys::hmac(self.nonce_key.as_slice(), &[payload.as_bytes()]);
        encrypt(payload, self.purpose, &self.key, nonce)
    }

    /// What was sealed for this purpose; `None` for all else.
    pub(crate) fn open(&self, token: &str) -> Option<Zeroizing<String>> {
        if token.len() > MAX_TOKEN || token.bytes().filter(|b| *b == b'.').count() != 2 {
            // A third dot would be an empty footer, and a second spelling of the same token.
            return None;
        }
        decrypt(token, self.purpose, &self.key)
    }
}

fn encrypt(payload: &str, purpose: &str, key: &PasetoSymmetricKey<V4, Local>, nonce: [u8; 32]) -> Result<String, SigningError> {
    Paseto::<V4, Local>::builder()
        .set_payload(Payload::from(payload))
        .set_implicit_assertion(ImplicitAssertion::from(purpose))
        .try_encrypt(key, &PasetoNonce::<V4, Local>::from(&Key::from(nonce)))
        .map_err(|error| SigningError(error.to_string()))
}

fn decrypt(token: &str, purpose: &str, key: &PasetoSymmetricKey<V4, Local>) -> Option<Zeroizing<String>> {
    Paseto::<V4, Local>::try_decrypt(token, key, None, ImplicitAssertion::from(purpose)).ok().map(Zeroizing::new)
}
